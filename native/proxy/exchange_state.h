// The states of a forwarded request, and what moves it between them. The bodies have machines of
// their own (transfer/flow.h): a request's body may still flow while its response does.
//
//   choosing ──wait──> queued                        ┌──────── retry ────────┐
//      │  ^               │ room                     v                       │
//      │  └───────────────┘     connect ──> connecting ──connected──> requesting
//      └── connect / reuse ─────────────────────────────reuse──────────^ │   │
//                                                         upgraded       │   │ head
//                                              tunnelling <──────────────┘   v
//                                                   │ finish             relaying
//                                                   └────> ended <──finish───┘
#pragma once

#include <cstdint>

#include "core/transition.h"

namespace sluice::proxy {

enum class ExchangeState : uint8_t {
  choosing,    ///< a target is wanted
  queued,      ///< no target has room
  connecting,  ///< the connection to the target is on its way
  requesting,  ///< the request goes out, its final response head is awaited
  relaying,    ///< the response goes to the client
  tunnelling,  ///< after 101, or from the start: bytes both ways
  ended,
  count_
};

enum class ExchangeEvent : uint8_t {
  wait,       ///< every target is at its bound
  room,       ///< perhaps no more
  connect,    ///< a new connection was begun
  reuse,      ///< an idle connection was taken
  connected,  ///< it is there
  retry,      ///< the target failed before it answered
  head,       ///< its final response head is complete
  opened,     ///< nothing is asked: bytes both ways from the start
  upgraded,   ///< and says 101
  finish,     ///< answered, or given up
  count_
};

inline constexpr Transition<ExchangeState, ExchangeEvent> kExchangeRows[] = {
    {ExchangeState::choosing, ExchangeEvent::wait, ExchangeState::queued},
    {ExchangeState::queued, ExchangeEvent::room, ExchangeState::choosing},
    {ExchangeState::choosing, ExchangeEvent::connect, ExchangeState::connecting},
    {ExchangeState::choosing, ExchangeEvent::reuse, ExchangeState::requesting},
    {ExchangeState::connecting, ExchangeEvent::connected, ExchangeState::requesting},
    {ExchangeState::connecting, ExchangeEvent::opened, ExchangeState::tunnelling},
    {ExchangeState::choosing, ExchangeEvent::retry, ExchangeState::choosing},
    {ExchangeState::connecting, ExchangeEvent::retry, ExchangeState::choosing},
    {ExchangeState::requesting, ExchangeEvent::retry, ExchangeState::choosing},
    {ExchangeState::requesting, ExchangeEvent::head, ExchangeState::relaying},
    {ExchangeState::requesting, ExchangeEvent::upgraded, ExchangeState::tunnelling},
    {ExchangeState::choosing, ExchangeEvent::finish, ExchangeState::ended},
    {ExchangeState::queued, ExchangeEvent::finish, ExchangeState::ended},
    {ExchangeState::connecting, ExchangeEvent::finish, ExchangeState::ended},
    {ExchangeState::requesting, ExchangeEvent::finish, ExchangeState::ended},
    {ExchangeState::relaying, ExchangeEvent::finish, ExchangeState::ended},
    {ExchangeState::tunnelling, ExchangeEvent::finish, ExchangeState::ended},
};

inline constexpr TransitionTable<ExchangeState, ExchangeEvent> kExchangeTable(kExchangeRows);

/// What an exchange waits for, for stats and people.
constexpr const char* blocked_on(ExchangeState state) {
  switch (state) {
    case ExchangeState::queued: return "queue";
    case ExchangeState::connecting: return "connect";
    case ExchangeState::requesting: return "upstream";
    case ExchangeState::relaying: return "relay";
    case ExchangeState::tunnelling: return "tunnel";
    default: return "nothing";
  }
}

}  // namespace sluice::proxy
