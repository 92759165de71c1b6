// What an exchange makes of a response head: the head for the client, a tunnel, or the file that it
// asks for. Each begins a flow or ends the exchange; the loop is in exchange.cc.
#include <algorithm>

#include "core/limits.h"
#include "proxy/exchange.h"

namespace sluice::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;
using Step = transfer::Flow::Step;

/// 100 and 103 are passed on at once, to clients that know them (RFC 9110 §15.2).
bool Exchange::on_interim(const http::ResponseHead& head) {
  request_.stop_keeping();
  note_progress();
  if (!shape_.is_minor_0 && downstream_.sink() == nullptr) {
    std::string bytes = response_.take_pending();
    append_interim_head(head, action_, bytes);
    response_.start(std::move(bytes), transfer::Inbound::none, 0, transfer::Outbound::plain, false);
    if (response_.run(downward()) == Step::sink_failed) {
      return ends(Outcome::gone, ErrorCode::client_gone);
    }
    // What the socket did not take now goes out ahead of the final head.
  }
  return true;
}

/// The target wants a file to be sent in its stead. Always false: the exchange has ended.
bool Exchange::obey(const http::ResponseHead& head, std::string_view value, size_t head_bytes) {
  note_persistence(head);
  read_instruction(head, action_, value, sticky_cookie(), instruction_.emplace());
  instruction_->pending = response_.take_pending();
  // A body that came along is nobody's; one that is still to come ends the connection.
  const bool has_body = head.framing == http::ResponseFraming::length && head.content_length > 0;
  const size_t behind = connection_->unread().size() - head_bytes;
  const bool is_all_here =
      head.framing == http::ResponseFraming::none ||
      (head.framing == http::ResponseFraming::length && head.content_length == behind);
  connection_->consume(head_bytes + (has_body && is_all_here ? behind : 0));
  target_->succeeded(upstreams_.now_us());
  let_go(upstream_persists_ && is_all_here && request_.is_done() && !request_broken_);
  return ends(Outcome::instructed);
}

void Exchange::note_persistence(const http::ResponseHead& head) {
  upstream_persists_ = head.keep_alive && head.framing != http::ResponseFraming::until_close;
  idle_ms_ = upstreams_.config(action_.upstream).idle_ms;
  if (head.keep_alive_timeout_s >= 0) {
    // The target's own limit, and a moment less: its FIN must not cross a request.
    idle_ms_ = std::min<int64_t>(idle_ms_, head.keep_alive_timeout_s * 1000 - kIdleMarginMs);
  }
}

/// What binds the client to this target; empty where nothing is to be said.
std::string Exchange::sticky_cookie() const {
  std::string sticky;
  const route::Upstream& upstream = upstreams_.config(action_.upstream);
  if (upstream.balance != route::Balance::sticky) return sticky;
  const uint64_t number = sticky_number(*target_);
  if (number != selection_.stuck_to) append_sticky_cookie(upstream.hash_name, number, sticky);
  return sticky;
}

void Exchange::begin_response(const http::ResponseHead& head) {
  request_.stop_keeping();
  target_->answered(upstreams_.now_us());
  status_ = head.status;
  note_persistence(head);
  connection_->note_bulk(head.framing == http::ResponseFraming::length && !action_.copy_only &&
                         downstream_.socket().sends == nullptr &&
                         head.content_length >= kBulkHeadBytes + limits_.splice_bytes);
  ResponseShape shape;
  shape.is_minor_0 = shape_.is_minor_0;
  switch (head.framing) {
    case http::ResponseFraming::none: break;
    case http::ResponseFraming::length: shape.inbound = transfer::Inbound::length; break;
    case http::ResponseFraming::chunked: shape.inbound = transfer::Inbound::chunked; break;
    case http::ResponseFraming::until_close: shape.inbound = transfer::Inbound::until_end; break;
  }
  if (downstream_.sink() != nullptr) {
    persists_ = false;
    response_.start({}, shape.inbound, head.content_length, transfer::Outbound::plain, false);
    return downstream_.on_response(status_);
  }
  const bool has_no_length =
      shape.inbound == transfer::Inbound::chunked || shape.inbound == transfer::Inbound::until_end;
  ends_by_close_ = has_no_length && shape_.is_minor_0;
  if (ends_by_close_) persists_ = false;
  if (has_no_length && !shape_.is_minor_0) shape.outbound = transfer::Outbound::chunked;
  // The body that the client holds back may still come or not: nothing can follow it.
  const bool is_body_held = shape_.expects_continue && !request_.has_all() && request_.taken() == 0;
  persists_ = persists_ && !is_body_held && downstream_.may_persist();
  shape.persists = persists_;
  shape.date_field = date_field_;
  const std::string sticky = sticky_cookie();
  shape.extra_fields = sticky;
  shape.listener_fields = downstream_.response_fields();
  std::string bytes = response_.take_pending();  // interim heads that wait
  append_response_head(head, action_, shape, bytes);
  response_.start(std::move(bytes), shape.inbound, head.content_length, shape.outbound, false);
  downstream_.on_response(status_);
}

void Exchange::begin_tunnel(const http::ResponseHead& head) {
  target_->answered(upstreams_.now_us());
  status_ = 101;
  persists_ = false;
  ends_by_close_ = false;
  ResponseShape shape;
  shape.is_upgrade = true;
  shape.date_field = date_field_;
  std::string bytes = response_.take_pending();
  append_response_head(head, action_, shape, bytes);
  response_.start(std::move(bytes), transfer::Inbound::until_end, 0, transfer::Outbound::plain,
                  false);
  // The request has no body that is not out: an upgrade with one waits for its end.
  request_.start(request_.take_pending(), transfer::Inbound::until_end, 0,
                 transfer::Outbound::plain, false);
  request_.limit(UINT64_MAX);  // that was for a body
  downstream_.on_response(status_);
}

}  // namespace sluice::proxy
