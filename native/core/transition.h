// Transition tables: a state machine as data. A machine lists its legal (state, event) → state
// rows; everything else is a fault of ours and asserts. constexpr, no state of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice {

template <typename State, typename Event>
struct Transition {
  State from;
  Event event;
  State to;
};

template <typename State, typename Event>
class TransitionTable {
 public:
  static constexpr size_t kStates = static_cast<size_t>(State::count_);
  static constexpr size_t kEvents = static_cast<size_t>(Event::count_);

  template <size_t kRows>
  explicit constexpr TransitionTable(const Transition<State, Event> (&rows)[kRows]) {
    for (auto& row : next_) row.fill(State::count_);
    for (const auto& row : rows) {
      next_[static_cast<size_t>(row.from)][static_cast<size_t>(row.event)] = row.to;
    }
  }

  /// The state after `event`, or nothing when that must not happen.
  constexpr std::optional<State> next(State from, Event event) const {
    State to = next_[static_cast<size_t>(from)][static_cast<size_t>(event)];
    if (to == State::count_) return std::nullopt;
    return to;
  }

 private:
  std::array<std::array<State, kEvents>, kStates> next_{};
};

}  // namespace sluice
