// Token buckets of clients, over all workers of a gateway: one table of fixed size, of atomics
// alone, so that no worker ever waits for another. Any thread.
//
// A bucket is kept as the time at which it will be full again (the "theoretical arrival time" of
// GCRA, ITU-T I.371): one number, changed by one compare-and-swap. A bucket that is full is the
// same as none, so an entry whose time has passed makes room for another without a loss. Its word
// holds 32 bits of the key's hash; with those that choose the set they are 48 and more, seeded, so
// that nobody can choose a key that shares somebody else's bucket.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice {

/// Of one rule, in ticks of the table.
struct RateRule {
  uint32_t interval = 1;  ///< one token more in so many ticks
  uint32_t capacity = 1;  ///< tokens of a full bucket
};

class RateTable {
 public:
  /// The clock of the table: fine enough for ten thousand tokens a second, and wide enough for a
  /// bucket that fills in a day.
  static constexpr int64_t kTickUs = 64;
  static constexpr size_t kWays = 8;  ///< of a set: one cache line

  struct Taken {
    bool is_allowed = false;
    uint32_t left = 0;        ///< tokens in the bucket now
    int64_t full_in_us = 0;   ///< until it is full again
    int64_t retry_in_us = 0;  ///< until there is a token, when there was none
  };

  /// `sets` is a power of two; the table holds kWays times as many buckets.
  explicit RateTable(size_t sets);

  /// Takes one token of the bucket whose key has this hash.
  Taken take(uint64_t hash, const RateRule& rule, int64_t now_us);

  /// Buckets that were forgotten before they were full, because their set had no room.
  uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) Set {
    std::array<std::atomic<uint64_t>, kWays> words{};
  };
  enum class Outcome : uint8_t { taken, refused, lost_race };

  Outcome take_from(std::atomic<uint64_t>& word, uint64_t seen, uint32_t tag, const RateRule& rule,
                    uint32_t now, Taken& taken);
  static std::atomic<uint64_t>* find(Set& set, uint32_t tag, uint32_t now, uint64_t& seen);
  std::atomic<uint64_t>& room_in(Set& set, uint32_t now, uint64_t& seen);

  size_t mask_;
  std::unique_ptr<Set[]> sets_;
  std::atomic<uint64_t> evicted_{0};
};

}  // namespace sluice
