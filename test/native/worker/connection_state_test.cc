// Every pair of state and event of a downstream connection: which moves are legal, and that every
// other one is refused; that each state can be reached and left; what people are told of it.
#include "worker/connection_state.h"

#include <set>
#include <string>

#include "testing.h"
#include "transition_checks.h"

namespace {

using sluice::worker::blocked_on;
using sluice::worker::Event;
using sluice::worker::kConnectionRows;
using sluice::worker::kConnectionTable;
using sluice::worker::State;

constexpr auto kStates = static_cast<size_t>(State::count_);
constexpr auto kEvents = static_cast<size_t>(Event::count_);

/// Written out once more, by hand: the table of the core is compared with it pair by pair.
constexpr sluice::Transition<State, Event> kLegal[] = {
    {State::opening, Event::opened, State::reading_head},
    {State::opening, Event::forward, State::proxying},
    {State::opening, Event::end, State::closed},
    {State::opening, Event::secure, State::handshaking},
    {State::handshaking, Event::opened, State::reading_head},
    {State::handshaking, Event::forward, State::proxying},
    {State::handshaking, Event::end, State::closed},
    {State::reading_head, Event::ask, State::awaiting_answer},
    {State::reading_head, Event::attend, State::awaiting_feed},
    {State::reading_head, Event::consult, State::awaiting_verdict},
    {State::reading_head, Event::block, State::sending},
    {State::reading_head, Event::cold, State::awaiting_pages},
    {State::reading_head, Event::skip, State::discarding_body},
    {State::reading_head, Event::forward, State::proxying},
    {State::proxying, Event::sent, State::reading_head},
    {State::proxying, Event::end, State::closed},
    {State::reading_head, Event::take_in, State::taking_in},
    {State::taking_in, Event::sent, State::reading_head},
    {State::taking_in, Event::end, State::closed},
    {State::reading_head, Event::stream, State::streaming},
    {State::streaming, Event::end, State::closed},
    {State::reading_head, Event::linger, State::lingering},
    {State::reading_head, Event::end, State::closed},
    {State::awaiting_answer, Event::answered, State::reading_head},
    {State::awaiting_answer, Event::end, State::closed},
    {State::awaiting_feed, Event::answered, State::reading_head},
    {State::awaiting_verdict, Event::answered, State::reading_head},
    {State::awaiting_feed, Event::end, State::closed},
    {State::awaiting_verdict, Event::end, State::closed},
    {State::sending, Event::sent, State::reading_head},
    {State::sending, Event::cold, State::awaiting_pages},
    {State::sending, Event::skip, State::discarding_body},
    {State::sending, Event::linger, State::lingering},
    {State::sending, Event::end, State::closed},
    {State::awaiting_pages, Event::warm, State::sending},
    {State::awaiting_pages, Event::end, State::closed},
    {State::discarding_body, Event::skipped, State::reading_head},
    {State::discarding_body, Event::linger, State::lingering},
    {State::discarding_body, Event::end, State::closed},
    {State::lingering, Event::end, State::closed},
};

TEST(every_pair_of_state_and_event_is_as_drawn) {
  testing::check_as_drawn(kConnectionTable, kConnectionRows, kLegal);
}

TEST(every_state_can_be_reached_and_every_one_can_end) {
  testing::check_reached_and_ended(kConnectionTable, kLegal, {State::opening, State::reading_head},
                                   Event::end, State::closed);
}

TEST(closed_is_the_end) {
  for (size_t event = 0; event < kEvents; ++event) {
    CHECK(!kConnectionTable.next(State::closed, static_cast<Event>(event)).has_value());
  }
}

TEST(every_state_has_a_name_of_its_own) {
  std::set<std::string> names;
  for (size_t state = 0; state < kStates; ++state) {
    names.insert(blocked_on(static_cast<State>(state)));
  }
  CHECK_EQ(names.size(), kStates);
}

}  // namespace
