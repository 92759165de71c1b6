// A connection whose request an upstream answers: hands the request over, drives the exchange and
// takes up where it ends. The exchange moves every byte; what is counted is counted here.
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "http/chars.h"
#include "net/acknowledged.h"
#include "net/sys.h"
#include "net/transport.h"
#include "proxy/client_address.h"
#include "worker/connection.h"
#include "worker/error_reply.h"
#include "worker/worker.h"

namespace sluice::worker {

using proxy::Exchange;

/// True: the connection can go on now.
bool Connection::forward(const http::RequestHead& head, const route::ProxyAction& action,
                         const route::Match& match) {
  // What was answered before goes out first: the response will not pass through the outbox.
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  if (head.framing == http::Framing::length && head.content_length > action.body_bytes) {
    keep_ = false;
    return refuse(ErrorCode::body_too_large, match.route);
  }
  const route::Limits& limits = worker_.snapshot().limits;
  keep_ = head.keep_alive && may_persist() &&
          (limits.keep_alive_requests == 0 || requests_ + 1 < limits.keep_alive_requests);
  // The exchange reads the body, not we.
  body_ = http::Framing::none;
  chunks_.reset();
  AskerTexts texts;
  const proxy::Asker asker = asker_of(head, texts);
  forwarding_ = std::make_unique<Forwarding>(worker_.serving(), action, worker_.upstreams(), *this,
                                             worker_.exchange_limits(is_inner_));
  forwarding_->route = match.route;
  const route::HookPlan* plan = plan_of(match.route);
  const bool is_asked_of_errors = plan != nullptr && plan->on_error >= 0;
  if (action.file || is_asked_of_errors) forwarding_->head = input_.substr(0, consumed_);
  if (log::AccessLog* log = access_log()) {
    log::Request request = log_request(&head, {}, request_us_);
    request.route = match.route;
    request.id = proxy::request_id_for(head, action, asker);
    forwarding_->begun = log->begin(request, forwarding_->text);
  }
  forwarding_->exchange.begin(head, match, asker, keep_);
  input_.remove_prefix(consumed_);
  consumed_ = 0;
  head_seen_ = 0;
  transit(Event::forward);
  return true;
}

/// Who asks, for whoever gets the request; `texts` holds what it points at.
proxy::Asker Connection::asker_of(const http::RequestHead& head, AskerTexts& texts) {
  proxy::Asker asker;
  asker.address = {texts.address, net::write_address(address_, texts.address)};
  asker.is_secure = tls_ != nullptr;
  if (is_inner_) continue_for(head, asker);
  asker.is_peer_trusted = is_trusted_;
  asker.client = client_of(head);
  asker.port = local_port_;
  // The app says whose request it passes on, as it was told.
  if (!is_inner_) asker.reserved = worker_.snapshot().subject_fields;
  if (tls_) {
    asker.subject_field = worker_.rules(listener_).subject_field;
    if (!asker.subject_field.empty()) asker.subject = tls_->client_subject();
  }
  asker.request_id = hooks_ ? request_id() : worker_.next_request_id(texts.id);
  return asker;
}

/// Everything that comes is passed on, from the first byte.
bool Connection::forward_raw(const route::ProxyAction& action) {
  keep_ = false;
  request_us_ = worker_.now_us();
  forwarding_ = std::make_unique<Forwarding>(worker_.serving(), action, worker_.upstreams(), *this,
                                             worker_.exchange_limits(false));
  forwarding_->route = unrouted();
  forwarding_->is_raw = true;
  if (log::AccessLog* log = access_log()) {
    log::Request request;
    request.client = address_;
    request.started_us = request_us_;
    forwarding_->begun = log->begin(request, forwarding_->text);
  }
  forwarding_->exchange.begin_raw(address_);
  transit(Event::forward);
  return true;
}

/// The app has the request from us: who asks is the last that we wrote down then.
void Connection::continue_for(const http::RequestHead& head, proxy::Asker& asker) const {
  const std::string_view chain = head.find(http::FieldId::x_forwarded_for);
  const size_t comma = chain.rfind(',');
  if (chain.empty()) return;
  asker.is_continued = true;
  asker.is_secure = head.find(http::FieldId::x_forwarded_proto) == "https";
  asker.address =
      http::trim_white_space(comma == std::string_view::npos ? chain : chain.substr(comma + 1));
}

AddressKey Connection::client_of(const http::RequestHead& head) const {
  if (!is_trusted_) return address_;
  return proxy::client_of(head, address_, worker_.snapshot().trusted_proxies);
}

bool Connection::may_persist() const { return !worker_.draining() && !is_leaving_; }

void Connection::set_deaf(bool is_deaf) {
  // The first turn is not over: it will hear from its end on.
  if (registered_ && state_ != State::closed) worker_.loop().set_deaf(socket_, is_deaf, this);
}

void Connection::ends(http::ProxyEnd& source, http::ProxyEnd& destination) const {
  source = {address_, port_};
  sockaddr_storage local{};
  socklen_t length = sizeof local;
  if (sys::getsockname(socket_.fd, reinterpret_cast<sockaddr*>(&local), &length) < 0) return;
  destination = {net::to_key(local), net::to_endpoint(local).port};
}

proxy::Hold Connection::hold() const {
  const Ref<Generation>& held = forwarding_->generation;
  return {held->number(), std::make_shared<const Ref<Generation>>(held)};
}

transfer::Reader::Fill Connection::fill(size_t& room) {
  assert(input_.empty());
  std::span<char> scratch = worker_.input_scratch();
  room = scratch.size();
  const ssize_t got = net::receive(socket_, scratch.data(), scratch.size());
  if (got > 0) {
    input_ = {scratch.data(), static_cast<size_t>(got)};
    worker_.stats().bytes_in.add(static_cast<size_t>(got));
    return Fill::got;
  }
  if (got == -EAGAIN) return Fill::empty;
  return got == 0 ? Fill::ended : Fill::failed;
}

void Connection::on_exchange() {
  if (state_ == State::proxying) drive();
}

void Connection::on_response(uint16_t status) {
  WorkerStats& stats = worker_.stats();
  stats.requests.add();
  stats.statuses[status].add();
  ++requests_;
  ++answered_;
}

bool Connection::step_proxying() {
  Exchange& exchange = forwarding_->exchange;
  // A client that has gone wants no answer, and nobody else would notice before the next write: an
  // event stream may be silent for hours. Its FIN is all we see (DESIGN §7).
  if (socket_.peer_ended && !exchange.is_tunnel() && !exchange.allows_half_close()) {
    close(ErrorCode::client_gone);
    return false;
  }
  const Exchange::Outcome outcome = exchange.advance(worker_.outbox().date_field());
  const bool is_refused =
      hooks_ && hooks_->answer && !exchange.has_begun_response() &&
      (outcome == Exchange::Outcome::waiting || outcome == Exchange::Outcome::more);
  return after_exchange(is_refused ? exchange.give_up(ErrorCode::hook_failed) : outcome);
}

/// Counts how fast the client is from when the exchange waits for it.
void Connection::watch_pace() {
  if (is_inner_) return;
  const bool is_upload = forwarding_->exchange.waits_for_body();
  if (!is_upload && !forwarding_->exchange.waits_for_client()) return;
  if (forwarding_->pace.has_begun() && forwarding_->is_upload == is_upload) return;
  forwarding_->is_upload = is_upload;
  forwarding_->pace.restart(worker_.now_ms());
}

int64_t Connection::exchange_deadline_ms() const {
  const route::Timeouts& timeouts = worker_.snapshot().timeouts;
  // How long a hook may take is not the target's business.
  if (hooks_ && hooks_->ticket.serial != 0) return hook_deadline_ms();
  const int64_t deadline = forwarding_->exchange.deadline_ms();
  if (!forwarding_->pace.has_begun()) return deadline;
  const int64_t period = forwarding_->is_upload ? timeouts.body : timeouts.write;
  return std::min(deadline, forwarding_->pace.due_ms(period));
}

void Connection::on_exchange_alarm() {
  if (hooks_ && hooks_->ticket.serial != 0) {
    const bool was_sent = hooks_->was_sent;
    leave_hooks();
    after_exchange(forwarding_->exchange.give_up(was_sent ? ErrorCode::hook_timeout
                                                          : ErrorCode::hook_unavailable));
    return;
  }
  if (worker_.now_ms() >= forwarding_->exchange.deadline_ms()) {
    after_exchange(forwarding_->exchange.on_deadline());
    return;
  }
  if (const ErrorCode error = judge_pace(); error != ErrorCode::none) close(error);
}

/// A sample of the client's pace; what it is closed for.
ErrorCode Connection::judge_pace() {
  const Exchange& exchange = forwarding_->exchange;
  const route::Timeouts& timeouts = worker_.snapshot().timeouts;
  const bool is_upload = forwarding_->is_upload;
  if (is_upload ? !exchange.waits_for_body() : !exchange.waits_for_client()) {
    forwarding_->pace = Pace();  // the target is slow, not the client
    return ErrorCode::none;
  }
  uint64_t bytes = exchange.request_flow().taken();
  if (!is_upload) {
    const int64_t acknowledged = net::acknowledged_bytes(socket_.fd);
    bytes =
        acknowledged < 0 ? exchange.response_flow().moved() : static_cast<uint64_t>(acknowledged);
  }
  switch (forwarding_->pace.sample(is_upload ? timeouts.body : timeouts.write, bytes,
                                   timeouts.minimum_rate)) {
    case Pace::Verdict::fine: return ErrorCode::none;
    case Pace::Verdict::stalled:
      return is_upload ? ErrorCode::body_timeout : ErrorCode::write_timeout;
    case Pace::Verdict::slow: return ErrorCode::too_slow;
  }
  return ErrorCode::none;
}

/// True: the connection can go on now.
bool Connection::after_exchange(Exchange::Outcome outcome) {
  Exchange& exchange = forwarding_->exchange;
  const ErrorCode error = exchange.error();
  switch (outcome) {
    case Exchange::Outcome::waiting: return false;
    case Exchange::Outcome::more: run_later(); return false;
    case Exchange::Outcome::answered:
      record_exchange(ErrorCode::none);
      keep_ = exchange.persists() && !is_leaving_;
      is_refused_ = !exchange.has_whole_request();
      forwarding_.reset();
      hooks_.reset();
      since_ms_ = worker_.now_ms();
      transit(Event::sent);
      return keep_ || end_after_response();
    case Exchange::Outcome::instructed: return obey();
    case Exchange::Outcome::refused:
      if (!forwarding_->is_raw) return refuse_forwarded(error);
      report_target(error);
      close(error);  // whatever is spoken here, it is not for us to answer
      return false;
    case Exchange::Outcome::cut:
      report_target(error);
      if (exchange.needs_reset()) reset();
      close(error);
      return false;
    case Exchange::Outcome::gone: close(error); return false;
  }
  return false;
}

/// The head of the request is put back and handled again, for the file this time.
bool Connection::obey() {
  Exchange& exchange = forwarding_->exchange;
  const route::FileInstruction& rule = *exchange.action().file;
  instructed_ = std::make_unique<Instructed>();
  instructed_->instruction = exchange.take_instruction();
  instructed_->files = rule.files;
  instructed_->route = forwarding_->route;
  instructed_->copy_only = rule.copy_only;
  instructed_->generation = forwarding_->generation;
  instructed_->is_read = exchange.has_whole_request();
  std::string bytes = std::move(forwarding_->head);
  bytes.append(input_);
  kept_ = std::move(bytes);
  load_input();
  // Interim heads that the client has not taken yet.
  worker_.outbox().append(instructed_->instruction.pending);
  forwarding_.reset();
  since_ms_ = worker_.now_ms();
  transit(Event::sent);
  return true;
}

/// What went wrong with a target is for its operator to know, a line a second at most.
void Connection::report_target(ErrorCode error) {
  const ErrorInfo& info = error_info(error);
  if (info.source != ErrorSource::upstream || !worker_.may_report(error)) return;
  const Exchange& exchange = forwarding_->exchange;
  std::string message = "upstream " + worker_.upstreams().config(exchange.upstream()).name;
  if (!exchange.target_name().empty())
    message.append(" (").append(exchange.target_name()).append(")");
  message.append(": ").append(info.meaning);
  worker_.fault(info.name.data(), std::move(message));
}

/// No target answered: we do.
bool Connection::refuse_forwarded(ErrorCode error) {
  report_target(error);
  const uint32_t route = forwarding_->route;
  is_refused_ = !forwarding_->exchange.has_whole_request();
  keep_ = keep_ && !is_refused_;
  const route::HookPlan* plan = plan_of(route);
  const bool is_asked = hooks_ && plan != nullptr && plan->on_error >= 0;
  // Where a hook may answer instead, the line is written with its answer.
  if (access_log() != nullptr && !is_asked) {
    const uint64_t bytes = is_head_ ? 0 : error_reply(error).body->bytes.size();
    log_forwarded(error_info(error).status, transfer::memory_engine(cipher()), bytes, error);
    is_logged_ = true;
  }
  if (is_asked) keep_head(std::move(forwarding_->head));
  forwarding_.reset();
  transit(Event::sent);
  if (hooks_ && hooks_->answer) return reply_verdict(*hooks_->answer, route);
  is_forwarded_ = true;
  return refuse(error, route);
}

/// The end of the connection must not look like the end of the body: RST instead of FIN.
void Connection::reset() {
  const struct ::linger now { 1, 0 };
  sys::setsockopt(socket_.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

transfer::Engine Connection::response_engine() const {
  const bool is_spliced = forwarding_->exchange.response_flow().spliced() > 0;
  return is_spliced ? transfer::splice_engine(cipher()) : transfer::copy_engine(cipher());
}

/// The exchange is over, with a response or a part of one.
void Connection::record_exchange(ErrorCode error) {
  using transfer::Engine;
  const Exchange& exchange = forwarding_->exchange;
  WorkerStats& stats = worker_.stats();
  worker_.refresh_clock();
  const transfer::Flow& down = exchange.response_flow();
  const transfer::Flow& up = exchange.request_flow();
  const uint64_t spliced = down.spliced() + up.spliced();
  stats.engines[static_cast<size_t>(response_engine())].responses.add();
  stats.engines[static_cast<size_t>(transfer::splice_engine(cipher()))].bytes.add(spliced);
  stats.engines[static_cast<size_t>(transfer::copy_engine(cipher()))].bytes.add(
      down.taken() + up.taken() - spliced);
  stats.bytes_out.add(down.moved());
  record(forwarding_->route, {response_engine(), exchange.status(), true}, request_us_,
         down.taken());
  if (access_log() == nullptr) return;
  log_forwarded(exchange.status(), response_engine(), down.taken(), error);
}

void Connection::log_forwarded(uint16_t status, transfer::Engine engine, uint64_t bytes,
                               ErrorCode error) {
  log::AccessLog& log = *access_log();
  if (!log.wants(status)) return;
  const Exchange& exchange = forwarding_->exchange;
  const proxy::ExchangeTimes& times = exchange.times();
  log::Upstream upstream;
  upstream.target = exchange.target_name();
  if (times.connected_us > 0) upstream.connect_us = times.connected_us - times.begun_us;
  if (times.first_byte_us > 0) upstream.first_byte_us = times.first_byte_us - times.connected_us;
  upstream.total_us = worker_.now_us() - times.begun_us;
  upstream.retries = exchange.tries() > 0 ? exchange.tries() - 1 : 0;
  log::Outcome outcome;
  outcome.status = status;
  outcome.bytes = bytes;
  outcome.started_us = request_us_;
  outcome.ended_us = worker_.now_us();
  outcome.engine = transfer::engine_name(engine);
  outcome.error = error;
  outcome.upstream = &upstream;
  const log::Begun& begun = forwarding_->begun;
  log.end(forwarding_->text.part(begun.begin, begun.end), outcome);
}

/// The connection ends while an exchange is under way: what has gone out counts.
void Connection::end_exchange(ErrorCode reason) {
  const Exchange& exchange = forwarding_->exchange;
  if (exchange.has_begun_response()) {
    record_exchange(reason);
  } else if (access_log() != nullptr) {
    log_forwarded(0, transfer::copy_engine(cipher()), 0, reason);
  }
  forwarding_.reset();
}

}  // namespace sluice::worker
