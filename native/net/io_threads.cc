// The queue of the I/O threads. Runs on them, except post() and the counters (any thread).
// The lock is held only to take or leave a job, never while one runs. A thread that ends a job
// looks for the next one itself, so a lane that was at its limit goes on without being woken.
#include "net/io_threads.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <string>
#include <system_error>

namespace sluice::net {

IoThreads::IoThreads(size_t threads, size_t capacity) : capacity_(capacity) {
  threads = std::max<size_t>(threads, 1);
  counts_ = std::make_unique<sys::SyscallCounts[]>(threads);
  const std::lock_guard lock(mutex_);  // they begin when all are there and the limit is known
  start(threads);
  lane_limit_ = std::max<size_t>(workers_.size(), 2) - 1;
}

void IoThreads::start(size_t threads) {
  workers_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    try {
      workers_.emplace_back([this, i] { run(i); });
    } catch (const std::system_error&) {
      if (workers_.empty()) throw;  // at start, to whoever creates the gateway
      return;
    }
  }
}

IoThreads::~IoThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool IoThreads::post(Job job, size_t lane) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    auto& jobs = lanes_[lane].jobs;
    if (jobs.size() >= capacity_) return false;
    jobs.push_back(std::move(job));
  }
  ready_.notify_one();
  return true;
}

size_t IoThreads::waiting() const {
  const std::lock_guard lock(mutex_);
  size_t sum = 0;
  for (const auto& [number, lane] : lanes_) sum += lane.jobs.size();
  return sum;
}

std::array<uint64_t, sys::kCallCount> IoThreads::syscalls() const {
  std::array<uint64_t, sys::kCallCount> sums{};
  for (size_t thread = 0; thread < workers_.size(); ++thread) {
    for (size_t call = 0; call < sys::kCallCount; ++call) {
      sums[call] += counts_[thread].calls[call].load(std::memory_order_relaxed);
    }
  }
  return sums;
}

/// The next lane, in turn, that has a job and may hold one more thread; end() when there is none.
IoThreads::Lanes::iterator IoThreads::next_lane() {
  auto at = lanes_.lower_bound(turn_);
  for (size_t i = 0; i < lanes_.size(); ++i, ++at) {
    if (at == lanes_.end()) at = lanes_.begin();
    const Lane& lane = at->second;
    if (lane.jobs.empty() || lane.running >= lane_limit_) continue;
    turn_ = at->first + 1;
    return at;
  }
  return lanes_.end();
}

void IoThreads::run(size_t index) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals belong to the main thread
  pthread_setname_np(pthread_self(), ("sluice-io-" + std::to_string(index)).c_str());
  sys::count_into(&counts_[index]);
  std::unique_lock lock(mutex_);
  for (;;) {
    auto place = lanes_.end();
    ready_.wait(lock, [&] { return (place = next_lane()) != lanes_.end() || stopping_; });
    if (place == lanes_.end()) return;
    Lane& lane = place->second;
    ++lane.running;
    {
      const Job job = std::move(lane.jobs.front());
      lane.jobs.pop_front();
      lock.unlock();
      job();
      done_.fetch_add(1, std::memory_order_relaxed);
    }  // what the job holds is let go outside the lock
    lock.lock();
    if (--lane.running == 0 && lane.jobs.empty()) lanes_.erase(place);
  }
}

}  // namespace sluice::net
