// Who reads the upstream of a feed: the worker that the first client came to, until the last one
// has left. Any thread; its lock is held for a few instructions, when a client comes or goes.
#pragma once

#include <cstdint>
#include <mutex>

namespace sluice::worker {

class FeedSeat {
 public:
  struct Place {
    uint64_t epoch = 0;        ///< counts those who read
    bool has_to_read = false;  ///< nobody did: it is for the caller now
  };

  /// A client has come, to that worker.
  Place enter(uint32_t worker) {
    const std::lock_guard lock(mutex_);
    ++clients_;
    const bool has_to_read = reader_ < 0;
    if (has_to_read) {
      reader_ = worker;
      ++epoch_;
    }
    return {epoch_, has_to_read};
  }

  /// One has left. The worker that reads, if that was the last one; else -1.
  int64_t leave() {
    const std::lock_guard lock(mutex_);
    return --clients_ == 0 ? reader_ : -1;
  }

  /// Whoever reads stops if there is no client. False: there is one.
  bool leave_if_empty() {
    const std::lock_guard lock(mutex_);
    if (clients_ > 0) return false;
    reader_ = -1;
    return true;
  }

  /// Whoever reads stops: the next client is for somebody else.
  void give_up() {
    const std::lock_guard lock(mutex_);
    reader_ = -1;
  }

 private:
  std::mutex mutex_;
  uint64_t clients_ = 0;
  uint64_t epoch_ = 0;
  int64_t reader_ = -1;
};

}  // namespace sluice::worker
