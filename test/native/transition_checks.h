// What holds for every state machine: its table is what a test writes out once more, by hand, pair
// by pair; every state can be reached; every state but the last can be ended.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>

#include "core/transition.h"
#include "testing.h"

namespace testing {

template <typename State, typename Event, size_t kRows, size_t kMoves>
void check_as_drawn(const sluice::TransitionTable<State, Event>& table,
                    const sluice::Transition<State, Event> (&)[kRows],
                    const sluice::Transition<State, Event> (&legal)[kMoves]) {
  for (size_t state = 0; state < table.kStates; ++state) {
    for (size_t event = 0; event < table.kEvents; ++event) {
      const Context context(std::to_string(state) + ", " + std::to_string(event));
      const auto from = static_cast<State>(state);
      const auto with = static_cast<Event>(event);
      std::optional<State> expected;
      for (const auto& move : legal) {
        if (move.from == from && move.event == with) expected = move.to;
      }
      CHECK(table.next(from, with) == expected);
    }
  }
  CHECK_EQ(kRows, kMoves);
}

/// From `reached` on; `end` leads from every state but `over` there.
template <typename State, typename Event, size_t kMoves>
void check_reached_and_ended(const sluice::TransitionTable<State, Event>& table,
                             const sluice::Transition<State, Event> (&legal)[kMoves],
                             std::set<State> reached, Event end, State over) {
  for (size_t round = 0; round < table.kStates; ++round) {
    for (const auto& move : legal) {
      if (reached.contains(move.from)) reached.insert(move.to);
    }
  }
  CHECK_EQ(reached.size(), table.kStates);
  for (const State state : reached) {
    const bool ends = table.next(state, end) == over;
    CHECK_EQ(ends, state != over);
  }
}

}  // namespace testing
