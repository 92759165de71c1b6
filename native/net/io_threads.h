// I/O threads: whatever may block on a disk runs here and never on a worker or the main thread.
// Bounded queues, one per lane, taken in turn by a few threads; jobs report to their owner by the
// owner's own mailbox. A lane is what may hang together (a root): it never holds the last thread,
// and one that has none while others hold them all gets a new one, within a bound. So a disk that
// hangs delays only the requests that need it, also when several roots are on it.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "net/sys.h"

namespace sluice::net {

class IoThreads {
 public:
  using Job = std::function<void()>;

  /// Starts `threads` threads (at least one, fewer where the system refuses) with at most
  /// `capacity` jobs waiting in each lane. There may be up to `most` threads when lanes hang.
  IoThreads(size_t threads, size_t capacity, size_t most = 0);
  /// Runs what is queued, then joins. Never called on an I/O thread.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  /// Queues `job`; false when its lane is full (the caller answers 503). Any thread. Jobs of one
  /// lane begin in order. `lane` is any number, such as a hash of the root; each has a
  /// queue of its own.
  bool post(Job job, size_t lane = 0);

  size_t threads() const;
  size_t waiting() const;
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  /// Sums of the threads' system calls.
  std::array<uint64_t, sys::kCallCount> syscalls() const;

 private:
  struct Lane {
    std::deque<Job> jobs;
    size_t running = 0;
  };

  void start(size_t threads);
  void start_one();
  void help_stranded();
  void run(size_t index);
  using Lanes = std::map<size_t, Lane>;
  Lanes::iterator next_lane();

  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::map<size_t, Lane> lanes_;  ///< those with jobs
  size_t turn_ = 0;               ///< the lane that is looked at first
  size_t lane_limit_ = 1;         ///< threads that one lane may hold
  size_t idle_ = 0;               ///< threads without a job
  bool stopping_ = false;
  const size_t capacity_;
  const size_t most_;
  std::atomic<uint64_t> done_{0};
  std::unique_ptr<sys::SyscallCounts[]> counts_;
  std::vector<std::thread> workers_;
};

}  // namespace sluice::net
