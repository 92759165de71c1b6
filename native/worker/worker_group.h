// All workers of one gateway with what they share: the listeners, the I/O threads, the table of
// open files. Belongs to the thread that made it (the main thread); only `emit` of its sink is
// called from others. Everything that TypeScript can ask of the core goes through here.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "files/encoder.h"
#include "files/freshness.h"
#include "files/opener.h"
#include "net/listener.h"
#include "proxy/target.h"
#include "worker/worker.h"

namespace sluice::worker {

struct GroupOptions {
  std::shared_ptr<const route::Snapshot> snapshot;
  std::vector<std::optional<net::Endpoint>> listeners;  ///< by number; none: a hole
  size_t workers = 1;
};

/// Why listen() failed.
struct ListenError {
  net::BindError bind;
  net::Endpoint endpoint;
  std::vector<net::TlsProblem> tls;  ///< of this listener, when bind.call is "certificates"
};

class WorkerGroup {
 public:
  /// `sink` outlives the group.
  WorkerGroup(GroupOptions options, EventSink& sink);
  /// Ends at once and joins everything.
  ~WorkerGroup();
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  /// Binds every listener and starts the workers; all or nothing. bind.error 0: fine. `inherited`
  /// has, by index of the listener, sockets that are taken over instead; they are ours either way.
  ListenError listen(std::vector<std::vector<int>> inherited = {});
  /// Opens the access log anew, where it goes to a name.
  void reopen_log() {
    if (log_) log_->reopen();
  }
  /// The workers have ended: what they logged is written, as far as somebody takes it.
  void close_log() {
    if (log_) log_->close();
  }
  log::WriterCounts log_counts() const;

  /// Where it really listens, by the number of the listener; none: a hole.
  std::vector<std::optional<net::Endpoint>> endpoints() const;

  /// Goes on with another snapshot, whose number is the next: new listeners are bound first, and
  /// when one cannot be nothing has changed. Otherwise `adopted` follows when every worker has it,
  /// and `retired` for the one before when nothing is under way on that any more. What a running
  /// gateway cannot change (the number of workers, the access log) stays as it was.
  ListenError replace(GroupOptions next);
  /// Ends what is still under way on an old snapshot.
  void end_generation(uint64_t number);
  /// Where it really listens, with the sockets. These belong to the workers, which close them when
  /// they drain or stop: a successor may be sent them before.
  const std::vector<net::BoundListener>& bound() const { return bound_; }
  /// A successor has the listening sockets: the paths of unix sockets are its own now.
  void leave_listeners();

  /// Looks up and opens on an I/O thread; answers by one CoreEvent of kind `looked` with this id.
  /// The file in it becomes ours by own_file().
  void look(uint64_t id, files::Look look);
  /// A connection for a process that encodes files (files/encoder.h): the descriptor of its end,
  /// which the caller closes, or -errno. It takes the place of the one before.
  int connect_encoder();
  void disconnect_encoder();
  /// Answers by one CoreEvent of kind `encoded` with the job's id.
  void encode(files::EncodeJob job);

  /// Gives an opened file an id under which answers name it. Ids are never reused.
  uint64_t own_file(Ref<files::File> file);
  /// Null when no file has that id (any more).
  Ref<files::File> find_file(uint64_t id) const;
  void release_file(uint64_t id) { owned_files_.erase(id); }

  void answer(uint32_t worker, uint64_t question, files::AnswerSource answer);
  void forget(const std::vector<uint64_t>& answers);
  /// Replaces the targets of an upstream on every worker.
  void set_targets(uint32_t upstream, const std::vector<route::TargetConfig>& targets);
  /// Reads the certificates of a listener again. What is wrong, and then nothing has changed.
  std::vector<net::TlsProblem> reload_certificates(uint16_t listener);
  /// Of the certificates of a listener; empty where it speaks no TLS.
  std::vector<net::TlsFacts> certificates(uint16_t listener) const;
  /// New tickets are encrypted with a new key from now on.
  void rotate_tickets();
  /// The keys of tickets, as bytes; empty: no listener has spoken TLS.
  std::string ticket_keys() const;
  /// Before listening: tickets of the process that had these keys open here. False: they are none.
  bool adopt_tickets(std::string_view keys);
  /// Where workers ask hooks from now on; empty: nowhere.
  void set_hook_socket(const std::string& path);
  const proxy::TargetTable& targets() const { return targets_; }
  /// Requests that wait for a target of this upstream.
  uint64_t queued(uint32_t upstream) const;

  const ChannelHub& channels() const { return *channels_; }

  void drain();
  void stop();
  /// Asks every worker for a sign of life, and tells how long the one that has not given it for the
  /// longest time has been asked, in milliseconds.
  int64_t beat();

  const route::Snapshot& snapshot() const { return *shared_.snapshot; }
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  const files::FileCounts& file_counts() const { return *file_counts_; }
  const net::IoThreads& io() const { return *io_; }
  files::FreshnessCounts freshness_counts() const;
  size_t worker_count() const { return options_.workers; }
  /// One more than the largest number that a route has had.
  size_t route_numbers() const { return route_names_.size(); }

 private:
  int start_log();
  HubTells hub_tells();
  ListenError load_certificates(const GroupOptions& next, const route::Snapshot& snapshot,
                                TlsContexts& loaded);
  void name_routes();
  std::shared_ptr<const route::Snapshot> published(std::shared_ptr<const route::Snapshot> snapshot);
  ListenError open_listeners(const GroupOptions& next, std::vector<net::BoundListener>& opened,
                             std::vector<std::vector<int>> inherited = {});
  std::vector<uint16_t> take_listeners(const GroupOptions& next,
                                       const std::vector<net::BoundListener>& opened);
  bool has_leaving_port(const GroupOptions& next, const net::Endpoint& wanted) const;
  void hand_out(std::shared_ptr<const Replacement> next,
                const std::vector<net::BoundListener>& opened);
  files::OpenOptions open_options() const;
  void watch_files();
  void warn_of_remote_roots();
  void sweep_uploads();
  std::vector<Worker::ListeningSocket> sockets_of(uint32_t worker) const;
  ListenError abandon(uint32_t started);
  void close_listeners();
  void hide_listeners();
  void hide_outer_listeners();

  GroupOptions options_;
  EventSink& sink_;
  std::shared_ptr<files::FileCounts> file_counts_ = std::make_shared<files::FileCounts>();
  std::unique_ptr<log::Writer> log_;
  std::unique_ptr<ChannelHub> channels_;
  Shared shared_;
  std::vector<net::BoundListener> bound_;  ///< by number
  std::vector<std::string> route_names_;   ///< by number; of holes, who was there last
  std::set<std::string> known_roots_;
  proxy::TargetTable targets_;
  std::unordered_map<uint64_t, Ref<files::File>> owned_files_;
  uint64_t last_file_ = 0;
  std::string hook_socket_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::shared_ptr<std::atomic<int64_t>>> asked_ms_;  ///< beat(), by worker; 0: answered
  std::unique_ptr<files::Freshness> freshness_;
  std::unique_ptr<files::Encoder> encoder_;  ///< when somebody has connected a process
  std::unique_ptr<net::IoThreads> io_;       // last: its jobs refer to everything above
};

}  // namespace sluice::worker
