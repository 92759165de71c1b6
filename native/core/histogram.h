// A latency histogram with log-linear buckets: 4 per power of two from 1 µs to about 70 s, written
// by one thread with plain stores, read by any other with relaxed loads. 12 % resolution.
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

  /// Bucket of a value, and the largest value (inclusive, µs) that a bucket holds.
  static size_t bucket_of(uint64_t us);
  static uint64_t upper_us(size_t bucket);

  uint64_t count_at(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint32_t>, kBuckets> counts_{};
  std::atomic<uint64_t> sum_us_{0};
};

}  // namespace sluice
