// Passive checks of a target (failures in a row, a part of a window), and sets that keep what is
// counted while they are replaced.
#include "proxy/target.h"

#include <string>
#include <vector>

#include "testing.h"

namespace {

using sluice::Ref;
using sluice::proxy::Circuit;
using sluice::proxy::Target;
using sluice::proxy::TargetSet;
using sluice::proxy::TargetTable;
using sluice::route::TargetConfig;
using sluice::route::TargetState;
using sluice::route::Upstream;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kNow = 1000 * kSecond;

TargetConfig config_of(uint64_t id, TargetState state = TargetState::up) {
  TargetConfig config;
  config.id = id;
  config.address.host = "10.0.0." + std::to_string(id);
  config.address.port = 80;
  config.state = state;
  return config;
}

Upstream rules(uint32_t failures, uint32_t percent) {
  Upstream upstream;
  upstream.failures = failures;
  upstream.failure_percent = percent;
  upstream.eject_ms = 10'000;
  return upstream;
}

TEST(target_is_ejected_after_failures_in_a_row_only) {
  const Upstream upstream = rules(3, 0);
  Target target(config_of(1));
  for (int n = 0; n < 20; ++n) {
    target.failed(upstream, kNow);
    target.failed(upstream, kNow);
    CHECK(!target.is_ejected(kNow));
    target.succeeded(kNow);
  }
  for (int n = 0; n < 3; ++n) target.failed(upstream, kNow);
  CHECK(target.is_ejected(kNow));
  CHECK(!target.may_try(kNow + 9 * kSecond));
  CHECK(target.may_try(kNow + 11 * kSecond));
  CHECK(!target.may_try(kNow + 11 * kSecond));
  target.succeeded(kNow + 11 * kSecond);
  CHECK(!target.is_ejected(kNow + 11 * kSecond));
  CHECK_EQ(target.since_us.load(), kNow + 11 * kSecond);
}

TEST(target_one_failure_on_trial_ejects_again) {
  const Upstream upstream = rules(3, 0);
  Target target(config_of(1));
  for (int n = 0; n < 3; ++n) target.failed(upstream, kNow);
  CHECK(target.may_try(kNow + 11 * kSecond));
  target.failed(upstream, kNow + 11 * kSecond);
  CHECK(!target.may_try(kNow + 20 * kSecond));
  CHECK(target.may_try(kNow + 22 * kSecond));
}

TEST(target_circuit_closes_with_an_answer_and_not_before) {
  const Upstream upstream = rules(2, 0);
  Target target(config_of(1));
  CHECK(target.circuit(kNow) == Circuit::closed);
  target.failed(upstream, kNow);
  target.failed(upstream, kNow);
  CHECK(target.circuit(kNow) == Circuit::open);
  // A request that was under way when it opened.
  target.succeeded(kNow + kSecond);
  CHECK(target.circuit(kNow + kSecond) == Circuit::open);
  const int64_t later = kNow + 10 * kSecond;
  CHECK(target.circuit(later) == Circuit::half_open);
  CHECK(target.is_ejected(later));
  // One request at a time, for as long as it takes; whoever gave up makes room for the next.
  CHECK(target.may_try(later));
  CHECK(!target.may_try(later + 100 * kSecond));
  target.end_trial();
  CHECK(target.may_try(later + 100 * kSecond));
  target.answered(later + 101 * kSecond);
  CHECK(target.circuit(later + 101 * kSecond) == Circuit::closed);
  // What failed before does not count any more.
  target.failed(upstream, later + 102 * kSecond);
  CHECK(target.circuit(later + 102 * kSecond) == Circuit::closed);
}

TEST(target_is_ejected_for_a_part_of_many_requests) {
  const Upstream upstream = rules(0, 50);
  Target few(config_of(1));
  for (int n = 0; n < 19; ++n) few.failed(upstream, kNow);
  CHECK(!few.is_ejected(kNow));
  Target half(config_of(2));
  half.failed(upstream, kNow);
  for (int n = 0; n < 12; ++n) half.succeeded(kNow);
  for (int n = 0; n < 10; ++n) half.failed(upstream, kNow);
  CHECK(!half.is_ejected(kNow));
  for (int n = 0; n < 2; ++n) half.failed(upstream, kNow);
  CHECK(half.is_ejected(kNow));
}

TEST(target_is_never_ejected_when_nothing_is_looked_at) {
  Target target(config_of(1));
  for (int n = 0; n < 1000; ++n) target.failed(rules(0, 0), kNow);
  CHECK(!target.is_ejected(kNow));
  CHECK_EQ(target.failures.load(), 1000);
}

TEST(target_table_keeps_targets_by_id) {
  Upstream upstream = rules(3, 0);
  upstream.targets = {config_of(1), config_of(2)};
  TargetTable table({upstream});
  const Ref<const TargetSet> before = table.current(0);
  before->entries[0].target->requests = 7;
  const Ref<const TargetSet> after = table.replace(0, {config_of(3), config_of(1)});
  CHECK_EQ(after->entries.size(), 2);
  CHECK(after->entries[1].target.get() == before->entries[0].target.get());
  CHECK_EQ(after->entries[1].target->requests.load(), 7);
  // Who was there goes on with its whole share; who is new begins.
  CHECK_EQ(after->entries[1].target->since_us.load(), 0);
  CHECK(after->entries[0].target->since_us.load() > 0);
  table.replace(0, {config_of(1, TargetState::down)});
  const Ref<const TargetSet> back = table.replace(0, {config_of(1)});
  CHECK(back->entries[0].target->since_us.load() > 0);
}

TEST(target_names_are_addresses) {
  TargetConfig v6 = config_of(1);
  v6.address.host = "2001:db8::1";
  CHECK_EQ(Target(v6).name, "[2001:db8::1]:80");
  CHECK_EQ(Target(config_of(9)).name, "10.0.0.9:80");
}

}  // namespace
