// Every pair of state and event of an exchange: which moves are legal, and that every other one is
// refused; that each state can be reached and left.
#include "proxy/exchange_state.h"

#include <set>
#include <string>

#include "testing.h"
#include "transition_checks.h"

namespace {

using Event = sluice::proxy::ExchangeEvent;
using State = sluice::proxy::ExchangeState;
using sluice::proxy::kExchangeRows;
using sluice::proxy::kExchangeTable;

/// Written out once more, by hand: the table of the core is compared with it pair by pair.
constexpr sluice::Transition<State, Event> kLegal[] = {
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
  testing::check_as_drawn(kExchangeTable, kExchangeRows, kLegal);
}

TEST(exchange_every_state_can_be_reached_and_every_one_ends) {
  testing::check_reached_and_ended(kExchangeTable, kLegal, {State::choosing}, Event::finish,
                                   State::ended);
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
