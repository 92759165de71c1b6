// One forwarded request, from its head to the last byte of its response, or to the end of the
// tunnel that it became. Owned by the downstream connection, which drives it: whatever happens on
// either side ends in advance(). The worker's thread only; keeps no pointer into a head.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/limits.h"
#include "http/proxy_protocol.h"
#include "http/request_head.h"
#include "http/response_parser.h"
#include "net/socket_state.h"
#include "proxy/exchange_state.h"
#include "proxy/instruction.h"
#include "proxy/mirror.h"
#include "proxy/request_head.h"
#include "proxy/response_head.h"
#include "proxy/upstreams.h"
#include "route/upstream.h"
#include "transfer/flow.h"

namespace sluice::proxy {

/// The client's side: its socket, what it has sent beyond the head, and what it is told.
class Downstream : public transfer::Reader {
 public:
  virtual net::SocketState& socket() = 0;
  /// Takes the body of the final response in the place of the socket, without a head, framing or
  /// interim responses; null: nobody does.
  virtual transfer::Sink* sink() { return nullptr; }
  /// Something happened upstream: advance() can go on.
  virtual void on_exchange() = 0;
  /// Whether the final response may begin. False: not yet; the exchange goes on when it is asked
  /// to, and this is called again.
  virtual bool may_respond(const http::ResponseHead& head) = 0;
  /// The final response's head goes out now.
  virtual void on_response(uint16_t status) = 0;
  /// Whether the connection may stay open after the response that begins now.
  virtual bool may_persist() const = 0;
  /// Strict-Transport-Security of the listener as a line, or empty.
  virtual std::string_view response_fields() const = 0;
  /// Whether what arrives wakes nobody, since nobody would read it.
  virtual void set_deaf(bool is_deaf) = 0;
  /// Who asks, and where the connection was accepted.
  virtual void ends(http::ProxyEnd& source, http::ProxyEnd& destination) const = 0;
  /// Keeps what the request rests on for what outlives the exchange.
  virtual Hold hold() const = 0;

 protected:
  ~Downstream() = default;
};

/// What an exchange needs of the gateway's settings, and lives as long as the worker.
struct ExchangeLimits {
  http::HeadLimits response_head;
  int64_t body_ms = 0;  ///< timeouts.body
  uint64_t splice_bytes = kSpliceBytes;
};

/// When what happened; sys::now_us, 0: not (yet).
struct ExchangeTimes {
  int64_t begun_us = 0;
  int64_t connected_us = 0;  ///< the connection that answered was there (or reused)
  int64_t first_byte_us = 0;
};

class Exchange final : public UpstreamUser {
 public:
  enum class Outcome : uint8_t {
    waiting,     ///< for either side
    more,        ///< the turn's budget is used up
    answered,    ///< the whole response is out; see persists()
    instructed,  ///< nothing is out: the target asks for a file; see take_instruction()
    refused,     ///< nothing of a final response is out: answer with error()
    cut,         ///< a response has begun and cannot be completed: end the connection
    gone         ///< the client has
  };

  Exchange(const route::ProxyAction& action, Upstreams& upstreams, Downstream& downstream,
           const ExchangeLimits& limits);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Takes what it needs of the head. `persists`: the client's connection may go on afterwards.
  void begin(const http::RequestHead& head, const route::Match& match, const Asker& asker,
             bool persists);
  /// Passes everything on as it is: a tunnel from the first byte.
  void begin_raw(const AddressKey& client);
  /// Goes on until it has to wait or has come to an end. `date_field`: "Date: …\r\n" of now.
  Outcome advance(std::string_view date_field);
  /// When on_deadline() is to be called; kNever: not at all.
  int64_t deadline_ms() const;
  Outcome on_deadline();

  /// The client is not to get the response that has come; before it begins.
  Outcome give_up(ErrorCode error) {
    ends(Outcome::refused, error);
    let_go(false);
    return outcome_;
  }

  void on_upstream() override { downstream_.on_exchange(); }

  ErrorCode error() const { return error_; }
  /// After `instructed`, once.
  Instruction take_instruction() { return std::move(*instruction_); }
  /// After `answered`: whether the client's connection can carry another request.
  bool persists() const { return persists_; }
  /// After `cut`: the end of the connection would look like the end of the body: reset it.
  bool needs_reset() const { return ends_by_close_; }
  bool has_begun_response() const { return status_ != 0; }
  uint16_t status() const { return status_; }
  /// Whether it is the client that takes too little, or sends too little of the body.
  bool waits_for_client() const {
    return state_ == ExchangeState::relaying && response_.has_pending();
  }
  bool waits_for_body() const;
  ExchangeState state() const { return state_; }
  const ExchangeTimes& times() const { return times_; }
  /// The target of the last try, "" before there was one.
  std::string_view target_name() const { return target_ ? target_->name : std::string_view(); }
  uint32_t tries() const { return tries_; }
  uint32_t upstream() const { return action_.upstream; }
  const route::ProxyAction& action() const { return action_; }
  bool is_head_request() const { return shape_.is_head; }
  bool allows_half_close() const { return action_.half_close; }
  bool is_tunnel() const { return state_ == ExchangeState::tunnelling; }
  /// Nothing of the request's body is left unread.
  bool has_whole_request() const { return request_.has_all(); }
  const transfer::Flow& response_flow() const { return response_; }
  const transfer::Flow& request_flow() const { return request_; }

 private:
  void transit(ExchangeEvent event);
  bool ends(Outcome outcome, ErrorCode error = ErrorCode::none);

  // Each returns whether the loop of advance() goes on now; else outcome_ says why not.
  bool choose();
  bool wait_for_target(bool is_full);
  bool leave_queue();
  bool await_connection();
  bool await_head();
  bool relay();
  bool tunnel();
  bool pump_request();

  bool fetch_head();
  bool on_head(const http::ResponseHead& head);
  bool obey(const http::ResponseHead& head, std::string_view value, size_t head_bytes);
  void note_persistence(const http::ResponseHead& head);
  std::string sticky_cookie() const;
  bool on_interim(const http::ResponseHead& head);
  void begin_response(const http::ResponseHead& head);
  void begin_tunnel(const http::ResponseHead& head);
  bool fail_target(ErrorCode error, bool is_untold = false);
  Upstreams::Chosen take_target();
  bool patch_target();
  void leave_target();
  bool may_try_again(ErrorCode error) const;
  bool may_go_elsewhere(ErrorCode error);
  void finish_response();
  void let_go(bool reusable);
  transfer::FlowContext upward();
  transfer::FlowContext downward();
  void note_progress();
  void listen_upstream(transfer::Flow::Step step);
  void listen_downstream(transfer::Flow::Step step);
  bool is_over_total() const;
  void on_late_answer(ErrorCode over);
  bool uses_proxy_protocol() const;
  std::string preface(uint32_t upstream) const;

  // exchange_mirrors.cc
  void begin_mirrors(const http::RequestHead& head, const route::Match& match, const Asker& asker);
  void complete_mirrors();

  const route::ProxyAction& action_;
  Upstreams& upstreams_;
  Downstream& downstream_;
  const ExchangeLimits& limits_;
  ExchangeState state_ = ExchangeState::choosing;
  Outcome outcome_ = Outcome::waiting;
  ErrorCode error_ = ErrorCode::none;
  bool persists_ = false;
  bool ends_by_close_ = false;
  bool upstream_persists_ = false;
  bool wants_fresh_ = false;     ///< an idle connection has failed already
  bool request_broken_ = false;  ///< the target takes no more of the request
  bool is_tunnel_done_[2] = {};  ///< upward, downward
  bool is_raw_ = false;
  bool was_sent_ = false;    ///< some of the request, to whatever target
  bool is_counted_ = false;  ///< among the target's active requests
  bool is_trial_ = false;    ///< it tries a target whose circuit is half-open
  bool wants_turn_ = false;  ///< a flow used up its budget
  uint16_t status_ = 0;
  uint32_t tries_ = 0;
  int64_t idle_ms_ = 0;  ///< how long the connection may be kept
  size_t head_seen_ = 0;
  uint64_t interim_bytes_ = 0;  ///< of interim responses so far
  RequestShape shape_;
  Selection selection_;
  std::vector<const Target*> tried_;
  Ref<Target> target_;
  UpstreamConnection* connection_ = nullptr;
  std::string_view date_field_;  ///< during advance() only
  int64_t since_us_ = 0;         ///< the last progress
  ExchangeTimes times_;
  transfer::Flow request_, response_;
  std::unique_ptr<MirrorFeed> feed_;  ///< while a mirror wants more of the request
  std::optional<Instruction> instruction_;
};

}  // namespace sluice::proxy
