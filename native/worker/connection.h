// One downstream connection: bytes in, requests, responses out, timeouts. Lives in its worker's
// slab and on its worker's thread. Idle it holds no buffer: input is read into the worker's scratch
// room and only what must wait is kept. States and events: worker/connection_state.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/address_counts.h"
#include "core/alarm.h"
#include "core/error.h"
#include "files/answer_table.h"
#include "files/file_response.h"
#include "http/chunked_decoder.h"
#include "http/request_head.h"
#include "log/access_log.h"
#include "net/event_loop.h"
#include "net/socket_state.h"
#include "net/tls_session.h"
#include "route/snapshot.h"
#include "transfer/choice.h"
#include "transfer/transfer.h"
#include "worker/connection_state.h"
#include "worker/forwarding.h"
#include "worker/generation.h"
#include "worker/hook_channel.h"
#include "worker/hook_run.h"
#include "worker/outgoing.h"
#include "worker/pace.h"
#include "worker/streaming.h"
#include "worker/uploading.h"
#include "worker/worker_stats.h"

namespace sluice::worker {

class Worker;

class Connection final : public net::EventHandler,
                         public Alarm,
                         public proxy::Downstream,
                         public HookAskerSide {
 public:
  /// Who connected where.
  struct Origin {
    AddressKey address;
    uint16_t port = 0;      ///< of the peer; 0: a unix socket
    uint16_t listener = 0;  ///< index
    bool is_counted = false;
  };
  Connection(Worker& worker, int fd, const Origin& origin);
  ~Connection() = default;

  /// Its first turn comes after everybody who waits has been accepted: the request, which most
  /// clients send at once, is here by then, and costs no epoll_ctl on a connection that it ends.
  void open() { run_later(); }
  void on_events(uint32_t events) override;
  void on_alarm() override;

  /// The answer that the parked request waited for; null: its turn to ask has come. It goes on with
  /// the snapshot that it was parked on.
  void resume(const Ref<files::Answer>& answer, const Ref<Generation>& parked_on);
  /// The pages that the response waited for have been read, or cannot be.
  void pages_ready(transfer::ReadAhead ahead);
  /// Goes on after its budget of the last turn was used up.
  void run() {
    is_queued_ = false;
    drive();
  }
  /// Something was published on the channel that it is sent.
  void on_message();
  /// The upstream of the relay that it asked for has answered, or (`error`) has not.
  void feed_ready(ErrorCode error, const Ref<Generation>& parked_on);
  /// The stream that it is sent is over: as it should be, or (`error`) cut off.
  void on_feed_end(uint64_t epoch, uint64_t last, ErrorCode error);
  /// An I/O thread has done what was ordered of it.
  void upload_ready(ErrorCode error);
  /// The gateway is shutting down: the connection ends with its next answer or after a grace.
  void drain();
  /// The gateway goes on with `next`. A request whose route did not change goes with it; any other
  /// ends on the one that it began with.
  void adopt(const Ref<Generation>& next);
  /// Ends if its request is under way on that generation.
  void leave(uint64_t generation);
  /// Ends now, whatever is under way. `reason` is counted.
  void close(ErrorCode reason);

  // proxy::Downstream: the side of the client for the exchange under way.
  net::SocketState& socket() override { return socket_; }
  std::string_view unread() const override { return input_; }
  void consume(size_t bytes) override { input_.remove_prefix(bytes); }
  Fill fill(size_t& room) override;
  void on_exchange() override;
  void on_response(uint16_t status) override;
  bool may_respond(const http::ResponseHead& head) override;
  bool may_persist() const override;
  std::string_view response_fields() const override;
  void set_deaf(bool is_deaf) override;
  void ends(http::ProxyEnd& source, http::ProxyEnd& destination) const override;
  proxy::Hold hold() const override;

  // HookAskerSide: the hook that the request under way waits for.
  void on_verdict(Ref<const Verdict> verdict) override;
  void on_question_lost(QuestionLoss why) override;

  State state() const { return state_; }
  uint64_t ticket() const { return ticket_; }

 private:
  friend class ConnectionList;

  void transit(Event event);
  void drive(const Ref<Generation>& parked_on = {});
  void run_later();
  bool step_waiting();
  bool register_in_loop();
  void set_deadline();
  int64_t deadline_ms() const;
  bool is_too_slow();

  // connection_input.cc
  bool step_head();
  bool read_more();
  void load_input() { input_ = kept_; }
  void save_input();
  void expect_body(const http::RequestHead& head);
  bool step_body();
  bool step_linger();

  // connection_opening.cc
  bool step_opening();
  bool take_preface();
  bool enter_counts();

  // connection_tls.cc
  bool may_stay(const route::ListenerRules& next) const;
  bool step_handshake();
  bool begin_handshake();
  bool finish_handshake();
  bool refuse_plain();
  bool fail_handshake();
  bool redirect_to_secure(const http::RequestHead& head);
  void name_client(http::RequestHead& head);
  void say_goodbye(ErrorCode reason);
  transfer::Cipher cipher() const { return transfer::cipher_of(socket_); }

  // connection_output.cc
  enum class Sent : uint8_t { all, blocked, gone };
  Sent flush(bool more_follows);
  void keep_outgoing();
  bool begin(const files::Reply& reply, uint32_t route, bool copy_only);
  bool begin_large(const files::Reply& reply, uint32_t route, transfer::Engine engine);
  bool gather(const files::Reply& reply, uint32_t route);
  bool step_sending();
  bool next_part();
  bool step_pending();
  bool step_transfer();
  bool after_response();
  bool end_after_response();
  /// Shuts our side and drains what the client still sends.
  void linger();
  bool send_with_body(const files::Reply& reply, uint64_t& from_body);
  void record_gathered();
  void read_ahead();
  void end_short();
  bool cork(bool is_on);
  void record(uint32_t route, const TrafficKind& kind, int64_t started_us, uint64_t bytes);

  // connection_proxy.cc
  bool forward(const http::RequestHead& head, const route::ProxyAction& action,
               const route::Match& match);
  bool forward_raw(const route::ProxyAction& action);
  AddressKey client_of(const http::RequestHead& head) const;
  proxy::Asker asker_of(const http::RequestHead& head, AskerTexts& texts);
  void continue_for(const http::RequestHead& head, proxy::Asker& asker) const;
  std::string_view routed_host(const http::RequestHead& head) const;
  log::AccessLog* access_log() const;
  bool step_proxying();
  void watch_pace();
  int64_t exchange_deadline_ms() const;
  void on_exchange_alarm();
  ErrorCode judge_pace();
  bool after_exchange(proxy::Exchange::Outcome outcome);
  void report_target(ErrorCode error);
  bool refuse_forwarded(ErrorCode error);
  bool obey();
  void record_exchange(ErrorCode error);
  void end_exchange(ErrorCode reason);
  void log_forwarded(uint16_t status, transfer::Engine engine, uint64_t bytes, ErrorCode error);
  transfer::Engine response_engine() const;
  void reset();

  // connection_channel.cc
  bool serve_channel(const http::RequestHead& head, const route::ChannelAction& action,
                     const route::Match& match);
  bool begin_stream(const http::RequestHead& head, const route::ChannelAction& action,
                    const route::Match& match, std::string_view lines);
  bool step_streaming();
  void leave_stream();
  Ref<Generation>* held_generation();
  bool send_stream_text();
  bool next_message();
  void block_stream();
  void end_stream(ErrorCode reason);
  int64_t stream_deadline_ms() const;
  void on_stream_alarm();
  bool begin_publication(const http::RequestHead& head, const route::ChannelAction& action,
                         const route::Match& match);
  bool step_publishing(transfer::Intake::Step step);
  bool fall_behind(const transfer::Ring& ring);

  // connection_feed.cc
  bool serve_feed(const http::RequestHead& head, const route::ChannelAction& action,
                  const route::Match& match);
  bool await_feed(const route::ChannelAction& action, const route::Match& match);
  bool end_feed_stream();

  // connection_upload.cc
  void log_taking(const http::RequestHead& head, uint32_t route);
  void take_body(const http::RequestHead& head, uint64_t most);
  bool answer_taken(const files::Reply& reply);
  bool answer_taken_again();
  void keep_for_hooks();
  bool takes_in(const http::RequestHead& head, const route::FilesAction& action) const;
  bool take_in(const http::RequestHead& head, const route::FilesAction& action,
               const route::Match& match);
  bool begin_upload(const http::RequestHead& head, const route::FilesAction& action,
                    const route::Match& match, std::string path);
  bool order(Uploading::Order order);
  static ErrorCode perform_order(Uploading::Order order, files::Upload& upload,
                                 files::UploadRoots& roots);
  bool step_taking_in();
  bool say_continue();
  bool answer_upload();
  bool fail_upload(ErrorCode error);
  bool skips_body();
  void end_upload();
  void abort_upload(ErrorCode reason);
  void record_upload(uint16_t status, ErrorCode error);
  transfer::Engine upload_engine() const;
  int64_t upload_deadline_ms() const;
  void on_upload_alarm();

  // connection_request.cc
  bool handle(http::RequestHead& head, size_t consumed);
  bool dispatch(const http::RequestHead& head);
  bool tell_options();
  bool perform(const http::RequestHead& head, const route::Action& action,
               const route::Match& match);
  bool serve_files(const http::RequestHead& head, const route::FilesAction& action,
                   const route::Match& match);
  bool serve_no_file(const http::RequestHead& head, const route::FilesAction& action,
                     const route::Match& match);
  bool serve_answer(const http::RequestHead& head, const route::FilesAction& action,
                    const route::Match& match, const files::Answer& answer);
  bool serve_instructed(const http::RequestHead& head);
  bool reply_instructed(const http::RequestHead& head, const files::Answer& answer);
  files::Answer* recall(files::PathKeyView key);
  bool park(files::PathKeyView key, uint32_t route);
  void forget_request();
  static uint32_t unrouted() { return route::kNoRoute; }
  bool refuse_head(ErrorCode error);
  bool refuse(ErrorCode error, uint32_t route, std::string_view fields = {});
  bool respond(const files::Reply& reply, uint32_t route, bool copy_only = false);
  bool redirect(const http::RequestHead& head, const route::RedirectAction& action,
                const route::Match& match);

  // connection_hooks.cc: each step returns whether the request has passed it; if not, `goes_on` is
  // whether the connection can go on now.
  const route::HookPlan* plan_of(uint32_t route) const;
  void match_preflight(const http::RequestHead& head, route::Match& match) const;
  bool pass_hooks(http::RequestHead& head, const route::Match& match, bool& goes_on);
  bool take_step(const http::RequestHead& head, const route::Match& match,
                 const route::AddressStep& step, bool& goes_on);
  bool take_step(const http::RequestHead& head, const route::Match& match,
                 const route::AnswerStep& step, bool& goes_on);
  bool take_step(const http::RequestHead& head, const route::Match& match,
                 const route::CorsStep& step, bool& goes_on);
  bool take_step(const http::RequestHead& head, const route::Match& match,
                 const route::LimitStep& step, bool& goes_on);
  bool take_step(const http::RequestHead& head, const route::Match& match,
                 const route::AskStep& step, bool& goes_on);
  bool ask_hook(const http::RequestHead& head, const route::Match& match, uint16_t group);
  bool apply_verdict(const http::RequestHead& head, const route::Match& match,
                     const Ref<const Verdict>& verdict, bool& goes_on);
  std::string_view request_id();
  void drop_outdated_hooks();
  void leave_hooks();
  int64_t hook_deadline_ms() const;
  void on_hook_alarm();
  bool use_target(http::RequestHead& head);
  const route::ProxyAction& changed_by_hooks(const route::ProxyAction& action);
  void append_head(std::string_view lines, uint32_t route);

  // connection_handler.cc
  bool reach(const http::RequestHead& head, const route::ProxyAction& action,
             const route::Match& match);
  bool ask_handler(const route::ProxyAction& action, const route::Match& match);
  bool answer_handled();

  // connection_later_hooks.cc
  void note_question(const http::RequestHead& head);
  bool ask_later(uint16_t group, HookKind kind, uint16_t status, std::string_view more);
  bool pass_later_hooks(const files::Reply& reply, uint32_t route, bool& goes_on);
  bool pass_response_hook(const files::Reply& reply, const route::HookPlan& plan, uint32_t route,
                          bool& goes_on);
  bool finish_error(const http::RequestHead& head);
  bool reply_verdict(const Verdict& verdict, uint32_t route);
  void keep_head(std::string head);

  // connection_log.cc
  void took(uint64_t bytes);
  void log_begun(const files::Reply& reply, uint32_t route, transfer::Engine engine,
                 std::string_view received);
  void log_end(ErrorCode reason);
  void log_unanswered(ErrorCode reason);
  log::Request log_request(const http::RequestHead* head, std::string_view received,
                           int64_t started_us) const;
  void write_line(const log::Lines::Line& line, std::string_view begun, uint64_t bytes,
                  ErrorCode error);
  void parse_again();

  Worker& worker_;
  net::SocketState socket_;
  State state_ = State::reading_head;
  bool registered_ : 1 = false;    ///< in the loop
  bool is_counted_ : 1;            ///< in the counts by address
  bool keep_ : 1 = true;           ///< stays open after the response under way
  bool is_minor_0_ : 1 = false;    ///< the request under way is HTTP/1.0
  bool is_head_ : 1 = false;       ///< the request under way is HEAD
  bool is_queued_ : 1 = false;     ///< has a turn coming without an event
  bool was_in_line_ : 1 = false;   ///< the request under way waited to ask: it began when it came
  bool is_trusted_ : 1;            ///< the peer may say who its client is
  bool is_inner_ : 1;              ///< it is the app, see route::ListenerRules
  bool has_preface_ : 1 = false;   ///< the header of the PROXY protocol has been read
  bool is_logged_ : 1 = false;     ///< the answer under way has its line already
  bool is_forwarded_ : 1 = false;  ///< no target answered, we do: counts for the upstream
  bool is_refused_ : 1 = false;    ///< the rest of the request is not read: more of it may come
  bool is_leaving_ : 1 = false;    ///< ends with the request under way
  bool is_shaking_ : 1 = false;    ///< among the handshakes under way
  bool has_shut_ : 1 = false;      ///< lingering: our side is shut
  ErrorCode feed_error_ = ErrorCode::none;  ///< why there is no stream for the request under way
  uint8_t answered_ = 0;                    ///< requests answered in this turn
  AddressKey address_;                      ///< of the peer, or whom it speaks for (PROXY protocol)
  uint16_t port_, local_port_;              ///< likewise, of both ends; 0: a unix socket
  const uint16_t listener_;                 ///< index
  uint64_t ticket_ = 0;  ///< what it waits, or last waited, under; never used twice
  uint32_t requests_ = 0;
  uint32_t head_seen_ = 0;  ///< bytes that the parser already wanted more of
  size_t consumed_ = 0;     ///< bytes of the head under way, once it is parsed; 0: answered
  int64_t since_ms_;        ///< when the current wait began: connection, first byte, progress
  int64_t request_us_ = 0;  ///< when the head was complete; lingering: when that began
  std::string_view input_;  ///< unread bytes, in the scratch room or in kept_; empty between turns
  std::string kept_;        ///< unread bytes between turns
  http::Framing body_ = http::Framing::none;  ///< request body still to be discarded
  /// Its bytes; for chunked: what may still be discarded; lingering: bytes dropped in this turn.
  uint64_t body_left_ = 0;
  std::unique_ptr<http::ChunkedDecoder> chunks_;
  std::unique_ptr<Pace> body_pace_;
  std::unique_ptr<net::TlsSession> tls_;
  std::unique_ptr<Outgoing> outgoing_;
  std::unique_ptr<Forwarding> forwarding_;
  std::unique_ptr<Instructed> instructed_;
  std::unique_ptr<Uploading> uploading_;
  std::unique_ptr<Taken> taken_;
  std::unique_ptr<Streaming> streaming_;
  std::unique_ptr<FeedPlace> place_;  ///< while it waits for a feed
  std::unique_ptr<HookRun> hooks_;    ///< of the request under way, from its first hook on
  Ref<files::Answer> answer_;         ///< given to the request that was parked
  Connection *previous_ = nullptr, *next_ = nullptr;
};

/// The open connections of a worker, linked through themselves.
class ConnectionList {
 public:
  void add(Connection& connection);
  void remove(Connection& connection);
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// `visit` may close the connection that it is given (it is destroyed later), no other.
  template <typename Visit>
  void each(Visit&& visit) {
    for (Connection* at = first_; at != nullptr;) {
      Connection* next = at->next_;
      visit(*at);
      at = next;
    }
  }

 private:
  Connection* first_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sluice::worker
