// The states of a downstream connection and what moves it between them.
//
//                    ask                     block
//   awaiting_answer <──── reading_head ────────────────> sending <───┐
//          │ answered          ^  ^ │ \ cold              │ │  │ cold │ warm
//          └───────────────────┘  │ │  └────────────────> awaiting_pages
//                        skipped  │ │ skip                │ │
//                                 │ v            skip     │ │ sent ──> reading_head
//                           discarding_body <─────────────┘ │
//                                 │ linger                  │ linger
//                                 └───────> lingering <─────┴── (reading_head too)
//   opening ──opened──> reading_head, ──forward──> proxying (PROXY protocol, tcp listeners)
//      └──secure──> handshaking ──opened──> reading_head, ──forward──> proxying (TLS)
//   reading_head <──forward / sent──> proxying
//   reading_head <──take_in / sent──> taking_in, ──stream──> streaming
//   reading_head ──attend──> awaiting_feed ──answered──> reading_head (relays)
//   reading_head ──consult──> awaiting_verdict ──answered──> reading_head (hooks)
//   every state: end ──> closed
#pragma once

#include <cstdint>

#include "core/transition.h"

namespace sluice::worker {

enum class State : uint8_t {
  opening,           ///< of a listener with rules of its own: nothing of HTTP has come yet
  handshaking,       ///< TLS begins
  reading_head,      ///< idle, or a request head is incomplete
  awaiting_answer,   ///< TypeScript or an I/O thread decides what is served
  awaiting_feed,     ///< the upstream of a relay is to answer
  awaiting_verdict,  ///< user code decides about the request
  sending,           ///< the socket is full, or the turn's budget was used up
  awaiting_pages,    ///< an I/O thread reads ahead
  discarding_body,   ///< answered; the request body is read and dropped
  streaming,         ///< it is sent what is published on a channel
  taking_in,         ///< the request is a file that comes, or one to remove
  proxying,          ///< the request is with an upstream, or its response on the way back
  lingering,         ///< answered, our side is shut; unread bytes are drained
  closed,
  count_
};

enum class Event : uint8_t {
  secure,    ///< TLS begins
  opened,    ///< HTTP begins
  ask,       ///< the head is complete, its answer is not known
  attend,    ///< a stream is wanted that is not open yet
  consult,   ///< a hook is asked about the head
  answered,  ///< it is known now: the head is parsed again
  block,     ///< a response has begun and is not out
  sent,      ///< it is out, the connection stays
  cold,      ///< its next bytes are on a disk
  warm,      ///< they are in memory now
  skip,      ///< a response is out, the request's body is not read
  skipped,   ///< it is now
  stream,    ///< the response goes on until somebody ends it
  take_in,   ///< the request's body is a file, or names one to remove
  forward,   ///< the request goes to an upstream
  linger,    ///< a response is out, the connection ends with bytes unread
  end,       ///< nothing more to do
  count_
};

inline constexpr Transition<State, Event> kConnectionRows[] = {
    {State::opening, Event::opened, State::reading_head},
    {State::opening, Event::forward, State::proxying},
    {State::opening, Event::end, State::closed},
    {State::opening, Event::secure, State::handshaking},
    {State::handshaking, Event::opened, State::reading_head},
    {State::handshaking, Event::forward, State::proxying},
    {State::handshaking, Event::end, State::closed},
    {State::reading_head, Event::ask, State::awaiting_answer},
    {State::awaiting_answer, Event::answered, State::reading_head},
    {State::reading_head, Event::attend, State::awaiting_feed},
    {State::awaiting_feed, Event::answered, State::reading_head},
    {State::awaiting_feed, Event::end, State::closed},
    {State::reading_head, Event::consult, State::awaiting_verdict},
    {State::awaiting_verdict, Event::answered, State::reading_head},
    {State::reading_head, Event::block, State::sending},
    {State::reading_head, Event::cold, State::awaiting_pages},
    {State::sending, Event::cold, State::awaiting_pages},
    {State::awaiting_pages, Event::warm, State::sending},
    {State::sending, Event::sent, State::reading_head},
    {State::reading_head, Event::skip, State::discarding_body},
    {State::sending, Event::skip, State::discarding_body},
    {State::discarding_body, Event::skipped, State::reading_head},
    {State::reading_head, Event::stream, State::streaming},
    {State::reading_head, Event::take_in, State::taking_in},
    {State::taking_in, Event::sent, State::reading_head},
    {State::reading_head, Event::forward, State::proxying},
    {State::proxying, Event::sent, State::reading_head},
    {State::reading_head, Event::linger, State::lingering},
    {State::sending, Event::linger, State::lingering},
    {State::discarding_body, Event::linger, State::lingering},
    {State::reading_head, Event::end, State::closed},
    {State::awaiting_answer, Event::end, State::closed},
    {State::awaiting_verdict, Event::end, State::closed},
    {State::sending, Event::end, State::closed},
    {State::awaiting_pages, Event::end, State::closed},
    {State::discarding_body, Event::end, State::closed},
    {State::streaming, Event::end, State::closed},
    {State::taking_in, Event::end, State::closed},
    {State::proxying, Event::end, State::closed},
    {State::lingering, Event::end, State::closed},
};

inline constexpr TransitionTable<State, Event> kConnectionTable(kConnectionRows);

/// What a connection waits for, for stats and people: "read", "answer", "write", "disk" …
constexpr const char* blocked_on(State state) {
  switch (state) {
    case State::opening: return "preface";
    case State::handshaking: return "handshake";
    case State::reading_head: return "read";
    case State::awaiting_answer: return "answer";
    case State::awaiting_feed: return "stream";
    case State::awaiting_verdict: return "hook";
    case State::sending: return "write";
    case State::awaiting_pages: return "disk";
    case State::discarding_body: return "body";
    case State::streaming: return "message";
    case State::taking_in: return "upload";
    case State::proxying: return "upstream";
    case State::lingering: return "linger";
    default: return "nothing";
  }
}

}  // namespace sluice::worker
