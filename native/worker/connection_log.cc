// What a connection tells the access log: one record for each request that began to arrive, exactly
// once. The first half is made when the response begins, while the request's head is there; the
// second when the socket has taken the last byte, or when the connection ends before.
//
//   begin ──> staged with the worker ──> all taken in this turn: complete
//                   └─> kept in outgoing_ ──> taken later, or cut off: complete
//
// A request that ends without a response is parsed again from the bytes that were kept.
#include "http/request_parser.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {

/// None for what the app asks: that is a part of a request that has its line.
log::AccessLog* Connection::access_log() const {
  return is_inner_ ? nullptr : worker_.access_log();
}

/// `head`: null when it was never parsed, and `received` is what came.
log::Request Connection::log_request(const http::RequestHead* head, std::string_view received,
                                     int64_t started_us) const {
  log::Request request;
  request.head = head;
  request.bytes = received;
  request.client = head != nullptr ? client_of(*head) : address_;
  request.started_us = started_us;
  return request;
}

/// The response's head is in the outbox, its body follows.
void Connection::log_begun(const files::Reply& reply, uint32_t route, transfer::Engine engine,
                           std::string_view received) {
  log::AccessLog& log = *access_log();
  if (!log.wants(reply.status)) return;
  // The head that was parsed last is that of the request under way, unless it was refused.
  const http::RequestHead* head = is_refused_ ? nullptr : &worker_.head_scratch();
  log::Request request = log_request(head, received, request_us_);
  if (route != unrouted()) request.route = route;
  if (hooks_ && head != nullptr) request.id = hooks_->id;  // what its hooks were told
  log::Lines& lines = log.staged();
  log::Lines::Line line;
  line.text = log.begin(request, lines.text());
  line.body_at = lines.taken() + worker_.outbox().bytes().size();
  line.ends_at = line.body_at + reply.length;
  line.started_us = request_us_;
  line.engine = transfer::engine_name(engine);
  line.status = reply.status;
  line.error = reply.error;
  lines.add(line);
}

void Connection::write_line(const log::Lines::Line& line, std::string_view begun, uint64_t bytes,
                            ErrorCode error) {
  log::Outcome outcome;
  outcome.status = line.status;
  outcome.bytes = bytes;
  outcome.started_us = line.started_us;
  outcome.ended_us = worker_.now_us();
  outcome.engine = line.engine;
  outcome.error = error;
  access_log()->end(begun, outcome);
}

/// The socket took `bytes` more of the connection's output.
void Connection::took(uint64_t bytes) {
  worker_.stats().bytes_out.add(bytes);
  if (access_log() == nullptr) return;
  log::Lines& lines = outgoing_ ? outgoing_->lines : access_log()->staged();
  if (lines.empty()) return;
  if (outgoing_) worker_.refresh_clock();
  lines.took(bytes, [this](const log::Lines::Line& line, std::string_view begun, uint64_t body) {
    write_line(line, begun, body, line.error);
  });
}

/// The connection ends: so do the responses that are not out, and the requests that have none.
void Connection::log_end(ErrorCode reason) {
  log::Lines& lines = outgoing_ ? outgoing_->lines : access_log()->staged();
  lines.cut_off([&](const log::Lines::Line& line, std::string_view begun, uint64_t body) {
    write_line(line, begun, body, reason == ErrorCode::none ? line.error : reason);
  });
  if (state_ != State::discarding_body && state_ != State::lingering) log_unanswered(reason);
}

/// Whatever has come and was not answered: heads, the last of them perhaps incomplete.
void Connection::log_unanswered(ErrorCode reason) {
  const bool is_parsed = consumed_ > 0;
  // What follows an answered request may be its body.
  if (!is_parsed && (!keep_ || body_ != http::Framing::none)) return;
  // Between turns input_ views nothing.
  std::string_view bytes = input_.data() == nullptr ? std::string_view(kept_) : input_;
  log::Outcome outcome;
  outcome.error = reason;
  outcome.started_us = is_parsed ? request_us_ : since_ms_ * 1'000;
  outcome.ended_us = worker_.now_us();
  http::RequestHead& head = worker_.head_scratch();
  while (!bytes.empty()) {
    const http::ParseResult parsed =
        http::parse_request(bytes, 0, worker_.snapshot().limits.head, head);
    const bool is_whole = parsed.status == http::ParseStatus::ok;
    const http::RequestHead* whole = is_whole ? &head : nullptr;
    access_log()->log(log_request(whole, bytes, outcome.started_us), outcome);
    if (!is_whole || head.framing != http::Framing::none) return;
    bytes.remove_prefix(parsed.consumed);
  }
}

/// Before a request that was parked is answered without being handled again: its head is another's
/// by now.
void Connection::parse_again() {
  if (access_log() == nullptr) return;
  http::parse_request(input_, 0, worker_.snapshot().limits.head, worker_.head_scratch());
}

}  // namespace sluice::worker
