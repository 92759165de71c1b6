// Token buckets: what a client gets at once and after a while, that several threads together get no
// more, and what happens when the table is full.
#include "core/rate_table.h"

#include <atomic>
#include <thread>
#include <vector>

#include "testing.h"

namespace {

using sluice::RateRule;
using sluice::RateTable;

constexpr int64_t kTick = RateTable::kTickUs;
constexpr RateRule kRule{1000, 5};  // one more in 64 ms, five at once
constexpr RateRule kWide{1000, 10'000};
constexpr int64_t kNow = 1'000'000'000;

int take_all(RateTable& table, uint64_t hash, const RateRule& rule, int64_t now_us) {
  int taken = 0;
  while (table.take(hash, rule, now_us).is_allowed) ++taken;
  return taken;
}

}  // namespace

TEST(a_fresh_client_gets_a_full_bucket_and_no_more) {
  RateTable table(16);
  CHECK_EQ(take_all(table, 77, kRule, kNow), 5);
  const RateTable::Taken refused = table.take(77, kRule, kNow);
  CHECK(!refused.is_allowed);
  CHECK_EQ(refused.retry_in_us, 1000 * kTick);
  CHECK_EQ(refused.full_in_us, 5000 * kTick);
}

TEST(tokens_come_back_one_by_one) {
  RateTable table(16);
  take_all(table, 77, kRule, kNow);
  CHECK_EQ(take_all(table, 77, kRule, kNow + 999 * kTick), 0);
  CHECK_EQ(take_all(table, 77, kRule, kNow + 1000 * kTick), 1);
  CHECK_EQ(take_all(table, 77, kRule, kNow + 3000 * kTick), 2);
  CHECK_EQ(take_all(table, 77, kRule, kNow + 100'000 * kTick), 5);
}

TEST(a_refused_request_costs_nothing) {
  RateTable table(16);
  take_all(table, 77, kRule, kNow);
  for (int i = 0; i < 100; ++i) table.take(77, kRule, kNow + 10 * kTick);
  CHECK_EQ(take_all(table, 77, kRule, kNow + 1000 * kTick), 1);
}

TEST(clients_of_one_set_do_not_share_a_bucket) {
  RateTable table(1);
  for (uint64_t client = 0; client < RateTable::kWays; ++client) {
    CHECK_EQ(take_all(table, (client * 2 + 1) << 32, kRule, kNow), 5);
  }
  CHECK_EQ(table.evicted(), 0u);
}

TEST(a_full_table_forgets_the_bucket_that_is_nearest_to_full) {
  RateTable table(1);
  for (uint64_t client = 0; client < RateTable::kWays; ++client) {
    const int tokens = client == 3 ? 1 : 5;
    for (int i = 0; i < tokens; ++i) table.take((client * 2 + 1) << 32, kRule, kNow);
  }
  CHECK_EQ(take_all(table, uint64_t{101} << 32, kRule, kNow), 5);
  CHECK_EQ(table.evicted(), 1u);
  CHECK_EQ(take_all(table, uint64_t{1} << 32, kRule, kNow), 0);
}

TEST(buckets_that_are_full_make_room_without_a_loss) {
  RateTable table(1);
  for (uint64_t client = 0; client < 1000; ++client) {
    const int64_t now = kNow + static_cast<int64_t>(client) * 5000 * kTick;
    CHECK_EQ(take_all(table, (client * 2 + 1) << 32, kRule, now), 5);
  }
  CHECK_EQ(table.evicted(), 0u);
}

TEST(a_client_of_days_ago_is_a_fresh_one) {
  RateTable table(16);
  take_all(table, 77, kRule, kNow);
  constexpr int64_t kHour = 3'600'000'000;
  for (int64_t hours : {20, 40, 60, 76, 77, 100}) {
    take_all(table, 77, kRule, kNow);
    CHECK_EQ(take_all(table, 77, kRule, kNow + hours * kHour), 5);
  }
}

TEST(threads_together_get_no_more_than_one_bucket) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 20; ++round) {
    RateTable table(16);
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&table, &taken] {
        int own = 0;
        for (int n = 0; n < 5'000; ++n) own += table.take(77, kWide, kNow).is_allowed ? 1 : 0;
        taken += own;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK_EQ(taken.load(), 10'000);
  }
}
