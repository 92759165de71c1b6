// I/O threads: whatever may block on a disk runs here and never on a worker or the main thread.
// A bounded queue shared by a few threads; jobs report to their owner by the owner's own mailbox.
// A hung disk holds at most the threads that touch it: `lanes` keep one root from taking all.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "net/sys.h"

namespace sluice::net {

class IoThreads {
 public:
  using Job = std::function<void()>;

  /// Starts `threads` threads with at most `capacity` jobs waiting.
  IoThreads(size_t threads, size_t capacity);
  /// Runs what is queued, then joins. Never called on an I/O thread.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  /// Queues `job`; false when the queue is full (the caller answers 503). Any thread.
  bool post(Job job);

  size_t threads() const { return workers_.size(); }
  size_t waiting() const;
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  /// Sums of the threads' system calls.
  std::array<uint64_t, sys::kCallCount> syscalls() const;

 private:
  void run(size_t index);

  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  const size_t capacity_;
  std::atomic<uint64_t> done_{0};
  std::unique_ptr<sys::SyscallCounts[]> counts_;
  std::vector<std::thread> workers_;
};

}  // namespace sluice::net
