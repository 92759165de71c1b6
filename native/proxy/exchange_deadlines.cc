// How long each state of an exchange may last, and what comes of it when that is over: another try,
// an answer of ours, or the end of both connections.
#include <algorithm>

#include "core/timer_wheel.h"
#include "proxy/exchange.h"

namespace sluice::proxy {

using State = ExchangeState;

int64_t Exchange::deadline_ms() const {
  const route::ProxyTimeouts& timeouts = action_.timeouts;
  auto after = [this](int64_t ms) { return ms == 0 ? TimerWheel::kNever : since_us_ / 1000 + ms; };
  int64_t deadline = TimerWheel::kNever;
  switch (state_) {
    case State::queued: deadline = after(upstreams_.config(action_.upstream).queue_ms); break;
    case State::connecting: deadline = after(timeouts.connect); break;
    case State::requesting:
      deadline = after(waits_for_body() ? limits_.body_ms : timeouts.first_byte);
      break;
    case State::relaying:
      // How long a slow client may take is for the connection to judge.
      if (!waits_for_client()) deadline = after(timeouts.between);
      break;
    case State::tunnelling: return after(timeouts.tunnel);
    default: return TimerWheel::kNever;
  }
  if (timeouts.total == 0) return deadline;
  return std::min(deadline, times_.begun_us / 1000 + timeouts.total);
}

bool Exchange::waits_for_body() const {
  const bool waits_for_leave = shape_.expects_continue && interim_bytes_ == 0;
  // A tunnel may be silent for as long as timeouts.tunnel says.
  return !is_tunnel() && !request_.has_all() && !request_.has_pending() && !request_broken_ &&
         (!waits_for_leave || request_.taken() > 0);
}

/// Nothing of a final response has come in time.
void Exchange::on_late_answer(ErrorCode over) {
  if (over != ErrorCode::none) {
    ends(Outcome::refused, over);
  } else if (state_ == State::connecting) {
    fail_target(ErrorCode::connect_timeout);
  } else if (waits_for_body()) {
    ends(Outcome::refused, ErrorCode::body_timeout);
  } else {
    fail_target(ErrorCode::first_byte_timeout);
  }
}

bool Exchange::is_over_total() const {
  const int64_t total = action_.timeouts.total;
  return total != 0 && upstreams_.now_us() / 1000 >= times_.begun_us / 1000 + total;
}

Exchange::Outcome Exchange::on_deadline() {
  outcome_ = Outcome::waiting;
  const ErrorCode over = is_over_total() ? ErrorCode::total_timeout : ErrorCode::none;
  switch (state_) {
    case State::queued:
      upstreams_.leave_queue(action_.upstream, *this);
      ends(Outcome::refused, over != ErrorCode::none ? over : ErrorCode::queue_timeout);
      break;
    case State::connecting:
    case State::requesting: on_late_answer(over); break;
    case State::relaying:
      if (over != ErrorCode::none) {
        ends(Outcome::cut, over);
      } else {
        target_->failed(upstreams_.config(action_.upstream), upstreams_.now_us());
        ends(Outcome::cut, ErrorCode::between_timeout);
      }
      break;
    case State::tunnelling: ends(Outcome::cut, ErrorCode::tunnel_timeout); break;
    default: break;
  }
  // A retry goes on in advance().
  if (state_ != State::ended) return Outcome::more;
  let_go(false);
  return outcome_;
}

}  // namespace sluice::proxy
