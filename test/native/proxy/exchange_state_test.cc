// Every pair of state and event of an exchange: which moves are legal, and that every other one is
// refused; that each state can be reached and left.
#include "proxy/exchange_state.h"

#include <optional>
#include <set>
#include <string>

#include "testing.h"

namespace {

using Event = sluice::proxy::ExchangeEvent;
using State = sluice::proxy::ExchangeState;
using sluice::proxy::kExchangeRows;
using sluice::proxy::kExchangeTable;

constexpr auto kStates = static_cast<size_t>(State::count_);
constexpr auto kEvents = static_cast<size_t>(Event::count_);

struct Legal {
  State from;
  Event event;
  State to;
};

/// Written out once more, by hand: the table of the core is compared with it pair by pair.
constexpr Legal kLegal[] = {
    {State::choosing, Event::wait, State::queued},
    {State::choosing, Event::connect, State::connecting},
    {State::choosing, Event::reuse, State::requesting},
    {State::choosing, Event::retry, State::choosing},
    {State::choosing, Event::finish, State::ended},
    {State::queued, Event::room, State::choosing},
    {State::queued, Event::finish, State::ended},
    {State::connecting, Event::connected, State::requesting},
    {State::connecting, Event::opened, State::tunnelling},
    {State::connecting, Event::retry, State::choosing},
    {State::connecting, Event::finish, State::ended},
    {State::requesting, Event::retry, State::choosing},
    {State::requesting, Event::head, State::relaying},
    {State::requesting, Event::upgraded, State::tunnelling},
    {State::requesting, Event::finish, State::ended},
    {State::relaying, Event::finish, State::ended},
    {State::tunnelling, Event::finish, State::ended},
};

TEST(exchange_every_pair_of_state_and_event_is_as_drawn) {
  for (size_t state = 0; state < kStates; ++state) {
    for (size_t event = 0; event < kEvents; ++event) {
      const testing::Context context(std::to_string(state) + ", " + std::to_string(event));
      std::optional<State> expected;
      for (const Legal& legal : kLegal) {
        if (legal.from == static_cast<State>(state) && legal.event == static_cast<Event>(event)) {
          expected = legal.to;
        }
      }
      CHECK(kExchangeTable.next(static_cast<State>(state), static_cast<Event>(event)) == expected);
    }
  }
  CHECK_EQ(std::size(kExchangeRows), std::size(kLegal));
}

TEST(exchange_every_state_can_be_reached_and_every_one_ends) {
  std::set<State> reached = {State::choosing};
  for (size_t round = 0; round < kStates; ++round) {
    for (const Legal& legal : kLegal) {
      if (reached.contains(legal.from)) reached.insert(legal.to);
    }
  }
  CHECK_EQ(reached.size(), kStates);
  for (const State state : reached) {
    const bool ends = kExchangeTable.next(state, Event::finish) == State::ended;
    CHECK_EQ(ends, state != State::ended);
  }
}

/// Once a response has begun nothing is tried again.
TEST(exchange_never_retries_after_a_head) {
  CHECK(!kExchangeTable.next(State::relaying, Event::retry).has_value());
  CHECK(!kExchangeTable.next(State::tunnelling, Event::retry).has_value());
}

TEST(exchange_waiting_states_have_names_of_their_own) {
  std::set<std::string> names;
  for (const State state : {State::queued, State::connecting, State::requesting, State::relaying,
                            State::tunnelling, State::ended}) {
    names.insert(sluice::proxy::blocked_on(state));
  }
  CHECK_EQ(names.size(), 6);
}

}  // namespace
