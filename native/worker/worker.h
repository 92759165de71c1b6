// One data-plane thread: its loop, listeners, connections, timers and table of remembered answers.
// Shares nothing with other workers on the hot path. Public functions belong to its own thread
// unless they say otherwise. Must never block: whatever may wait for a disk goes to the I/O
// threads.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/address_counts.h"
#include "core/alarm.h"
#include "core/rate_table.h"
#include "core/slab.h"
#include "files/answer_table.h"
#include "log/access_log.h"
#include "net/event_loop.h"
#include "net/io_threads.h"
#include "net/owned_fd.h"
#include "net/tls_session.h"
#include "proxy/mirrors.h"
#include "route/snapshot.h"
#include "worker/channel_desk.h"
#include "worker/channel_hub.h"
#include "worker/connection.h"
#include "worker/core_event.h"
#include "worker/generation.h"
#include "worker/hook_channel.h"
#include "worker/hook_memory.h"
#include "worker/outbox.h"
#include "worker/questions.h"
#include "worker/worker_stats.h"

namespace sluice::worker {

class Acceptor;

/// By the number of a listener; null: it speaks no TLS.
using TlsContexts = std::vector<Ref<const net::TlsContext>>;

/// What the workers of one gateway share. Outlives them.
struct Shared {
  std::shared_ptr<const route::Snapshot> snapshot;  ///< that workers begin with; main thread
  net::IoThreads* io = nullptr;
  EventSink* sink = nullptr;
  log::Writer* log = nullptr;  ///< of the access log; null: there is none
  AddressCounts addresses;
  std::unique_ptr<RateTable> rates;  ///< null: nothing is limited
  bool sendfile_available = true;
  TlsContexts tls;  ///< of the newest snapshot, that workers begin with
  Ref<const net::TicketKeys> tickets;
  std::shared_ptr<files::UploadRoots> uploads = std::make_shared<files::UploadRoots>();
  /// Calls back, on another thread, when whoever asks for a file sees what has happened to it by
  /// now.
  std::function<void(std::function<void()>)> when_seen;
  HubChannels channels;                        ///< that workers begin with; main thread
  std::shared_ptr<proxy::QueueCounts> queued;  ///< by upstream
  std::shared_ptr<proxy::MirrorTotals> mirrors = std::make_shared<proxy::MirrorTotals>();
  /// Tells every worker but `from` that a target of `upstream` has room.
  std::function<void(uint32_t upstream, uint32_t from)> tell_room;
};

/// What a worker is given when the configuration is replaced.
struct Replacement {
  std::shared_ptr<const route::Snapshot> snapshot;
  std::vector<Ref<const proxy::TargetSet>> targets;  ///< by upstream
  std::vector<uint16_t> closed;                      ///< listeners that have left
  TlsContexts tls;
  Ref<const net::TicketKeys> tickets;
  HubChannels channels;
};

class Worker {
 public:
  using Task = std::function<void(Worker&)>;

  Worker(uint32_t index, Shared& shared);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Any thread.
  struct ListeningSocket {
    int fd;             ///< the worker's from now on
    uint16_t listener;  ///< index
  };
  void start(const std::vector<ListeningSocket>& sockets);
  void join();
  void post(Task task);
  const WorkerStats& stats() const { return stats_; }
  const transfer::PipeCounts& pipe_counts() const { return upstreams_.pipe_counts(); }
  const proxy::Upstreams::StateCounts& exchange_states() const { return upstreams_.states(); }
  const proxy::MirrorCounts& mirror_counts() const { return mirrors_.counts(); }
  /// 0, or -errno when its loop could not be made (no descriptors): it must not be started.
  int error() const { return loop_.error(); }
  uint32_t index() const { return index_; }

  // The worker's own thread, by post().
  /// Accepts no more; connections end with their next answer or after a grace.
  void drain();
  /// Closes everything and ends.
  void stop();
  /// Goes on with another snapshot; `opened` are listeners that it alone has, which become its own.
  void adopt(const Replacement& next, std::vector<net::OwnedFd>& opened);
  /// Ends what is still under way on an old snapshot.
  void end_generation(uint64_t number);
  void forget(uint64_t answer) {
    answers_.forget(answer);
    stats_.answers = answers_.size();
  }
  Questions& questions() { return questions_; }
  /// From now on, for new connections.
  void replace_tls(uint16_t listener, Ref<const net::TlsContext> context);
  void replace_tickets(Ref<const net::TicketKeys> keys);
  HookChannel& hook_channel() { return hook_channel_; }
  HookMemory& hook_memory() { return hook_memory_; }

  // What connections use.
  WorkerStats& stats() { return stats_; }
  /// Of the connection that has its turn: the current one, but for a request that was parked
  /// before.
  const route::Snapshot& snapshot() const { return serving_->snapshot(); }
  Ref<Generation> serving() const { return Ref<Generation>(serving_); }
  /// The current one.
  const Generation& generation() const { return *generation_; }
  /// While it lives, snapshot() is another one.
  class Serving {
   public:
    Serving(Worker& worker, Generation& generation) : worker_(worker) {
      worker_.serving_ = &generation;
    }
    ~Serving() { worker_.serving_ = worker_.generation_.get(); }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

   private:
    Worker& worker_;
  };
  Shared& shared() { return shared_; }
  net::IoThreads& io() { return *shared_.io; }
  EventSink& sink() { return *shared_.sink; }
  net::EventLoop& loop() { return loop_; }
  TimerWheel& wheel() { return wheel_; }
  files::AnswerTable& answers() { return answers_; }
  Outbox& outbox() { return outbox_; }
  /// Null when it is off.
  log::AccessLog* access_log() { return access_log_.get(); }
  const log::AccessLog* access_log() const { return access_log_.get(); }
  std::span<char> input_scratch() { return input_scratch_; }
  std::span<char> copy_scratch();
  http::RequestHead& head_scratch() { return *head_; }
  /// Room for `path` decoded.
  char* path_scratch(std::string_view path);
  int64_t now_us() const { return now_us_; }
  int64_t now_ms() const { return now_us_ / 1000; }
  int64_t wall_s() const { return wall_s_; }
  /// Reads the clock again; once per flush and turn.
  int64_t refresh_clock();
  bool draining() const { return draining_; }
  uint64_t next_ticket() { return ++last_ticket_; }
  /// A number for a request, unique beyond this process; views `room`.
  std::string_view next_request_id(char (&room)[kRequestIdBytes]);

  proxy::Upstreams& upstreams() { return upstreams_; }
  /// `is_inner`: for the app. How slow a client may be is judged where it is.
  const proxy::ExchangeLimits& exchange_limits(bool is_inner) const {
    return is_inner ? inner_limits_ : exchange_limits_;
  }

  void accept(int fd, const sockaddr_storage& address, uint16_t listener);
  const route::ListenerRules& rules(uint16_t listener) const;
  /// For a handshake that begins on a listener where TLS is spoken, or was until a moment ago.
  const Ref<const net::TlsContext>& tls(uint16_t listener) const { return tls_[listener]; }
  net::TlsRoom& tls_room();
  /// Whether this turn has time for a step of a handshake; if so it counts from now.
  bool may_shake_hands();
  void shook_hands();
  /// On which it listens; 0: a unix socket.
  uint16_t port_of(uint16_t listener) const {
    return listener < ports_.size() ? ports_[listener] : uint16_t{0};
  }
  /// Whether what `address` says of its clients is believed.
  bool trusts(const AddressKey& address) const;
  bool has_room(uint16_t listener) const;
  void remember(const files::PathKey& key, Ref<files::Answer> answer);
  void report_touched(files::Answer& answer);
  /// Now, ahead of a question: what is hot must not be evicted for what is asked.
  void flush_touched();
  /// The disk no longer agrees with it: forgotten here, and TypeScript is told.
  void drop_stale(uint64_t answer);
  void fault(const char* code, std::string message);
  /// Counts an error; one that a setting would change is also logged, at most once a second.
  void complain(ErrorCode error);
  /// Whether a line about `error` may be logged now: one a second.
  bool may_report(ErrorCode error);
  /// Continues the connection in this turn's next round (it used up its budget).
  void run_later(Connection& connection) { later_.push_back(&connection); }
  /// A connection that waits for something asynchronous is found by a ticket that is new for each
  /// wait: what comes for one that was given up must not be taken for what the next one is for.
  void await(uint64_t ticket, Connection& connection) { waiting_[ticket] = {&connection, {}}; }
  /// Likewise; the request goes on with the snapshot of now.
  void await_answer(uint64_t ticket, Connection& connection) {
    waiting_[ticket] = {&connection, serving()};
  }
  /// The generation of a request that waits for an answer; 0: there is none.
  uint64_t parked_on(uint64_t ticket) const;
  void give_up(uint64_t ticket) { waiting_.erase(ticket); }
  bool awaits(uint64_t ticket) const { return waiting_.contains(ticket); }
  void resume(uint64_t ticket, const Ref<files::Answer>& answer);
  void pages_ready(uint64_t ticket, transfer::ReadAhead ahead);
  ChannelDesk& desk(uint32_t channel) { return *desks_[channel]; }
  /// Opens the upstream of a feed: nobody reads it.
  void open_feed(ChannelDesk& desk, uint64_t epoch);
  /// What the worker that reads it has to tell.
  void hear(const std::shared_ptr<HubChannel>& channel, const FeedNews& news);
  void run_feed(const std::shared_ptr<HubChannel>& channel);
  void leave_feed(const std::shared_ptr<HubChannel>& channel);
  void remove_feed(const std::shared_ptr<HubChannel>& channel);
  /// Somebody has published it.
  void deliver(const std::shared_ptr<HubChannel>& channel,
               const Ref<const transfer::Message>& message);
  void upload_ready(uint64_t ticket, ErrorCode error, Ref<files::Upload> upload);
  /// The connection has closed its socket; it is destroyed at the end of the turn.
  void bury(Connection& connection);

 private:
  class Reporter;
  class LastCall;
  struct Waiting {
    Connection* connection = nullptr;
    Ref<Generation> generation;  ///< null: it does not matter
  };

  void run();
  ChannelDesk& desk_of(const std::shared_ptr<HubChannel>& channel);
  Feed* feed_of(const HubChannel& channel);
  void resume_for_feed(ChannelDesk& desk, uint64_t epoch, ErrorCode error);
  void adopt_feeds(const Ref<Generation>& next, const HubChannels& channels);
  void note_port(uint16_t listener, int fd);
  void adopt_tls(const Replacement& next);
  void close_listeners(const std::vector<uint16_t>& numbers);
  void set_date();
  int timeout_ms() const;
  void run_ready();
  void remove_dead();
  bool finished() const;

  const uint32_t index_;
  Shared& shared_;
  Ref<Generation> generation_;
  Generation* serving_;
  WorkerStats stats_;
  net::EventLoop loop_;
  int64_t now_us_ = 0;
  int64_t wall_s_ = 0;
  TimerWheel wheel_;
  Slab<Connection> slab_;
  ConnectionList live_;
  std::vector<Connection*> later_, dead_;
  std::unordered_map<uint64_t, Waiting> waiting_;
  uint64_t last_ticket_ = 0;
  uint64_t last_request_ = 0;
  proxy::Upstreams upstreams_;
  proxy::Mirrors mirrors_;
  proxy::ExchangeLimits exchange_limits_;
  proxy::ExchangeLimits inner_limits_;
  files::AnswerTable answers_;
  std::vector<std::unique_ptr<ChannelDesk>> desks_;  ///< by number
  HubChannels channels_;                             ///< of the current configuration
  Questions questions_{*this};
  HookChannel hook_channel_{*this};
  HookMemory hook_memory_;
  Outbox outbox_;
  TlsContexts tls_;
  std::unique_ptr<net::TlsRoom> tls_room_;  ///< when the first connection wants it
  Ref<const net::TicketKeys> tickets_;
  int64_t shaking_us_ = 0;        ///< of this turn, spent on handshakes
  int64_t shaking_since_us_ = 0;  ///< during a step of one
  std::unique_ptr<log::AccessLog> access_log_;
  std::unique_ptr<http::RequestHead> head_;
  std::vector<char> input_scratch_, copy_scratch_, path_scratch_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_, stopped_acceptors_;
  std::vector<uint16_t> ports_;  ///< by listener
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<LastCall> last_call_;
  std::array<int64_t, static_cast<size_t>(ErrorCode::count_)> complained_us_;
  bool draining_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice::worker
