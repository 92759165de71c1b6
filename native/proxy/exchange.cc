// The loop of an exchange and how it ends. Whatever a socket says is found out by the flows; what
// follows from it is decided here. A target that failed before any byte of a response is given up
// for another one when the request can be sent again.
#include "proxy/exchange.h"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <charconv>

#include "core/limits.h"
#include "net/transport.h"
#include "proxy/relay.h"

namespace sluice::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;
using Step = transfer::Flow::Step;

namespace {

/// Of what a sink takes in a turn: those who are sent it come next, and must not fall behind.
constexpr uint64_t kSinkTurnBytes = 128 * 1024;

bool is_shortage(int error) {
  return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM ||
         error == -ENOSPC;  // of epoll
}

}  // namespace

Exchange::Exchange(const route::ProxyAction& action, Upstreams& upstreams, Downstream& downstream,
                   const ExchangeLimits& limits)
    : action_(action), upstreams_(upstreams), downstream_(downstream), limits_(limits) {
  request_.hide_trailers(action.request.removed);
  response_.hide_trailers(action.response.removed);
  upstreams_.states()[static_cast<size_t>(state_)].add();
}

Exchange::~Exchange() {
  upstreams_.states()[static_cast<size_t>(state_)].subtract();
  if (state_ == State::queued) upstreams_.leave_queue(action_.upstream, *this);
  let_go(false);
}

void Exchange::transit(Event event) {
  std::optional<State> next = kExchangeTable.next(state_, event);
  assert(next.has_value());
  upstreams_.states()[static_cast<size_t>(state_)].subtract();
  upstreams_.states()[static_cast<size_t>(*next)].add();
  state_ = *next;
}

/// Comes to an end. Always false: the loop does not go on.
bool Exchange::ends(Outcome outcome, ErrorCode error) {
  transit(Event::finish);
  outcome_ = outcome;
  error_ = error;
  return false;
}

void Exchange::begin(const http::RequestHead& head, const route::Match& match, const Asker& asker,
                     bool persists) {
  times_.begun_us = since_us_ = upstreams_.now_us();
  upstreams_.note_request(action_.upstream);
  persists_ = persists;
  shape_ = shape_of(head);
  const route::Upstream& upstream = upstreams_.config(action_.upstream);
  if (upstream.balance == route::Balance::hash) selection_.hash = hash_of(head, upstream, asker);
  if (upstream.balance == route::Balance::sticky) {
    const std::string_view value = cookie_value(head, upstream.hash_name);
    std::from_chars(value.data(), value.data() + value.size(), selection_.stuck_to, 16);
  }
  take_target();
  const std::string_view authority = target_ ? std::string_view(target_->authority) : "-";
  std::string bytes = preface(action_.upstream);
  append_request_head(head, match, action_, asker, authority, shape_, bytes);
  const auto inbound = shape_.framing == http::Framing::none      ? transfer::Inbound::none
                       : shape_.framing == http::Framing::chunked ? transfer::Inbound::chunked
                                                                  : transfer::Inbound::length;
  const auto outbound = inbound == transfer::Inbound::chunked ? transfer::Outbound::chunked
                                                              : transfer::Outbound::plain;
  request_.start(std::move(bytes), inbound, shape_.content_length, outbound, true);
  request_.limit(action_.body_bytes);
  if (action_.mirrors.empty()) return;
  begin_mirrors(head, match, asker);
  if (feed_ && request_.has_all()) complete_mirrors();
}

void Exchange::begin_raw(const AddressKey& client) {
  times_.begun_us = since_us_ = upstreams_.now_us();
  upstreams_.note_request(action_.upstream);
  is_raw_ = true;
  selection_.hash = hash_of(client);
  request_.start(preface(action_.upstream), transfer::Inbound::until_end, 0,
                 transfer::Outbound::plain, false);
}

bool Exchange::uses_proxy_protocol() const {
  return upstreams_.config(action_.upstream).proxy_protocol != 0;
}

/// What goes ahead of everything else on a connection of its own.
std::string Exchange::preface(uint32_t upstream) const {
  std::string bytes;
  const uint8_t version = upstreams_.config(upstream).proxy_protocol;
  if (version == 0) return bytes;
  http::ProxyEnd source, destination;
  downstream_.ends(source, destination);
  http::append_proxy_header(version, source, destination, bytes);
  return bytes;
}

Exchange::Outcome Exchange::advance(std::string_view date_field) {
  date_field_ = date_field;
  outcome_ = Outcome::waiting;
  wants_turn_ = false;
  bool goes_on = true;
  while (goes_on) {
    switch (state_) {
      case State::choosing: goes_on = choose(); break;
      case State::queued: goes_on = leave_queue(); break;
      case State::connecting: goes_on = await_connection(); break;
      case State::requesting: goes_on = await_head(); break;
      case State::relaying: goes_on = relay(); break;
      case State::tunnelling: goes_on = tunnel(); break;
      default: goes_on = false;
    }
  }
  date_field_ = {};
  if (connection_ != nullptr) connection_->save();
  if (outcome_ == Outcome::waiting && wants_turn_) return Outcome::more;
  return outcome_;
}

/// Chooses a target and takes a place there.
Upstreams::Chosen Exchange::take_target() {
  selection_.tried = tried_;
  const Upstreams::Chosen chosen = upstreams_.choose(action_.upstream, selection_);
  is_counted_ = chosen.target != nullptr;
  is_trial_ = chosen.is_trial;
  if (is_counted_) target_ = Ref<Target>(chosen.target);
  return chosen;
}

void Exchange::leave_target() {
  if (std::exchange(is_trial_, false)) target_->end_trial();
  if (std::exchange(is_counted_, false)) upstreams_.leave(action_.upstream, *target_);
}

bool Exchange::choose() {
  if (!is_counted_) {
    const Upstreams::Chosen chosen = take_target();
    if (chosen.target == nullptr) return wait_for_target(chosen.is_full);
    if (!patch_target()) return ends(Outcome::refused, error_);
  }
  ++tries_;
  target_->requests.fetch_add(1, std::memory_order_relaxed);
  since_us_ = upstreams_.now_us();
  if (!wants_fresh_ && !is_raw_ && !uses_proxy_protocol()) {
    // What cannot be sent twice takes a connection that is known to be there.
    const bool verified = !shape_.is_idempotent || !request_.can_rewind() ||
                          upstreams_.config(action_.upstream).queues_without_targets;
    connection_ = upstreams_.take_idle(action_.upstream, *target_, verified);
  }
  if (connection_ != nullptr) {
    upstreams_.use(*connection_, *this);
    times_.connected_us = upstreams_.now_us();
    transit(Event::reuse);
    return true;
  }
  int error = 0;
  connection_ = upstreams_.connect(action_.upstream, *target_, error);
  if (connection_ == nullptr) {
    // A shortage of ours is not the target's fault.
    if (is_shortage(error)) return ends(Outcome::refused, ErrorCode::out_of_descriptors);
    return fail_target(ErrorCode::upstream_refused);
  }
  upstreams_.use(*connection_, *this);
  transit(Event::connect);
  return true;
}

/// Nobody can have the request now.
bool Exchange::wait_for_target(bool is_full) {
  const bool waits = is_full || upstreams_.config(action_.upstream).queues_without_targets;
  if (!waits) {
    return ends(Outcome::refused, error_ != ErrorCode::none ? error_ : ErrorCode::no_target);
  }
  if (!upstreams_.enter_queue(action_.upstream, *this)) {
    return ends(Outcome::refused, ErrorCode::queue_full);
  }
  since_us_ = upstreams_.now_us();  // another target may have had its time before
  transit(Event::wait);
  return false;
}

/// A place may have come free. The queue is left only with a place, so that nobody overtakes.
bool Exchange::leave_queue() {
  if (take_target().target == nullptr) return false;
  upstreams_.leave_queue(action_.upstream, *this);
  transit(Event::room);
  return patch_target() || ends(Outcome::refused, error_);
}

/// The head names the target that it goes to, where its Host is the target's.
bool Exchange::patch_target() {
  const bool is_named = shape_.names_target;
  if (!request_.rewind(is_named ? std::string_view(target_->authority) : std::string_view(),
                       shape_.host_at, shape_.host_size)) {
    return false;
  }
  if (is_named) shape_.host_size = target_->authority.size();
  return true;
}

bool Exchange::await_connection() {
  if (target_->is_relayed) {
    ErrorCode error = ErrorCode::none;
    if (!connection_->is_greeted(error)) return error != ErrorCode::none && fail_target(error);
  } else {
    if (connection_->is_broken()) return fail_target(ErrorCode::upstream_refused);
    if (!connection_->is_connected()) return false;
  }
  times_.connected_us = since_us_ = upstreams_.now_us();
  if (is_raw_) {
    target_->answered(upstreams_.now_us());
    response_.start({}, transfer::Inbound::until_end, 0, transfer::Outbound::plain, false);
    transit(Event::opened);
    return true;
  }
  transit(Event::connected);
  return true;
}

transfer::FlowContext Exchange::upward() {
  return {downstream_,           downstream_.socket(),
          connection_->socket(), action_.copy_only ? nullptr : &upstreams_.pipes(),
          upstreams_.now_us(),   kTurnBytes,
          limits_.splice_bytes};
}

transfer::FlowContext Exchange::downward() {
  transfer::Sink* const sink = downstream_.sink();
  return {*connection_,         connection_->socket(),
          downstream_.socket(), action_.copy_only ? nullptr : &upstreams_.pipes(),
          upstreams_.now_us(),  sink == nullptr ? kTurnBytes : kSinkTurnBytes,
          limits_.splice_bytes, sink};
}

/// While its sink is full a source has nothing to tell: each packet of a fast one would wake us for
/// nothing, which costs a quarter of a long body's CPU time (docs/design/0005).
void Exchange::listen_upstream(Step step) {
  if (step == Step::sink_full) upstreams_.set_deaf(*connection_, true);
  if (step == Step::source_empty) upstreams_.set_deaf(*connection_, false);
}

void Exchange::listen_downstream(Step step) {
  if (step == Step::sink_full) downstream_.set_deaf(true);
  if (step == Step::source_empty) downstream_.set_deaf(false);
}

void Exchange::note_progress() { since_us_ = upstreams_.now_us(); }

/// Sends what there is of the request. False: the exchange has ended.
bool Exchange::pump_request() {
  if (request_broken_ || request_.is_done()) return true;
  const uint64_t before = request_.moved();
  const Step step = request_.run(upward());
  if (feed_ && request_.has_all()) complete_mirrors();
  if (request_.moved() != before) note_progress();
  listen_downstream(step);
  switch (step) {
    case Step::more: wants_turn_ = true; return true;
    case Step::source_ended:
    case Step::source_failed: return ends(Outcome::gone, ErrorCode::client_gone);
    case Step::bad_framing: return ends(Outcome::refused, request_.error());
    case Step::too_large: return ends(Outcome::refused, ErrorCode::body_too_large);
    case Step::sink_failed: request_broken_ = true; return true;  // its answer may be there already
    default: return true;
  }
}

bool Exchange::await_head() {
  // Who speaks before anything was asked is not answering us.
  if (request_.moved() == 0 && connection_->socket().readable) {
    if (fetch_head() || state_ != State::requesting) return state_ != State::ended;
  }
  if (!pump_request()) return false;
  // Interim responses that wait.
  if (response_.has_pending() && response_.run(downward()) == Step::sink_failed) {
    return ends(Outcome::gone, ErrorCode::client_gone);
  }
  return fetch_head();
}

/// Reads until the final head is complete. True: it is, and the state has changed.
bool Exchange::fetch_head() {
  http::ResponseHead& head = upstreams_.head_scratch();
  for (;;) {
    if (!connection_->unread().empty()) {
      // Nothing of the request has gone out: this answers something else.
      if (request_.moved() == 0) return fail_target(ErrorCode::unexpected_response);
      const http::ParseResult result = http::parse_response(
          connection_->unread(), head_seen_, limits_.response_head, shape_.is_head, head);
      if (result.status == http::ParseStatus::error) return fail_target(result.error);
      if (result.status == http::ParseStatus::ok) {
        head_seen_ = 0;
        if (times_.first_byte_us == 0) times_.first_byte_us = upstreams_.now_us();
        if (head.is_interim) interim_bytes_ += result.consumed;
        if (interim_bytes_ > limits_.response_head.head_bytes) {
          return fail_target(ErrorCode::upstream_head_too_large);
        }
        if (connection_->speaks_for_target()) {
          if (const ErrorCode fault = fault_in(head); fault != ErrorCode::none) {
            return fail_target(fault, is_before_request(fault));
          }
        }
        if (action_.file && !head.is_interim) {
          const std::string_view value = instruction_in(head, *action_.file);
          if (value.data() != nullptr) return obey(head, value, result.consumed);
        }
        if (!head.is_interim && !downstream_.may_respond(head)) return false;
        if (!on_head(head)) return false;
        connection_->consume(result.consumed);
        if (state_ != State::requesting) return true;
        continue;
      }
      head_seen_ = connection_->unread().size();
    }
    if (!connection_->socket().readable) return false;
    switch (connection_->fill_more()) {
      case transfer::Reader::Fill::got: note_progress(); break;
      case transfer::Reader::Fill::empty: return false;
      default:
        return fail_target(connection_->unread().empty() ? ErrorCode::upstream_closed
                                                         : ErrorCode::upstream_cut_head);
    }
  }
}

bool Exchange::on_head(const http::ResponseHead& head) {
  if (head.is_interim) return on_interim(head);
  if (head.status == 101) {
    if (!shape_.wants_upgrade || !head.has_upgrade)
      return fail_target(ErrorCode::unexpected_upgrade);
    begin_tunnel(head);
    transit(Event::upgraded);
  } else {
    begin_response(head);
    transit(Event::head);
  }
  note_progress();
  return true;
}

bool Exchange::relay() {
  if (!request_.is_done() && !pump_request()) {
    // Too late for an answer of ours.
    if (outcome_ == Outcome::refused) outcome_ = Outcome::cut;
    return false;
  }
  const uint64_t before = response_.moved();
  const Step step = response_.run(downward());
  if (response_.moved() != before) note_progress();
  listen_upstream(step);
  switch (step) {
    case Step::done: finish_response(); return false;
    case Step::more: wants_turn_ = true; return false;
    case Step::source_empty:
    case Step::sink_full: return false;
    case Step::sink_failed: return ends(Outcome::gone, ErrorCode::client_gone);
    case Step::bad_framing:
      target_->failed(upstreams_.config(action_.upstream), upstreams_.now_us());
      return ends(Outcome::cut, ErrorCode::upstream_bad_body);
    default:
      target_->failed(upstreams_.config(action_.upstream), upstreams_.now_us());
      return ends(Outcome::cut, ErrorCode::upstream_cut_body);
  }
}

void Exchange::finish_response() {
  target_->succeeded(upstreams_.now_us());
  const bool is_clean = connection_->unread().empty();
  let_go(upstream_persists_ && request_.is_done() && !request_broken_ && is_clean);
  // The rest of the request cannot be told from the next one.
  if (!request_.has_all()) persists_ = false;
  ends(Outcome::answered);
}

/// One direction has ended: its sink is told when everything before that is out.
bool Exchange::tunnel() {
  const uint64_t before = request_.moved() + response_.moved();
  for (int direction = 0; direction < 2; ++direction) {
    if (is_tunnel_done_[direction]) continue;
    transfer::Flow& flow = direction == 0 ? request_ : response_;
    const transfer::FlowContext context = direction == 0 ? upward() : downward();
    const Step step = flow.run(context);
    direction == 0 ? listen_downstream(step) : listen_upstream(step);
    switch (step) {
      case Step::more: wants_turn_ = true; break;
      case Step::source_empty:
      case Step::sink_full: break;
      case Step::done: is_tunnel_done_[direction] = net::end_sending(context.to); break;
      case Step::sink_failed:
        // It takes no more, but what it has sent is still to be delivered; its end will come.
        is_tunnel_done_[direction] = true;
        break;
      default:
        ends_by_close_ = true;  // a FIN would say that this was all
        return ends(Outcome::cut, ErrorCode::tunnel_broken);
    }
  }
  if (request_.moved() + response_.moved() != before) note_progress();
  if (!is_tunnel_done_[0] || !is_tunnel_done_[1]) return false;
  target_->succeeded(upstreams_.now_us());
  let_go(false);
  return ends(Outcome::answered);
}

/// Whether another target may be tried after `error`.
bool Exchange::may_try_again(ErrorCode error) const {
  const bool nothing_sent = !was_sent_;
  if (request_.moved() > 0 && !request_.can_rewind()) return false;
  if (error_info(error).retry == Retry::no) return false;
  // What ended an app must not be given to the next one.
  if (upstreams_.config(action_.upstream).queues_without_targets) return nothing_sent;
  return nothing_sent || shape_.is_safe || (action_.retry_unsafe);
}

/// Whether there is another target for the request, and a place for that in the budget.
bool Exchange::may_go_elsewhere(ErrorCode error) {
  if (tries_ > action_.retries || !may_try_again(error)) return false;
  tried_.push_back(target_.get());
  selection_.tried = tried_;
  return upstreams_.may_retry(action_.upstream, selection_);
}

/// The target did not answer. True: the exchange goes on with another try. `is_untold`: it has seen
/// nothing of the request, whoever took that.
bool Exchange::fail_target(ErrorCode error, bool is_untold) {
  const bool was_idle = connection_ != nullptr && connection_->requests() > 0;
  was_sent_ = was_sent_ || (request_.moved() > 0 && !is_untold);
  const bool said_nothing = error == ErrorCode::upstream_closed;
  // An idle connection that was closed just now says nothing about the target.
  const bool is_stale = was_idle && said_nothing && !wants_fresh_;
  if (!is_stale) target_->failed(upstreams_.config(action_.upstream), upstreams_.now_us());
  const bool repeats = is_stale && shape_.is_idempotent && request_.can_rewind() &&
                       !upstreams_.config(action_.upstream).queues_without_targets;
  const bool elsewhere = !repeats && may_go_elsewhere(error);
  let_go(false);
  if (!repeats && !elsewhere) return ends(Outcome::refused, error);
  error_ = error;
  wants_fresh_ = repeats;
  head_seen_ = 0;
  interim_bytes_ = 0;
  request_broken_ = false;
  if (repeats) {
    --tries_;
    is_counted_ = target_->enter(0);
    if (!patch_target()) return ends(Outcome::refused, error);
  } else {
    target_->retries.fetch_add(1, std::memory_order_relaxed);
  }
  transit(Event::retry);
  return true;
}

void Exchange::let_go(bool reusable) {
  leave_target();
  downstream_.set_deaf(false);
  if (connection_ == nullptr) return;
  UpstreamConnection& connection = *std::exchange(connection_, nullptr);
  if (reusable && !uses_proxy_protocol()) return upstreams_.keep(connection, idle_ms_);
  upstreams_.close(connection);
}

}  // namespace sluice::proxy
