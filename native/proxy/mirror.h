// One request on its way to a mirror: a copy of what a target gets, over a connection of its own.
// It is fed while the request is read and lives on by itself after that; its answer is read and
// dropped. Nothing that happens to it reaches the client, the target or their connections: whoever
// feeds it never waits. The worker's thread only; owned by Mirrors.
//
//   begin ──▶ connecting ──▶ sending ──answered, all is out──▶ sent
//                 └────────────┴── failed · timed out · behind · over the limits · aborted
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/alarm.h"
#include "core/error.h"
#include "core/ref.h"
#include "http/chunked_decoder.h"
#include "http/framing.h"
#include "http/request_head.h"
#include "http/response_parser.h"
#include "proxy/target.h"
#include "proxy/upstream_connection.h"
#include "route/upstream.h"
#include "transfer/backlog.h"
#include "transfer/tap.h"

namespace sluice::proxy {

class Mirrors;

/// What must outlive whoever has it, and the generation of the configuration that this is.
struct Hold {
  uint64_t generation = 0;
  std::shared_ptr<const void> kept;
};

/// A request as a mirror is to get it.
struct MirrorRequest {
  std::string head;
  http::Framing framing = http::Framing::none;
  uint64_t content_length = 0;
  bool is_head = false;
  bool copies = false;  ///< transfer: 'copy'
  Hold hold;
};

/// How the mirroring of a request has ended.
enum class MirrorOutcome : uint8_t {
  sent,         ///< the mirror has all of it and has answered
  refused,      ///< it answered before it had all of it, and takes no more
  failed,       ///< no connection, or it was reset or closed, or it answered nonsense
  timed_out,    ///< no connection, or no answer to the whole request, in time
  behind,       ///< it took so little that more than maxBehind bytes waited
  limited,      ///< limits.mirrors, limits.mirrorBytes, or there was no descriptor
  unavailable,  ///< no target can have it: down, ejected, draining, full
  aborted,      ///< the request itself ended before all of it was read
  count_
};

class Mirror final : public UpstreamUser, public Alarm {
 public:
  /// With a place at `target`, which it gives back. `connection`: connected or on its way.
  Mirror(Mirrors& owner, const route::MirrorRule& rule, MirrorRequest request, Ref<Target> target,
         bool is_trial, UpstreamConnection& connection);
  ~Mirror() = default;
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  // For whoever feeds it; each is a no-op once it is over.
  /// See transfer::Tap.
  bool can_tee(size_t capacity);
  void on_bytes(std::span<const iovec> parts, uint64_t total);
  void on_pipe(int read_end, uint64_t bytes);
  /// The request has been read to its end; `end`: what closes a chunked body.
  void complete(std::string_view end);
  /// It is fed no more. Without all of the request it is aborted.
  void leave();

  void on_upstream() override;
  void on_alarm() override;

  bool is_over() const { return connection_ == nullptr; }
  uint64_t generation() const { return hold_.generation; }

 private:
  friend class Mirrors;

  void run();
  bool connect();
  void send();
  bool read_answer();
  bool read_head();
  bool on_head(const http::ResponseHead& head);
  bool read_body();
  bool drop_body();
  bool is_all_out() const { return has_all_ && !is_broken_ && backlog_.empty(); }
  bool receive();
  void conclude();
  void fail(ErrorCode error);
  void end(MirrorOutcome outcome);
  void add(std::string_view bytes);
  void took(uint64_t bytes);
  void check_bounds();
  void note_waiting();
  void set_deadline();
  void give_up(MirrorOutcome outcome);

  Mirrors& owner_;
  const route::MirrorRule rule_;
  const Hold hold_;
  const http::Framing framing_;
  const bool is_head_;
  bool is_trial_;
  bool is_connected_ = false;
  bool is_queued_ = false;  ///< has a turn coming
  bool is_fed_ = true;      ///< somebody has a pointer to it
  bool has_all_ = false;    ///< of the request
  bool is_broken_ = false;  ///< the mirror takes no more
  bool has_head_ = false;   ///< of its answer, and the whole of that
  bool has_answer_ = false;
  bool persists_ = false;  ///< the connection can be used again
  uint64_t left_;          ///< of a body of known length
  uint64_t sent_ = 0;      ///< with head and framing
  uint64_t waiting_ = 0;   ///< as counted by the owner
  size_t head_seen_ = 0;
  uint64_t dropped_ = 0;  ///< bytes of the answer, and where this turn ends
  uint64_t enough_ = 0;
  http::ResponseFraming answer_framing_ = http::ResponseFraming::none;
  uint64_t answer_left_ = 0;
  int64_t idle_ms_ = 0;
  http::ChunkedDecoder chunks_;
  Ref<Target> target_;
  UpstreamConnection* connection_;
  transfer::Backlog backlog_;
  size_t index_ = 0;  ///< among the owner's
};

/// The mirrors of one request, fed together.
class MirrorFeed final : public transfer::Tap {
 public:
  MirrorFeed() = default;
  ~MirrorFeed();
  MirrorFeed(const MirrorFeed&) = delete;
  MirrorFeed& operator=(const MirrorFeed&) = delete;

  void add(Mirror& mirror) { mirrors_.push_back(&mirror); }
  bool empty() const { return mirrors_.empty(); }
  void complete(std::string_view end);

  bool can_tee(size_t capacity) override;
  void on_bytes(std::span<const iovec> parts, uint64_t total) override;
  void on_pipe(int read_end, uint64_t bytes) override;

 private:
  std::vector<Mirror*> mirrors_;
};

}  // namespace sluice::proxy
