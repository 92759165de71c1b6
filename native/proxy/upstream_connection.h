// One connection to a target: its socket in the worker's loop, bytes that came and were not taken,
// and who uses it. Between requests it is idle in its worker's pool; whatever happens to it then
// (bytes, FIN, reset) ends it. The worker's thread only; lives until the end of the turn in which
// it is closed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/alarm.h"
#include "core/error.h"
#include "net/event_loop.h"
#include "net/socket_state.h"
#include "proxy/target.h"
#include "transfer/flow.h"

namespace sluice::proxy {

class Upstreams;

/// Whoever has a request on the connection.
class UpstreamUser {
 public:
  /// Something happened to the socket; its state says what.
  virtual void on_upstream() = 0;

 protected:
  ~UpstreamUser() = default;
};

class UpstreamConnection final : public net::EventHandler, public Alarm, public transfer::Reader {
 public:
  UpstreamConnection(Upstreams& owner, uint32_t upstream, Ref<Target> target, int fd);
  ~UpstreamConnection();

  void on_events(uint32_t events) override;
  void on_alarm() override;

  // transfer::Reader: what the target has sent.
  std::string_view unread() const override { return unread_; }
  void consume(size_t bytes) override { unread_.remove_prefix(bytes); }
  Fill fill(size_t& room) override;
  /// One recv behind what is unread, which stays: for heads that come in pieces.
  Fill fill_more();
  /// What is unread moves out of the worker's scratch room. At the end of each turn.
  void save();

  /// Whether the response is so long that it is worth splicing. The next one is believed to be
  /// alike: little of its body is received with its head.
  void note_bulk(bool is_bulk) { sends_bulk_ = is_bulk; }

  Target& target() const { return *target_; }
  uint32_t upstream() const { return upstream_; }
  net::SocketState& socket() { return socket_; }
  bool is_connected() const { return is_connected_; }
  /// Of a connection to a relay: whether it has said that the target is there. `error`: it is not.
  bool is_greeted(ErrorCode& error);
  /// Whether what comes is said by a relay, which may say that there is no response.
  bool speaks_for_target() const { return speaks_for_target_; }
  bool is_broken() const { return is_broken_; }
  /// Requests that it has carried to their end.
  uint32_t requests() const { return requests_; }
  bool is_idle() const { return user_ == nullptr; }
  /// The kernel has nothing from the target, not even its end. A system call.
  bool is_silent() const;

 private:
  friend class Upstreams;

  Fill receive(std::span<char> scratch, size_t& room);

  Upstreams& owner_;
  const uint32_t upstream_;
  const Ref<Target> target_;
  net::SocketState socket_;
  UpstreamUser* user_ = nullptr;
  bool is_connected_ = false;
  bool is_broken_ = false;  ///< refused, reset, or both sides have shut
  bool is_closed_ = false;
  bool is_greeted_ = false;
  bool speaks_for_target_ = false;
  bool sends_bulk_ = false;
  uint32_t requests_ = 0;
  int64_t idle_until_ms_ = 0;
  std::string_view unread_;  ///< in the worker's scratch room, or in kept_
  std::string kept_;
};

}  // namespace sluice::proxy
