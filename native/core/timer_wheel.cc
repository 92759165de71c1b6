// The wheel's moves. A timer sits on the level of the highest 6-bit group in which its tick differs
// from the current one, so an occupied slot of a lower level always comes before any of a higher,
// and the next event is found from four words of bits. When the wheel reaches a slot of level 1-3
// its timers are dealt out again by what their deadlines are by then.
#include "core/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace sluice {

TimerWheel::TimerWheel(int64_t now_ms) : now_tick_(now_ms / kTickMs) {
  for (Timer& head : slots_) head.next = head.previous = &head;
}

/// The first tick that is not before `ms`.
int64_t TimerWheel::tick_of(int64_t ms) { return ms / kTickMs + (ms % kTickMs > 0 ? 1 : 0); }

void TimerWheel::set(Timer& timer, int64_t deadline_ms) {
  timer.deadline_ms = deadline_ms;
  const int64_t tick = std::max(tick_of(deadline_ms), now_tick_ + 1);
  if (timer.previous != nullptr) {
    // Its slot comes up no later than the new deadline: it will be looked at in time.
    if (tick >= timer.slot_ms / kTickMs) return;
    unlink(timer);
  }
  insert(timer, tick);
}

void TimerWheel::cancel(Timer& timer) {
  if (timer.previous != nullptr) unlink(timer);
}

int64_t TimerWheel::next_ms() const {
  const Slot slot = first_slot();
  return slot.tick == kNever ? kNever : slot.tick * kTickMs;
}

Timer* TimerWheel::pop_due(int64_t now_ms) {
  const int64_t target = now_ms / kTickMs;
  for (;;) {
    if (Timer* timer = pop_current()) return timer;
    const Slot slot = first_slot();
    if (slot.tick > target) break;
    now_tick_ = slot.tick;
    if (slot.level > 0) cascade(slot);
  }
  // Nothing lies between: the levels of those that wait stay right. A clock never goes back here.
  now_tick_ = std::max(now_tick_, target);
  return nullptr;
}

/// Takes one due timer out of the current tick's slot; those that were pushed back move on.
Timer* TimerWheel::pop_current() {
  Timer& head = slots_[static_cast<uint64_t>(now_tick_) % kSlots];
  while (head.next != &head) {
    Timer& timer = *head.next;
    unlink(timer);
    const int64_t tick = tick_of(timer.deadline_ms);
    if (tick <= now_tick_) return &timer;
    insert(timer, tick);
  }
  return nullptr;
}

TimerWheel::Slot TimerWheel::first_slot() const {
  for (size_t level = 0; level < kLevels; ++level) {
    const uint64_t occupied = occupied_[level];
    if (occupied == 0) continue;
    // Bit 0 of `ahead` is the current slot. It is empty on levels 1 and 2 (they were dealt out when
    // the wheel came there), and on level 3, a ring, it would be a whole turn ahead.
    const size_t shift = level * kSlotBits;
    const int64_t current = now_tick_ >> shift;
    const int turn = static_cast<int>(static_cast<uint64_t>(current) % kSlots);
    const int ahead = std::countr_zero(std::rotr(occupied, turn));
    const int64_t begins = (current + ahead) << shift;
    return {level, static_cast<size_t>(turn + ahead) % kSlots, std::max(begins, now_tick_)};
  }
  return {};
}

void TimerWheel::cascade(const Slot& slot) {
  Timer& head = slots_[slot.level * kSlots + slot.index];
  while (head.next != &head) {
    Timer& timer = *head.next;
    unlink(timer);
    insert(timer, std::max(tick_of(timer.deadline_ms), now_tick_));
  }
}

void TimerWheel::insert(Timer& timer, int64_t tick) {
  // Beyond the ring: its furthest slot; it is dealt out again from there.
  constexpr size_t kTopShift = (kLevels - 1) * kSlotBits;
  constexpr int64_t kFurthest = int64_t{kSlots - 1} << kTopShift;
  if (tick - now_tick_ > kFurthest) tick = now_tick_ + kFurthest;
  const uint64_t differs = static_cast<uint64_t>(tick ^ now_tick_);
  const size_t bit = differs == 0 ? 0 : static_cast<size_t>(std::bit_width(differs)) - 1;
  const size_t level = std::min(bit / kSlotBits, kLevels - 1);
  const size_t index = static_cast<uint64_t>(tick >> (level * kSlotBits)) % kSlots;
  Timer& head = slots_[level * kSlots + index];
  timer.slot_ms = (tick >> (level * kSlotBits) << (level * kSlotBits)) * kTickMs;
  timer.previous = head.previous;
  timer.next = &head;
  head.previous->next = &timer;
  head.previous = &timer;
  occupied_[level] |= uint64_t{1} << index;
  ++armed_;
}

void TimerWheel::unlink(Timer& timer) {
  if (timer.next == timer.previous) {  // the only one: its neighbour is the slot's head
    const auto slot = static_cast<size_t>(timer.next - slots_.data());
    occupied_[slot / kSlots] &= ~(uint64_t{1} << (slot % kSlots));
  }
  timer.previous->next = timer.next;
  timer.next->previous = timer.previous;
  timer.next = timer.previous = nullptr;
  --armed_;
}

}  // namespace sluice
