// A hierarchical timer wheel: many coarse timeouts, cheap to set, cheap to push back.
// One per worker, used by its thread only. Pushing a deadline later costs one store: the wheel finds
// out when the old slot comes up and moves the timer. Never fires early.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice {

/// A link in the wheel; embed it in whatever has a deadline.
struct Timer {
  Timer* next = nullptr;
  Timer* previous = nullptr;   ///< null: not in the wheel
  int64_t deadline_ms = 0;     ///< the wanted time; may be moved later at will while it is armed
  int64_t slot_ms = 0;         ///< the wheel's own: the time of the slot it is in
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

  /// Calls `fire(timer)` for each whose deadline is at or before `now_ms`; it is disarmed before
  /// that, and `fire` may set or cancel any timer, itself included.
  template <typename Fire>
  void advance(int64_t now_ms, Fire&& fire) {
    while (Timer* timer = pop_due(now_ms)) fire(*timer);
  }

  /// When advance() next has something to look at; kNever when no timer is armed. May be earlier
  /// than the first real deadline (a cascade or a timer that was pushed back), never later.
  int64_t next_ms() const;
  size_t armed() const { return armed_; }

 private:
  static constexpr size_t kSlots = 64;
  static constexpr size_t kLevels = 4;

  Timer* pop_due(int64_t now_ms);
  void insert(Timer& timer, int64_t at_ms);

  int64_t now_tick_;
  size_t armed_ = 0;
  std::array<uint64_t, kLevels> occupied_{};  ///< a bit per slot that is not empty
  std::array<std::array<Timer, kSlots>, kLevels> slots_;  ///< list heads
};

}  // namespace sluice
