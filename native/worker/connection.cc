// The life of a connection: events, turns, deadlines, end.
// drive() is the only place where states follow each other within a turn; every step_x() returns
// whether the connection can go on now.
#include "worker/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>

#include "net/acknowledged.h"
#include "net/sys.h"
#include "worker/worker.h"

namespace sluice::worker {
namespace {

/// Of a gateway that drains, for a client that has not asked yet: it would not ask another time, as
/// those do whose kept connection ends.
constexpr int64_t kDrainFirstMs = 3'000;

State first_state(const route::ListenerRules& rules) {
  const bool is_special = rules.proxy_protocol || rules.tcp || rules.tls;
  return is_special ? State::opening : State::reading_head;
}

}  // namespace

Connection::Connection(Worker& worker, int fd, const Origin& origin)
    : worker_(worker),
      socket_{fd},
      state_(first_state(worker.rules(origin.listener))),
      is_counted_(origin.is_counted),
      is_trusted_(worker.rules(origin.listener).is_inner || worker.trusts(origin.address)),
      is_inner_(worker.rules(origin.listener).is_inner),
      address_(origin.address),
      port_(origin.port),
      local_port_(worker.port_of(origin.listener)),
      listener_(origin.listener),
      since_ms_(worker.now_ms()) {}

void Connection::transit(Event event) {
  std::optional<State> next = kConnectionTable.next(state_, event);
  assert(next.has_value());
  auto& states = worker_.stats().states;
  states[static_cast<size_t>(state_)].subtract();
  if (*next != State::closed) states[static_cast<size_t>(*next)].add();
  state_ = *next;
}

void Connection::on_events(uint32_t events) {
  if (state_ == State::closed) return;
  // In a tunnel both sides may have shut while bytes of the client still wait to be read.
  const bool is_hup_awaited = state_ == State::proxying && forwarding_->exchange.is_tunnel();
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && !is_hup_awaited)) {
    // Both sides have shut: the ordinary end of a connection that lingers.
    return close(state_ == State::lingering ? ErrorCode::none : ErrorCode::client_gone);
  }
  socket_.on_events(events);
  if (tls_ && tls_->has_unsent() && socket_.writable) tls_->flush();
  if (state_ == State::reading_head && !socket_.readable)
    return;  // only EPOLLOUT: nothing to write
  drive();
}

void Connection::drive(const Ref<Generation>& parked_on) {
  answered_ = 0;
  load_input();
  bool goes_on = true;
  if (parked_on) {
    const Worker::Serving serving(worker_, *parked_on);
    goes_on = step_head();
  }
  while (goes_on) {
    switch (state_) {
      case State::opening: goes_on = step_opening(); break;
      case State::handshaking: goes_on = step_handshake(); break;
      case State::reading_head: goes_on = step_head(); break;
      case State::sending: goes_on = step_sending(); break;
      case State::discarding_body: goes_on = step_body(); break;
      case State::streaming: goes_on = step_streaming(); break;
      case State::taking_in: goes_on = step_taking_in(); break;
      case State::proxying: goes_on = step_proxying(); break;
      case State::awaiting_feed:
      case State::awaiting_verdict: goes_on = step_waiting(); break;
      case State::lingering: goes_on = step_linger(); break;
      default: goes_on = false;
    }
  }
  if (state_ != State::closed && !worker_.outbox().empty() && flush(false) == Sent::blocked) {
    transit(Event::block);
  }
  save_input();
  if (state_ == State::closed || !register_in_loop()) return;
  set_deadline();
}

/// A client that has gone wants no answer, and a hook or an upstream may take its time (DESIGN §7).
bool Connection::step_waiting() {
  if (socket_.peer_ended) close(ErrorCode::client_gone);
  return false;
}

void Connection::run_later() {
  if (is_queued_) return;
  is_queued_ = true;
  worker_.run_later(*this);
}

/// Late, so that a connection that is served and closed in its first turn never enters epoll.
bool Connection::register_in_loop() {
  if (registered_) return true;
  int added = worker_.loop().add(socket_.fd, net::kSocketEvents, this);
  if (added < 0) {
    close(ErrorCode::out_of_descriptors);
    return false;
  }
  registered_ = true;
  return true;
}

int64_t Connection::deadline_ms() const {
  const route::Timeouts& timeouts = worker_.snapshot().timeouts;
  switch (state_) {
    case State::opening:
    case State::handshaking: return since_ms_ + timeouts.head;
    case State::reading_head:
      if (worker_.draining() && kept_.empty()) {
        return since_ms_ + (requests_ == 0 ? kDrainFirstMs : kDrainGraceMs);
      }
      if (requests_ == 0 || !kept_.empty()) return since_ms_ + timeouts.head;
      return since_ms_ + timeouts.idle;
    case State::awaiting_answer: return since_ms_ + timeouts.head;
    case State::awaiting_feed: return TimerWheel::kNever;  // the feed has deadlines
    case State::awaiting_verdict: return hook_deadline_ms();
    case State::discarding_body: {
      const int64_t silent = since_ms_ + timeouts.body;
      return body_pace_ ? std::min(silent, body_pace_->due_ms(timeouts.body)) : silent;
    }
    case State::sending: return outgoing_->pace.due_ms(timeouts.write);
    case State::streaming: return stream_deadline_ms();
    case State::taking_in: return upload_deadline_ms();
    case State::proxying: return exchange_deadline_ms();
    case State::lingering: {
      return std::min(since_ms_ + kLingerIdleMs, request_us_ / 1000 + kLingerMs);
    }
    default: return since_ms_ + timeouts.write;
  }
}

void Connection::set_deadline() {
  if (state_ == State::sending && !outgoing_->pace.has_begun()) {
    outgoing_->pace.restart(worker_.now_ms());
  }
  if (state_ == State::proxying) watch_pace();
  worker_.wheel().set(*this, deadline_ms());
}

/// Samples how fast the client takes or sends a body. True: it was closed. What the kernel's buffer
/// takes at once may keep a slow client busy for minutes: what it acknowledged is what counts.
bool Connection::is_too_slow() {
  const route::Timeouts& timeouts = worker_.snapshot().timeouts;
  const bool is_sending = state_ == State::sending;
  const int64_t period = is_sending ? timeouts.write : timeouts.body;
  uint64_t bytes = 0 - body_left_;  // counts down
  if (is_sending) {
    const int64_t acknowledged = net::acknowledged_bytes(socket_.fd);
    bytes = acknowledged < 0 ? outgoing_->taken : static_cast<uint64_t>(acknowledged);
  }
  Pace& pace = is_sending ? outgoing_->pace : *body_pace_;
  switch (pace.sample(period, bytes, timeouts.minimum_rate)) {
    case Pace::Verdict::fine: set_deadline(); return false;
    case Pace::Verdict::stalled:
      close(is_sending ? ErrorCode::write_timeout : ErrorCode::body_timeout);
      return true;
    case Pace::Verdict::slow: close(ErrorCode::too_slow); return true;
  }
  return false;
}

void Connection::on_alarm() {
  if (worker_.now_ms() < deadline_ms()) return set_deadline();
  switch (state_) {
    case State::opening:
    case State::handshaking: return close(ErrorCode::head_timeout);
    case State::reading_head:
      if (kept_.empty()) return close(ErrorCode::idle_timeout);
      load_input();
      refuse_head(ErrorCode::head_timeout);
      break;
    case State::awaiting_answer:
      worker_.give_up(ticket_);
      worker_.questions().leave();
      transit(Event::answered);
      instructed_.reset();
      load_input();
      parse_again();
      refuse(ErrorCode::answer_timeout, unrouted());
      break;
    case State::awaiting_verdict: on_hook_alarm(); break;
    case State::discarding_body:
      if (worker_.now_ms() >= since_ms_ + worker_.snapshot().timeouts.body) {
        return close(ErrorCode::body_timeout);
      }
      is_too_slow();
      return;
    case State::sending: is_too_slow(); return;
    case State::streaming: return on_stream_alarm();
    case State::taking_in: return on_upload_alarm();
    case State::proxying:
      load_input();
      on_exchange_alarm();
      break;
    case State::lingering: return close(ErrorCode::none);
    default: return close(ErrorCode::write_timeout);
  }
  save_input();
  if (state_ != State::closed) drive();
}

void Connection::resume(const Ref<files::Answer>& answer, const Ref<Generation>& parked_on) {
  if (state_ != State::awaiting_answer) return;
  worker_.questions().leave();
  transit(Event::answered);
  was_in_line_ = !answer;
  answer_ = answer;
  drive(parked_on);
}

void Connection::pages_ready(transfer::ReadAhead ahead) {
  if (state_ != State::awaiting_pages) return;
  if (!ahead.readable) return close(ErrorCode::file_error);
  if (ahead.is_short) return end_short();
  transfer::accept(outgoing_->body, std::move(ahead));
  outgoing_->pace.restart(worker_.now_ms());  // the disk was slow, not the client
  transit(Event::warm);
  drive();
}

void Connection::drain() {
  if (state_ == State::streaming) return on_message();  // its end
  if (state_ != State::reading_head || !kept_.empty()) return;
  since_ms_ = worker_.now_ms();
  set_deadline();
}

/// Whether what the connection was let in by is still asked for, or more than that. A connection
/// whose listener has left stays as a rule; so does one that has shown no certificate, where none
/// is asked for.
bool Connection::may_stay(const route::ListenerRules& next) const {
  const route::ListenerRules& now = worker_.rules(listener_);
  const bool is_new = state_ == State::opening || state_ == State::handshaking;
  if (is_new && (now.tcp != next.tcp || now.proxy_protocol != next.proxy_protocol)) return false;
  if (state_ == State::opening && now.tls.has_value() != next.tls.has_value()) return false;
  // It was let in to be sent away.
  if (now.secure_twin >= 0 && next.secure_twin < 0) return false;
  if (!tls_ && state_ != State::handshaking && next.tls) return false;
  using Clients = net::TlsSettings::Clients;
  const Clients asked = now.tls ? now.tls->clients : Clients::any;
  const Clients asks = next.tls ? next.tls->clients : Clients::any;
  if (asks == Clients::any && asked == Clients::any) return true;
  return asks == asked && now.tls->client_ca == next.tls->client_ca;
}

void Connection::adopt(const Ref<Generation>& next) {
  if (!may_stay(next->snapshot().rules(listener_))) {
    is_leaving_ = true;
    keep_ = false;
    const bool is_idle =
        state_ == State::opening || state_ == State::handshaking || state_ == State::reading_head;
    if (is_idle) return close(ErrorCode::none);
  }
  Ref<Generation>* held = held_generation();
  if (held == nullptr || held->get() != &worker_.generation()) return;
  // What did not change has its number in both, and its action is one object.
  const route::Snapshot& snapshot = next->snapshot();
  const uint32_t route = forwarding_  ? forwarding_->route
                         : streaming_ ? streaming_->route
                                      : uploading_->route;
  const bool is_served =
      forwarding_ && forwarding_->is_raw
          ? worker_.rules(listener_).tcp != nullptr && listener_ < snapshot.listeners.size() &&
                snapshot.listeners[listener_].tcp == worker_.rules(listener_).tcp
          : route < snapshot.routes.size() && !snapshot.routes[route].key.empty();
  if (is_served && !is_leaving_) *held = next;
}

/// Of the request under way, where it is served apart from what is loaded meanwhile.
Ref<Generation>* Connection::held_generation() {
  if (forwarding_) return &forwarding_->generation;
  if (streaming_) return &streaming_->generation;
  return uploading_ ? &uploading_->generation : nullptr;
}

void Connection::leave(uint64_t generation) {
  if (const Ref<Generation>* held = held_generation()) {
    if ((*held)->number() != generation) return;
    if (streaming_ && !streaming_->is_blocked) return leave_stream();
    if (forwarding_ && forwarding_->exchange.needs_reset()) reset();
  } else {
    const bool is_instructed = instructed_ && instructed_->generation->number() == generation;
    const bool is_parked = (state_ == State::awaiting_answer || state_ == State::awaiting_feed) &&
                           worker_.parked_on(ticket_) == generation;
    if (!is_instructed && !is_parked) return;
  }
  close(ErrorCode::draining);
}

void Connection::close(ErrorCode reason) {
  if (state_ == State::closed) return;
  if (forwarding_) {
    end_exchange(reason);
  } else if (streaming_) {
    end_stream(reason);
  } else if (uploading_) {
    abort_upload(reason);
  } else if (access_log() != nullptr && state_ != State::opening && state_ != State::handshaking) {
    log_end(reason);
  }
  if (tls_) say_goodbye(reason);
  if (state_ == State::awaiting_answer) worker_.questions().leave();
  leave_hooks();
  place_.reset();
  transit(Event::end);
  if (reason == ErrorCode::idle_timeout) {
    worker_.stats().errors[static_cast<size_t>(reason)].add();  // ordinary: not worth a line
  } else if (reason != ErrorCode::none) {
    worker_.complain(reason);
  }
  worker_.wheel().cancel(*this);
  worker_.outbox().clear();
  if (is_counted_) worker_.shared().addresses.leave(address_);
  outgoing_.reset();
  answer_.reset();
  // A child between fork and exec may hold the socket as well: closing alone would leave it in the
  // loop, and its events would come for a connection that is gone.
  if (registered_) worker_.loop().remove(socket_.fd);
  sys::close(socket_.fd);
  worker_.bury(*this);
}

void ConnectionList::add(Connection& connection) {
  connection.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &connection;
  first_ = &connection;
  ++size_;
}

void ConnectionList::remove(Connection& connection) {
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  (connection.previous_ != nullptr ? connection.previous_->next_ : first_) = connection.next_;
  --size_;
}

}  // namespace sluice::worker
