// The timer wheel against a model that is a list of deadlines, under random operations: some of
// them by the callbacks themselves. The model says what must be true (never early, at most a tick
// late, nothing lost), not in which order timers of one turn fire.
#include "core/timer_wheel.h"

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "testing.h"

namespace {

using sluice::Timer;
using sluice::TimerWheel;

constexpr int64_t kTick = TimerWheel::kTickMs;
constexpr int64_t kDay = 86'400'000;

class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed), now_(pick(0, 10 * kDay)), wheel_(now_) {}

  void step() {
    if (pick(0, 3) > 0) operate();
    else advance(now_ + pick_distance(pick(0, 5)));
  }

  /// Until nothing is armed, by the wheel's own wishes only.
  void drain() {
    rearm_ = false;
    for (size_t i = 0; wheel_.armed() > 0 && i < 100 * kTimers; ++i) advance(wheel_.next_ms());
    CHECK_EQ(wheel_.armed(), 0);
    CHECK_EQ(wheel_.next_ms(), TimerWheel::kNever);
  }

 private:
  static constexpr size_t kTimers = 40;

  struct Entry {
    Timer timer;
    bool armed = false;
    int64_t due = 0;  // the later of its deadline and the time when it was set
  };

  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  int64_t pick_distance(int64_t scale) {
    switch (scale) {
      case 0: return 0;
      case 1: return pick(0, kTick);
      case 2: return pick(0, 100 * kTick);
      case 3: return pick(0, 5'000 * kTick);
      case 4: return pick(0, 2 * kDay);
      default: return pick(0, 40 * kDay);  // beyond the last level
    }
  }

  void set(Entry& entry, int64_t deadline) {
    wheel_.set(entry.timer, deadline);
    entry.armed = true;
    entry.due = std::max(deadline, now_);
  }

  void operate() {
    Entry& entry = entries_[static_cast<size_t>(pick(0, kTimers - 1))];
    switch (pick(0, 4)) {
      case 0:
        wheel_.cancel(entry.timer);
        entry.armed = false;
        break;
      case 1:  // pushed back without telling the wheel
        if (!entry.armed) break;
        entry.timer.deadline_ms += pick_distance(pick(0, 5));
        entry.due = std::max(entry.due, entry.timer.deadline_ms);
        break;
      case 2: set(entry, now_ - pick_distance(pick(0, 2))); break;  // in the past
      default: set(entry, now_ + pick_distance(pick(0, 5)));
    }
  }

  void fired(Timer& timer) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return &entry.timer == &timer; });
    REQUIRE(found != entries_.end());
    CHECK(found->armed);
    CHECK(timer.previous == nullptr);
    CHECK(timer.deadline_ms <= now_);
    found->armed = false;
    if (!rearm_) return;
    for (int64_t i = pick(0, 2); i > 0; --i) operate();
    if (pick(0, 1) == 0) set(*found, now_ + pick_distance(pick(0, 3)));
  }

  void advance(int64_t now) {
    now_ = std::max(now, now_);
    wheel_.advance(now_, [this](Timer& timer) { fired(timer); });
    size_t armed = 0;
    int64_t first = TimerWheel::kNever;
    for (const Entry& entry : entries_) {
      CHECK_EQ(entry.timer.previous != nullptr, entry.armed);
      if (!entry.armed) continue;
      ++armed;
      CHECK(entry.due > now_ - kTick);
      first = std::min(first, entry.due);
    }
    CHECK_EQ(wheel_.armed(), armed);
    // Sleeping until next_ms() is never too long, and never no sleep at all.
    if (armed == 0) CHECK_EQ(wheel_.next_ms(), TimerWheel::kNever);
    else CHECK(wheel_.next_ms() > now_ && wheel_.next_ms() < first + kTick + 1);
  }

  std::mt19937 random_;
  int64_t now_;
  TimerWheel wheel_;
  std::vector<Entry> entries_{kTimers};
  bool rearm_ = true;
};

TEST(timer_wheel_agrees_with_a_list_of_deadlines) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    const testing::Context context("seed " + std::to_string(seed));
    Model model(seed);
    for (int i = 0; i < 2'000; ++i) model.step();
    model.drain();
  }
}

TEST(timer_fires_once_within_a_tick_of_its_deadline) {
  for (const int64_t delay : {int64_t{1}, kTick, 64 * kTick, 64 * 64 * kTick, 20 * kDay}) {
    TimerWheel wheel(1'000'003);
    Timer timer;
    const int64_t deadline = 1'000'003 + delay;
    wheel.set(timer, deadline);
    int fired = 0;
    wheel.advance(deadline - 1, [&](Timer&) { ++fired; });
    CHECK_EQ(fired, 0);
    wheel.advance(deadline + kTick - 1, [&](Timer&) { ++fired; });
    CHECK_EQ(fired, 1);
    wheel.advance(deadline + 30 * kDay, [&](Timer&) { ++fired; });
    CHECK_EQ(fired, 1);
  }
}

TEST(timer_that_is_pushed_back_by_a_store_fires_at_the_new_time) {
  TimerWheel wheel(0);
  Timer timer;
  wheel.set(timer, 1'000);
  timer.deadline_ms = 60'000;
  int fired = 0;
  for (int64_t now = 0; now < 60'000; now += 50) wheel.advance(now, [&](Timer&) { ++fired; });
  CHECK_EQ(fired, 0);
  CHECK_EQ(wheel.armed(), 1);
  wheel.advance(60'000 + kTick, [&](Timer&) { ++fired; });
  CHECK_EQ(fired, 1);
}

TEST(timer_that_is_pulled_forward_fires_at_the_new_time) {
  TimerWheel wheel(0);
  Timer timer;
  wheel.set(timer, kDay);
  wheel.set(timer, 500);
  CHECK(wheel.next_ms() <= 500 + kTick);
  int fired = 0;
  wheel.advance(500 + kTick, [&](Timer&) { ++fired; });
  CHECK_EQ(fired, 1);
}

TEST(callback_that_always_rearms_in_the_past_does_not_hold_the_wheel) {
  TimerWheel wheel(0);
  Timer timer;
  int fired = 0;
  wheel.set(timer, 0);
  wheel.advance(10 * kTick, [&](Timer& self) {
    ++fired;
    wheel.set(self, 0);
  });
  CHECK_EQ(fired, 10);  // once a tick
  CHECK_EQ(wheel.armed(), 1);
}

TEST(callback_may_cancel_timers_that_are_due_in_the_same_turn) {
  TimerWheel wheel(0);
  Timer timers[3];
  for (Timer& timer : timers) wheel.set(timer, 10);
  int fired = 0;
  wheel.advance(1'000, [&](Timer&) {
    ++fired;
    for (Timer& timer : timers) wheel.cancel(timer);
  });
  CHECK_EQ(fired, 1);
  CHECK_EQ(wheel.armed(), 0);
}

TEST(deadline_without_end_never_fires_and_can_be_cancelled) {
  TimerWheel wheel(5);
  Timer timer;
  wheel.set(timer, TimerWheel::kNever);
  int fired = 0;
  for (int i = 1; i < 100; ++i) wheel.advance(i * kDay, [&](Timer&) { ++fired; });
  CHECK_EQ(fired, 0);
  wheel.cancel(timer);
  CHECK_EQ(wheel.next_ms(), TimerWheel::kNever);
}

}  // namespace
