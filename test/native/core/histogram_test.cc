// The bounds of the latency histogram's buckets, and what it counts: every value is within the
// bounds of its bucket, and no bucket is wider than its resolution promises.
#include "core/histogram.h"

#include <memory>
#include <random>

#include "testing.h"

namespace {

using sluice::Histogram;

void check_bucket(uint64_t value) {
  const testing::Context context(std::to_string(value) + " us");
  const size_t bucket = Histogram::bucket_of(value);
  REQUIRE(bucket < Histogram::kBuckets);
  CHECK(value <= Histogram::upper_us(bucket));
  if (bucket > 0) CHECK(value > Histogram::upper_us(bucket - 1));
}

TEST(every_value_lies_within_the_bounds_of_its_bucket) {
  for (uint64_t value = 0; value < 100'000; ++value) check_bucket(value);
  for (unsigned bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t value : {power - 1, power, power + 1}) check_bucket(value);
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) check_bucket(random() >> (random() % 64));
}

TEST(bounds_rise_and_are_at_most_a_quarter_apart) {
  for (size_t bucket = 1; bucket < Histogram::kBuckets; ++bucket) {
    const uint64_t below = Histogram::upper_us(bucket - 1);
    const uint64_t bound = Histogram::upper_us(bucket);
    CHECK(bound > below);
    // A bucket is no wider than a quarter of the smallest value in it.
    const bool narrow = bound - below <= 1 || (bound - below) * 4 <= below + 1;
    if (bucket + 1 < Histogram::kBuckets) CHECK(narrow);
  }
  CHECK_EQ(Histogram::upper_us(Histogram::kBuckets - 1), UINT64_MAX);
  const uint64_t last = Histogram::upper_us(Histogram::kBuckets - 2);
  CHECK(last > 70'000'000 && last < 300'000'000);
}

TEST(histogram_counts_and_sums) {
  const auto histogram = std::make_unique<Histogram>();
  for (const uint64_t value : {0, 1, 5, 5, 1'000}) histogram->add(value);
  histogram->add(uint64_t{1} << 60);
  CHECK_EQ(histogram->count_at(Histogram::bucket_of(0)), 1);
  CHECK_EQ(histogram->count_at(Histogram::bucket_of(5)), 2);
  CHECK_EQ(histogram->count_at(Histogram::kBuckets - 1), 1);
  CHECK_EQ(histogram->sum_us(), (uint64_t{1} << 60) + 1'011);
}

}  // namespace
