// The receiving side of a connection: heads, bodies that nobody reads, and the drain before a
// close. `input_` views unread bytes; it points into the worker's scratch room or into kept_. A
// short read means that the socket is empty (epoll(7), edge-triggered), which saves a call that
// says EAGAIN.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "http/request_parser.h"
#include "net/transport.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {

constexpr size_t kFirstKeptBytes = 1024;  // a slow head costs little; it doubles from here

/// Makes input_ independent of the scratch room, at the start of kept_.
void Connection::save_input() {
  if (input_.empty()) {
    if (!kept_.empty()) std::string().swap(kept_);  // an idle connection holds no buffer
  } else if (input_.data() >= kept_.data() && input_.data() < kept_.data() + kept_.size()) {
    kept_.erase(0, static_cast<size_t>(input_.data() - kept_.data()));
  } else {
    kept_.assign(input_);
  }
  input_ = {};
}

/// One recv. True when bytes came; false when there are none now or the connection has ended.
bool Connection::read_more() {
  if (!socket_.readable) return false;
  std::span<char> room = worker_.input_scratch();
  size_t kept = input_.size();
  if (kept > 0) {
    save_input();
    kept_.resize(kept + std::max<size_t>(kept, kFirstKeptBytes));
    room = std::span<char>(kept_).subspan(kept);
  }
  ssize_t got = net::receive(socket_, room.data(), room.size());
  size_t bytes = got > 0 ? static_cast<size_t>(got) : 0;
  if (kept > 0) kept_.resize(kept + bytes);
  input_ = kept > 0 ? std::string_view(kept_) : std::string_view(room.data(), bytes);
  if (got > 0) {
    worker_.stats().bytes_in.add(bytes);
    return true;
  }
  if (got == -EAGAIN) return false;
  // Between requests it does not matter whether TLS ended with its alert.
  bool is_orderly = (got == 0 && input_.empty()) || state_ == State::lingering ||
                    (got == -ECONNRESET && tls_ && input_.empty() && requests_ > 0);
  close(is_orderly ? ErrorCode::none : ErrorCode::client_gone);
  return false;
}

bool Connection::step_head() {
  if (!input_.empty()) {
    http::RequestHead& head = worker_.head_scratch();
    http::ParseResult result =
        http::parse_request(input_, head_seen_, worker_.snapshot().limits.head, head);
    if (result.status == http::ParseStatus::ok) {
      if (answered_ == kTurnRequests) {
        run_later();
        return false;
      }
      return handle(head, result.consumed);
    }
    if (result.status == http::ParseStatus::error) {
      return refuse_head(result.error);
    }
    if (head_seen_ == 0) since_ms_ = requests_ == 0 ? since_ms_ : worker_.now_ms();
    head_seen_ = static_cast<uint32_t>(input_.size());
  }
  // What was answered goes out before we wait for more.
  if (!worker_.outbox().empty()) {
    Sent sent = flush(false);
    if (sent == Sent::blocked) transit(Event::block);
    if (sent != Sent::all) return false;
  }
  return read_more();
}

/// Remembers how the request's body is framed, so that it can be skipped after the response.
void Connection::expect_body(const http::RequestHead& head) {
  body_ = head.framing;
  body_pace_.reset();
  uint64_t most = std::min(kDiscardBytes, worker_.snapshot().limits.body_bytes);
  body_left_ = head.framing == http::Framing::length ? head.content_length : most;
  if (head.framing == http::Framing::chunked) chunks_ = std::make_unique<http::ChunkedDecoder>();
  if (head.framing == http::Framing::length && head.content_length == 0) {
    body_ = http::Framing::none;
  }
  // A client that waits for 100 and gets a final answer may or may not send its body (RFC 9110
  // §10.1.1): the framing is unknowable, so the connection ends. So does one with a long body.
  if (body_ == http::Framing::none) return;
  if (head.expect_continue || body_left_ > kDiscardBytes) keep_ = false;
}

/// Drops what has come of the body. Between turns nothing of it is kept.
bool Connection::step_body() {
  while (body_ != http::Framing::none) {
    if (input_.empty()) {
      if (!body_pace_) {
        body_pace_ = std::make_unique<Pace>();
        body_pace_->restart(worker_.now_ms());
      }
      if (!read_more()) return false;
      since_ms_ = worker_.now_ms();
      continue;
    }
    uint64_t payload = body_left_;
    if (body_ == http::Framing::chunked) {
      http::ChunkedDecoder::Result result = chunks_->next(input_);
      input_.remove_prefix(result.consumed);
      if (result.step == http::ChunkedDecoder::Step::done) body_ = http::Framing::none;
      if (result.step == http::ChunkedDecoder::Step::error) {
        // The answer is out already: it must not be lost to a reset.
        worker_.complain(result.error);
        linger();
        return true;
      }
      payload = result.payload;
    }
    uint64_t taken = std::min<uint64_t>(payload, input_.size());
    input_.remove_prefix(taken);
    if (chunks_ && taken > 0) chunks_->took(taken);
    if (taken > body_left_) {
      worker_.complain(ErrorCode::body_too_large);
      linger();
      return true;
    }
    body_left_ -= taken;
    if (body_ == http::Framing::length && body_left_ == 0) body_ = http::Framing::none;
  }
  chunks_.reset();
  body_pace_.reset();
  since_ms_ = worker_.now_ms();
  transit(Event::skipped);
  return !is_leaving_ || end_after_response();
}

/// Our side is shut; what the client still sends is read and dropped, within bounds, so that it
/// reads the answer instead of a reset (RFC 9112 §9.6).
bool Connection::step_linger() {
  if (!has_shut_) has_shut_ = net::end_sending(socket_);
  input_ = {};
  if (!read_more()) return false;
  body_left_ += input_.size();
  input_ = {};
  since_ms_ = worker_.now_ms();
  if (body_left_ < kTurnBytes) return true;
  body_left_ = 0;
  run_later();
  return false;
}

}  // namespace sluice::worker
