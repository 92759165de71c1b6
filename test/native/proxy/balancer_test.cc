// The rules of choice: shares by weight, the less busy, consistent hashing with bounded loads,
// cookies, backups, ejected targets and their trials, slow start.
#include "proxy/balancer.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "testing.h"

namespace {

using sluice::Ref;
using sluice::proxy::Balancer;
using sluice::proxy::Selection;
using sluice::proxy::sticky_number;
using sluice::proxy::Target;
using sluice::proxy::TargetEntry;
using sluice::proxy::TargetSet;
using sluice::route::Balance;
using sluice::route::TargetConfig;
using sluice::route::TargetState;
using sluice::route::Upstream;

constexpr int64_t kNow = 1'000'000'000;

struct Given {
  uint32_t weight = 1;
  bool is_backup = false;
  TargetState state = TargetState::up;
  uint32_t max_connections = 0;
};

TargetEntry entry_of(uint64_t id, const Given& given) {
  TargetConfig config;
  config.id = id;
  config.address.host = "10.0.0." + std::to_string(id);
  config.address.port = 80;
  return {sluice::make_ref<Target>(config), given.weight, given.max_connections, given.is_backup,
          given.state};
}

TargetSet set_of(const std::vector<Given>& all) {
  std::vector<TargetEntry> entries;
  for (size_t i = 0; i < all.size(); ++i) entries.push_back(entry_of(i + 1, all[i]));
  return TargetSet(std::move(entries));
}

Upstream rule(Balance balance) {
  Upstream config;
  config.balance = balance;
  config.failures = 3;
  config.eject_ms = 10'000;
  return config;
}

/// How often each was chosen.
std::vector<int> counts(const Upstream& config, const TargetSet& set, int rounds) {
  Balancer balancer(7);
  std::vector<int> chosen(set.entries.size());
  for (int round = 0; round < rounds; ++round) {
    const int index = balancer.choose(config, set, {}, kNow);
    if (index >= 0) ++chosen[static_cast<size_t>(index)];
  }
  return chosen;
}

void fail(const TargetSet& set, size_t index, const Upstream& config, int64_t now_us = kNow) {
  for (int n = 0; n < 3; ++n) set.entries[index].target->failed(config, now_us);
}

TEST(balancer_shares_by_weight_under_every_rule) {
  const TargetSet set = set_of({{1}, {2}, {5}});
  // Exact for round-robin; by chance otherwise, with a seed that never changes.
  const std::vector<int> exact = counts(rule(Balance::round_robin), set, 800);
  CHECK_EQ(exact[0], 100);
  CHECK_EQ(exact[1], 200);
  CHECK_EQ(exact[2], 500);
  const std::vector<int> random = counts(rule(Balance::sticky), set, 8000);
  CHECK(random[0] > 500 && random[1] > random[0] && random[2] > random[1]);
}

TEST(balancer_round_robin_never_repeats_itself_among_equals) {
  const TargetSet set = set_of({{}, {}, {}});
  const Upstream config = rule(Balance::round_robin);
  Balancer balancer;
  for (int round = 0; round < 10; ++round) {
    std::map<int, int> seen;
    for (int n = 0; n < 3; ++n) ++seen[balancer.choose(config, set, {}, kNow)];
    CHECK_EQ(seen.size(), 3);
  }
}

TEST(balancer_least_connections_goes_to_the_least_busy_by_weight) {
  const TargetSet set = set_of({{1}, {1}, {4}});
  const Upstream config = rule(Balance::least_connections);
  Balancer balancer;
  std::vector<uint32_t> active(3);
  for (int n = 0; n < 60; ++n) {
    const int index = balancer.choose(config, set, {}, kNow);
    REQUIRE(index >= 0);
    ++active[static_cast<size_t>(index)];
    set.entries[static_cast<size_t>(index)].target->active.fetch_add(1);
  }
  CHECK_EQ(active[0], 10);
  CHECK_EQ(active[1], 10);
  CHECK_EQ(active[2], 40);
}

TEST(balancer_random_two_avoids_the_busier) {
  const TargetSet set = set_of({{}, {}});
  set.entries[0].target->active = 5;
  const std::vector<int> chosen = counts(rule(Balance::random_two), set, 100);
  CHECK_EQ(chosen[0], 0);
  CHECK_EQ(chosen[1], 100);
}

std::vector<int> places(const TargetSet& set, int keys) {
  const Upstream config = rule(Balance::hash);
  Balancer balancer;
  std::vector<int> chosen;
  for (int key = 0; key < keys; ++key) {
    Selection selection;
    selection.hash = static_cast<uint64_t>(key) * 0x9e3779b97f4a7c15ULL;
    chosen.push_back(balancer.choose(config, set, selection, kNow));
  }
  return chosen;
}

TEST(balancer_hash_keeps_places_when_a_target_goes) {
  const TargetSet before = set_of({{}, {}, {}, {}, {}});
  std::vector<TargetEntry> left(before.entries.begin(), before.entries.end() - 1);
  const TargetSet after{std::move(left)};
  const std::vector<int> was = places(before, 5000), is = places(after, 5000);
  CHECK(was == places(before, 5000));
  int moved = 0;
  for (size_t key = 0; key < was.size(); ++key) {
    if (was[key] != 4) CHECK_EQ(was[key], is[key]);
    moved += was[key] != is[key];
  }
  CHECK(moved > 500 && moved < 1700);
}

TEST(balancer_hash_passes_by_who_is_ejected_and_moves_nobody_else) {
  const TargetSet set = set_of({{}, {}, {}, {}});
  const std::vector<int> was = places(set, 2000);
  fail(set, 2, rule(Balance::hash));
  const std::vector<int> is = places(set, 2000);
  for (size_t key = 0; key < was.size(); ++key) {
    if (was[key] != 2) CHECK_EQ(was[key], is[key]);
    CHECK(is[key] != 2);
  }
}

TEST(balancer_hash_bounds_what_one_key_brings) {
  const TargetSet set = set_of({{}, {}, {}, {}});
  const Upstream config = rule(Balance::hash);
  Balancer balancer;
  Selection selection;
  selection.hash = 42;
  for (int n = 0; n < 400; ++n) {
    const int index = balancer.choose(config, set, selection, kNow);
    REQUIRE(index >= 0);
    set.entries[static_cast<size_t>(index)].target->active.fetch_add(1);
  }
  for (const TargetEntry& entry : set.entries) CHECK(entry.target->active.load() <= 126);
}

TEST(balancer_hash_shares_by_weight_also_when_weights_are_large) {
  const TargetSet set = set_of({{100}, {200}});
  const std::vector<int> chosen = places(set, 10'000);
  const auto second = std::ranges::count(chosen, 1);
  CHECK(second > 6000 && second < 7400);
}

TEST(balancer_cookie_holds_while_its_target_can) {
  const TargetSet set = set_of({{}, {}, {}});
  const Upstream config = rule(Balance::sticky);
  Balancer balancer;
  Selection selection;
  selection.stuck_to = sticky_number(*set.entries[1].target);
  for (int n = 0; n < 50; ++n) CHECK_EQ(balancer.choose(config, set, selection, kNow), 1);
  fail(set, 1, config);
  for (int n = 0; n < 50; ++n) CHECK(balancer.choose(config, set, selection, kNow) != 1);
  selection.stuck_to = 12345;  // of nobody
  CHECK(balancer.choose(config, set, selection, kNow) >= 0);
}

TEST(balancer_backups_serve_only_when_nobody_else_can) {
  const TargetSet set = set_of({{}, {1, true}});
  const Upstream config = rule(Balance::random_two);
  CHECK_EQ(counts(config, set, 50)[1], 0);
  fail(set, 0, config);
  CHECK_EQ(counts(config, set, 50)[1], 50);
  const TargetSet down = set_of({{1, false, TargetState::down}, {1, true}});
  CHECK_EQ(counts(config, down, 50)[1], 50);
}

TEST(balancer_a_backup_is_not_tried_while_others_are_well) {
  const TargetSet set = set_of({{}, {1, true}});
  const Upstream config = rule(Balance::random_two);
  fail(set, 1, config);
  Balancer balancer;
  const int64_t later = kNow + 11'000'000;
  for (int n = 0; n < 10; ++n) CHECK_EQ(balancer.choose(config, set, {}, later), 0);
}

TEST(balancer_tries_an_ejected_target_once_its_time_is_over) {
  const TargetSet set = set_of({{}, {}});
  const Upstream config = rule(Balance::round_robin);
  Balancer balancer;
  fail(set, 0, config);
  for (int n = 0; n < 10; ++n) CHECK_EQ(balancer.choose(config, set, {}, kNow), 1);
  const int64_t later = kNow + 10'000'001;
  CHECK_EQ(balancer.choose(config, set, {}, later), 0);
  // One request at a time.
  for (int n = 0; n < 10; ++n) CHECK_EQ(balancer.choose(config, set, {}, later), 1);
  set.entries[0].target->failed(config, later);
  for (int n = 0; n < 10; ++n) CHECK_EQ(balancer.choose(config, set, {}, later + 9'000'000), 1);
  const int64_t again = later + 10'000'001;
  CHECK_EQ(balancer.choose(config, set, {}, again), 0);
  set.entries[0].target->succeeded(again);
  std::vector<int> both(2);
  for (int n = 0; n < 10; ++n) {
    ++both[static_cast<size_t>(balancer.choose(config, set, {}, again + 1))];
  }
  CHECK_EQ(both[0], 5);
}

TEST(balancer_chooses_the_ejected_rather_than_nobody) {
  const TargetSet set = set_of({{}, {}});
  const Upstream config = rule(Balance::random_two);
  fail(set, 0, config);
  fail(set, 1, config);
  Balancer balancer;
  CHECK(balancer.choose(config, set, {}, kNow) >= 0);
}

TEST(balancer_chooses_nobody_when_all_are_ejected_and_it_fails_fast) {
  const TargetSet set = set_of({{}, {1, true}});
  Upstream config = rule(Balance::random_two);
  config.fails_fast = true;
  fail(set, 0, config);
  fail(set, 1, config);
  Balancer balancer;
  CHECK_EQ(balancer.choose(config, set, {}, kNow), -1);
  CHECK(!Balancer::has_other(config, set, {}, kNow));
  // Then one of them is tried by one request.
  const int64_t later = kNow + 10'000'001;
  const int first = balancer.choose(config, set, {}, later);
  CHECK(first >= 0 && balancer.chose_trial());
  set.entries[static_cast<size_t>(first)].target->answered(later);
  CHECK_EQ(balancer.choose(config, set, {}, later), first);
  CHECK(!balancer.chose_trial());
}

TEST(balancer_knows_whether_there_is_another_target) {
  const TargetSet set = set_of({{}, {1, false, TargetState::down}, {1, true, TargetState::up, 1}});
  set.entries[2].target->active = 1;
  const Upstream config = rule(Balance::round_robin);
  const Target* one[] = {set.entries[0].target.get()};
  // Full now: it may have room later.
  CHECK(Balancer::has_other(config, set, {.tried = one}, kNow));
  const Target* both[] = {set.entries[0].target.get(), set.entries[2].target.get()};
  CHECK(!Balancer::has_other(config, set, {.tried = both}, kNow));
}

TEST(balancer_never_chooses_who_is_down_draining_full_or_was_tried) {
  const TargetSet set = set_of({{1, false, TargetState::down},
                                {1, false, TargetState::draining},
                                {1, false, TargetState::up, 2},
                                {}});
  set.entries[2].target->active = 2;
  for (const Balance balance : {Balance::random_two, Balance::round_robin,
                                Balance::least_connections, Balance::hash, Balance::sticky}) {
    const Upstream config = rule(balance);
    CHECK_EQ(counts(config, set, 20)[3], 20);
    const Target* tried[] = {set.entries[3].target.get()};
    Selection selection;
    selection.tried = tried;
    Balancer balancer;
    CHECK_EQ(balancer.choose(config, set, selection, kNow), -1);
  }
  const TargetSet nobody = set_of({});
  Balancer balancer;
  CHECK_EQ(balancer.choose(rule(Balance::hash), nobody, {}, kNow), -1);
}

TEST(balancer_slow_start_gives_a_growing_share) {
  const TargetSet set = set_of({{}, {}});
  Upstream config = rule(Balance::round_robin);
  config.slow_start_ms = 10'000;
  set.entries[0].target->since_us = kNow;
  int last = -1;
  for (const int64_t after_ms : {0, 3'000, 6'000, 10'001}) {
    Balancer balancer;
    int chosen = 0;
    for (int n = 0; n < 220; ++n) {
      chosen += balancer.choose(config, set, {}, kNow + after_ms * 1000) == 0;
    }
    CHECK(chosen > last);
    last = chosen;
  }
  CHECK_EQ(last, 110);
}

}  // namespace
