// Words are tag << 32 | time in ticks, which wraps after three days: times are compared as
// differences, and one further in the future than a bucket can be is that of a client who came days
// ago.
#include "core/rate_table.h"

#include <algorithm>

namespace sluice {
namespace {

/// Ticks of 25 hours, longer than any bucket takes to fill: times further ahead are long past.
constexpr uint32_t kLongest = 25ULL * 3'600 * 1'000'000 / RateTable::kTickUs;

uint32_t tag_of(uint64_t word) { return static_cast<uint32_t>(word >> 32); }

/// Ticks until the bucket of `word` is full; 0: it is, or nobody has it.
uint32_t left_until_full(uint64_t word, uint32_t now, uint32_t most) {
  const auto ahead = static_cast<int32_t>(static_cast<uint32_t>(word) - now);
  return word == 0 || ahead <= 0 || static_cast<uint32_t>(ahead) > most
             ? 0
             : static_cast<uint32_t>(ahead);
}

}  // namespace

RateTable::RateTable(size_t sets) : mask_(sets - 1), sets_(std::make_unique<Set[]>(sets)) {}

RateTable::Outcome RateTable::take_from(std::atomic<uint64_t>& word, uint64_t seen, uint32_t tag,
                                        const RateRule& rule, uint32_t now, Taken& taken) {
  const uint32_t most = rule.interval * rule.capacity;
  // More than a full bucket's time is what a clock that wrapped says, or a merge: at most a little.
  const uint32_t ahead = tag_of(seen) == tag ? left_until_full(seen, now, kLongest) : 0;
  const uint32_t until_full = ahead > 2 * most ? 0 : std::min(ahead, most);
  const uint32_t after = until_full + rule.interval;
  taken.is_allowed = after <= most;
  if (!taken.is_allowed) {
    taken.left = 0;
    taken.full_in_us = until_full * kTickUs;
    taken.retry_in_us = (after - most) * kTickUs;
    return Outcome::refused;
  }
  const uint64_t next = static_cast<uint64_t>(tag) << 32 | static_cast<uint32_t>(now + after);
  if (!word.compare_exchange_strong(seen, next, std::memory_order_relaxed)) {
    return Outcome::lost_race;
  }
  taken.left = (most - after) / rule.interval;
  taken.full_in_us = after * kTickUs;
  return Outcome::taken;
}

/// A word that nobody needs, or else the one whose bucket is nearest to full.
std::atomic<uint64_t>& RateTable::room_in(Set& set, uint32_t now, uint64_t& seen) {
  std::atomic<uint64_t>* best = nullptr;
  uint32_t least = UINT32_MAX;
  for (std::atomic<uint64_t>& word : set.words) {
    const uint64_t found = word.load(std::memory_order_relaxed);
    const uint32_t left = left_until_full(found, now, kLongest);
    if (best != nullptr && left >= least) continue;
    best = &word;
    least = left;
    seen = found;
    if (left == 0) break;
  }
  if (least > 0) evicted_.fetch_add(1, std::memory_order_relaxed);
  return *best;
}

/// The word that has this tag; null: none. Workers that met a new client at the very moment at
/// which another's bucket became full may have made two: the first one takes over what the other
/// counts.
std::atomic<uint64_t>* RateTable::find(Set& set, uint32_t tag, uint32_t now, uint64_t& seen) {
  std::atomic<uint64_t>* own = nullptr;
  for (std::atomic<uint64_t>& word : set.words) {
    uint64_t found = word.load(std::memory_order_relaxed);
    if (tag_of(found) != tag) continue;
    if (own == nullptr) {
      own = &word;
      seen = found;
    } else if (word.compare_exchange_strong(found, 0, std::memory_order_relaxed)) {
      const uint32_t more = left_until_full(found, now, kLongest);
      uint64_t merged;
      do {
        const uint32_t until_full = left_until_full(seen, now, kLongest) + more;
        merged = static_cast<uint64_t>(tag) << 32 | static_cast<uint32_t>(now + until_full);
      } while (!own->compare_exchange_strong(seen, merged, std::memory_order_relaxed) &&
               tag_of(seen) == tag);
      seen = own->load(std::memory_order_relaxed);
    }
  }
  return own != nullptr && tag_of(seen) == tag ? own : nullptr;
}

RateTable::Taken RateTable::take(uint64_t hash, const RateRule& rule, int64_t now_us) {
  Taken taken;
  Set& set = sets_[hash & mask_];
  const uint32_t tag = static_cast<uint32_t>(hash >> 32) | 1U;  // never 0, which is nobody's
  const auto now = static_cast<uint32_t>(now_us / kTickUs);
  for (;;) {
    uint64_t seen = 0;
    std::atomic<uint64_t>* own = find(set, tag, now, seen);
    if (own == nullptr) own = &room_in(set, now, seen);
    if (take_from(*own, seen, tag, rule, now, taken) != Outcome::lost_race) return taken;
  }
}

}  // namespace sluice
