// A latency histogram with log-linear buckets: one per microsecond below 4, then 4 per power of two
// up to about 4 minutes, so the middle of a bucket is within 12.5 % of all that it holds. Written
// by one thread with plain stores, read by any other with relaxed loads.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sluice {

class Histogram {
 public:
  static constexpr size_t kPerOctave = 4;
  static constexpr size_t kOctaves = 27;
  static constexpr size_t kBuckets = kPerOctave * kOctaves;

  /// One observation, in microseconds. The owning thread only.
  void add(uint64_t us);

  /// Bucket of a value, and the largest value (inclusive, µs) that a bucket holds: the last one
  /// holds everything beyond, its bound is UINT64_MAX.
  static size_t bucket_of(uint64_t us);
  static uint64_t upper_us(size_t bucket);

  /// Forgets all. The owning thread only.
  void clear() {
    for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
    sum_us_.store(0, std::memory_order_relaxed);
  }

  uint64_t count_at(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint32_t>, kBuckets> counts_{};
  std::atomic<uint64_t> sum_us_{0};
};

}  // namespace sluice
