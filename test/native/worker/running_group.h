// A WorkerGroup for one test, with a thread in the place of JavaScript: it owns the group, takes
// every event of the core and answers questions by looking at the disk, unless the test says that
// it holds or drops them. Serves a folder under /*, and fixed answers under /fixed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "temporary_folder.h"
#include "worker/socket_client.h"
#include "worker/worker_group.h"

namespace worker_tests {

struct GroupSettings {
  size_t workers = 2;
  sluice::route::Limits limits{1'000, 0, 0, 10'000'000, {}};
  sluice::route::Timeouts timeouts{20'000, 20'000, 20'000, 20'000, 20'000};  // head … drain
  bool copy_only = false;
  uint64_t memory_bytes = 16 * 1024;
  bool on_unix_socket = false;
};

/// What the thread in JavaScript's place does with questions.
enum class Policy : uint8_t { answer, hold, drop };

class RunningGroup final : public sluice::worker::EventSink {
 public:
  explicit RunningGroup(GroupSettings settings = {});
  ~RunningGroup();

  const testing::TemporaryFolder& site() const { return site_; }
  const sluice::net::Endpoint& endpoint() const { return endpoint_; }
  SocketClient connect() const { return SocketClient(endpoint_); }

  void set_policy(Policy policy) { policy_ = policy; }
  /// Answers the held question for `path` (the oldest); false when there is none.
  bool release(const std::string& path);
  /// Forgets every answer given so far and lets go of their files, as an eviction does.
  void evict_all();
  void drain();
  void stop();
  /// Serves /replaced with this body from now on, and forwards /proxied to its own /fixed; returns
  /// when every worker has that.
  void replace(const std::string& body);
  /// Generations of which nothing is left.
  size_t retired() const { return retired_; }
  /// Waits until every worker has ended, then destroys the group.
  void end();

  /// Waits for a condition of these figures; records a failure and returns false when it never
  /// comes.
  using Sum = uint64_t (*)(const sluice::worker::WorkerStats&);
  uint64_t sum(Sum figure);
  bool wait_until(const char* what, const std::function<bool()>& condition);
  uint64_t connections();
  uint64_t parked();
  uint64_t requests();
  uint64_t errors(sluice::ErrorCode code);
  int64_t descriptors();  ///< of files that are served
  size_t held();
  size_t questions(const std::string& path);  ///< asked so far
  size_t stale() const { return stale_; }
  size_t touched() const { return touched_; }
  size_t faults(const std::string& code);
  bool ended() const { return ended_ == settings_.workers; }

  void emit(sluice::worker::CoreEvent event) override;

 private:
  using Task = std::function<void()>;

  void post(Task task);
  /// Runs `task` on the steering thread and waits for it.
  void call(const Task& task);
  void steer();
  void handle(sluice::worker::CoreEvent& event);
  void look(const sluice::worker::CoreEvent& question);
  void answer(const sluice::worker::CoreEvent& question, const sluice::files::Looked& looked);
  std::shared_ptr<sluice::route::Snapshot> make_snapshot() const;
  void add_replaced(const std::string& body, sluice::route::Snapshot& snapshot) const;

  const GroupSettings settings_;
  testing::TemporaryFolder site_;
  testing::TemporaryFolder run_;
  sluice::net::Endpoint endpoint_;
  std::atomic<Policy> policy_{Policy::answer};
  std::atomic<size_t> stale_{0}, touched_{0}, ended_{0}, retired_{0};
  std::atomic<uint64_t> adopted_{1};

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> tasks_;
  bool is_over_ = false;
  std::map<std::string, size_t> asked_, faults_;

  // The steering thread's own.
  std::unique_ptr<sluice::worker::WorkerGroup> group_;
  std::vector<sluice::worker::CoreEvent> held_;
  std::vector<uint64_t> given_;
  std::map<uint64_t, sluice::worker::CoreEvent> looking_;  ///< by the look that is under way
  uint64_t last_look_ = 0;
  uint64_t generation_ = 1;
  uint64_t last_id_ = 0;

  std::thread steering_;
};

/// Bytes that differ at every offset and between names.
std::string content_of(std::string_view name, size_t size);

}  // namespace worker_tests
