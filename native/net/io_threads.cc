// The queue of the I/O threads. Runs on them, except post() and the counters (any thread).
// The lock is held only to take or leave a job, never while one runs. A thread that ends a job
// looks for the next one itself, so a lane that was at its limit goes on without being woken.
// Threads that were started because others hang stay: they cost a stack each, and are few.
#include "net/io_threads.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <string>
#include <system_error>

namespace sluice::net {

IoThreads::IoThreads(size_t threads, size_t capacity, size_t most)
    : capacity_(capacity), most_(std::max<size_t>({threads, most, 1})) {
  threads = std::max<size_t>(threads, 1);
  counts_ = std::make_unique<sys::SyscallCounts[]>(most_);
  const std::lock_guard lock(mutex_);  // they begin when all are there and the limit is known
  start(threads);
  lane_limit_ = std::max<size_t>(workers_.size(), 2) - 1;
}

void IoThreads::start(size_t threads) {
  workers_.reserve(most_);
  for (size_t i = 0; i < threads; ++i) {
    try {
      start_one();
    } catch (const std::system_error&) {
      if (workers_.empty()) throw;  // at start, to whoever creates the gateway
      return;
    }
  }
}

void IoThreads::start_one() {
  workers_.emplace_back([this, index = workers_.size()] { run(index); });
  ++idle_;  // from now on, so that nobody starts another one for the same job
}

/// Under the lock. When more lanes wait for their first thread than there are threads that could
/// take them, others hold those, perhaps for ever: one more is started, within the bound.
void IoThreads::help_stranded() {
  if (stopping_ || workers_.size() >= most_) return;
  size_t without = 0;
  for (const auto& [number, lane] : lanes_) without += lane.running == 0 ? 1 : 0;
  if (without <= idle_) return;
  try {
    start_one();
  } catch (const std::system_error&) {
    // The system has no more: the lane waits for one of those that there are.
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
    help_stranded();
  }
  ready_.notify_one();
  return true;
}

size_t IoThreads::threads() const {
  const std::lock_guard lock(mutex_);
  return workers_.size();
}

size_t IoThreads::waiting() const {
  const std::lock_guard lock(mutex_);
  size_t sum = 0;
  for (const auto& [number, lane] : lanes_) sum += lane.jobs.size();
  return sum;
}

std::array<uint64_t, sys::kCallCount> IoThreads::syscalls() const {
  std::array<uint64_t, sys::kCallCount> sums{};
  for (size_t thread = 0, count = threads(); thread < count; ++thread) {
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
    --idle_;
    Lane& lane = place->second;
    ++lane.running;
    help_stranded();  // it may have taken what was meant for a lane that has none
    {
      const Job job = std::move(lane.jobs.front());
      lane.jobs.pop_front();
      lock.unlock();
      job();
      done_.fetch_add(1, std::memory_order_relaxed);
    }  // what the job holds is let go outside the lock
    lock.lock();
    ++idle_;
    if (--lane.running == 0 && lane.jobs.empty()) lanes_.erase(place);
  }
}

}  // namespace sluice::net
