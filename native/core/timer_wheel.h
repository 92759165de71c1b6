// A hierarchical timer wheel: many coarse timeouts, cheap to set, cheap to push back.
// One per worker, used by its thread only. Pushing a deadline later costs one store: the wheel
// finds out when the old slot comes up and moves the timer. Never fires early.
//
//   level 0: 64 slots of one tick    | the ticks left of the current 64
//   level 1: 64 slots of 64 ticks    | the rest of the current 4,096
//   level 2, 3: likewise             | level 3 is a ring; further deadlines wait in its last slot
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice {

/// A link in the wheel; embed it in whatever has a deadline.
struct Timer {
  Timer* next = nullptr;
  Timer* previous = nullptr;  ///< null: not in the wheel
  int64_t deadline_ms = 0;    ///< the wanted time; may be moved later at will while it is armed
  int64_t slot_ms = 0;        ///< the wheel's own: the time of the slot it is in
};

class TimerWheel {
 public:
  static constexpr int64_t kTickMs = 64;  ///< a timer fires at most this much late
  static constexpr int64_t kNever = INT64_MAX;

  explicit TimerWheel(int64_t now_ms);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Arms `timer` for `deadline_ms`, or moves it earlier or later. O(1).
  void set(Timer& timer, int64_t deadline_ms);
  /// Disarms; no-op when not armed.
  void cancel(Timer& timer);

  /// Calls `fire(timer)` for each whose deadline, rounded up to a tick, is at or before `now_ms`;
  /// it is disarmed before that, and `fire` may set or cancel any timer, itself included. A
  /// deadline that is set into the past comes up with the next tick, so that this always ends.
  template <typename Fire>
  void advance(int64_t now_ms, Fire&& fire) {
    while (Timer* timer = pop_due(now_ms)) fire(*timer);
  }

  /// When advance() next has something to look at; kNever when no timer is armed. May be earlier
  /// than the first real deadline (a cascade or a timer that was pushed back), never later.
  int64_t next_ms() const;
  size_t armed() const { return armed_; }

 private:
  static constexpr size_t kSlotBits = 6;
  static constexpr size_t kSlots = size_t{1} << kSlotBits;
  static constexpr size_t kLevels = 4;

  /// The occupied slot that comes up first: where it is, and the tick at which it begins.
  struct Slot {
    size_t level = 0;
    size_t index = 0;
    int64_t tick = kNever;
  };

  static int64_t tick_of(int64_t ms);
  Timer* pop_due(int64_t now_ms);
  Timer* pop_current();
  Slot first_slot() const;
  void cascade(const Slot& slot);
  void insert(Timer& timer, int64_t tick);
  void unlink(Timer& timer);

  int64_t now_tick_;  ///< everything up to it has fired
  size_t armed_ = 0;
  std::array<uint64_t, kLevels> occupied_{};   ///< a bit per slot that is not empty
  std::array<Timer, kSlots * kLevels> slots_;  ///< list heads, level by level
};

}  // namespace sluice
