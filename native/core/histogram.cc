// The arithmetic of the buckets. Values below 4 have a bucket each; from there on the two bits
// after the leading one pick the quarter of the octave.
#include "core/histogram.h"

#include <algorithm>
#include <bit>

namespace sluice {
namespace {

constexpr size_t kQuarterBits = 2;
static_assert(Histogram::kPerOctave == size_t{1} << kQuarterBits);

}  // namespace

void Histogram::add(uint64_t us) {
  auto& count = counts_[bucket_of(us)];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  sum_us_.store(sum_us_.load(std::memory_order_relaxed) + us, std::memory_order_relaxed);
}

size_t Histogram::bucket_of(uint64_t us) {
  if (us < kPerOctave) return us;
  const size_t octave = static_cast<size_t>(std::bit_width(us)) - 1;
  const size_t quarter = (us >> (octave - kQuarterBits)) % kPerOctave;
  return std::min((octave - kQuarterBits + 1) * kPerOctave + quarter, kBuckets - 1);
}

uint64_t Histogram::upper_us(size_t bucket) {
  if (bucket >= kBuckets - 1) return UINT64_MAX;
  if (bucket < kPerOctave) return bucket;
  const size_t shift = bucket / kPerOctave - 1;
  return ((kPerOctave + bucket % kPerOctave + 1) << shift) - 1;
}

}  // namespace sluice
