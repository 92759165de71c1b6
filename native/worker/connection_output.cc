// The sending side of a connection: heads and small bodies gathered and sent at once, larger bodies
// by an engine, in one order: nothing overtakes what is pending. A response that is not out at the
// end of the call continues in state `sending`, one budget a turn.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "net/sys.h"
#include "net/transport.h"
#include "transfer/choice.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {
namespace {

using transfer::Engine;
using transfer::Step;

/// A sendfile of so much takes as long as a copy of a quarter of it, and 100 MiB by half as many
/// calls cost 2 % less (`npm run bench:static -- --only "100 MiB"`).
constexpr uint64_t kSendfileTurnBytes = 2 * kTurnBytes;

uint64_t turn_bytes(const transfer::Transfer& body) {
  return body.engine == Engine::sendfile ? kSendfileTurnBytes : kTurnBytes;
}

}  // namespace

void Connection::record(uint32_t route, const TrafficKind& kind, int64_t started_us,
                        uint64_t bytes) {
  worker_.stats().traffic.add(route, kind, worker_.now_us() - started_us, bytes);
}

void Connection::record_gathered() {
  worker_.outbox().take_gathered([this](const Outbox::Gathered& done) {
    record(done.route, {transfer::memory_engine(cipher()), done.status, done.is_forwarded},
           done.started_us, done.bytes);
  });
}

/// Sends the outbox. What the socket does not take is kept in outgoing_; the caller then goes to
/// state `sending`.
Connection::Sent Connection::flush(bool more_follows) {
  Outbox& box = worker_.outbox();
  std::string_view bytes = box.bytes();
  if (bytes.empty()) return Sent::all;
  ssize_t sent = net::send(socket_, bytes.data(), bytes.size(), more_follows);
  if (sent < 0 && sent != -EAGAIN) {
    close(ErrorCode::client_gone);
    return Sent::gone;
  }
  size_t taken = sent < 0 ? 0 : static_cast<size_t>(sent);
  worker_.refresh_clock();
  took(taken);
  record_gathered();
  since_ms_ = worker_.now_ms();
  if (taken == bytes.size()) {
    box.clear();
    return Sent::all;
  }
  keep_outgoing();
  outgoing_->pending.assign(bytes.substr(taken));
  box.clear();
  return Sent::blocked;
}

/// Makes room for what the turn could not send, with the lines of those responses.
void Connection::keep_outgoing() {
  if (outgoing_) return;
  outgoing_ = std::make_unique<Outgoing>();
  if (access_log() != nullptr) outgoing_->lines = access_log()->staged().take_rest();
}

/// Answers the request under way. True: the connection can go on now.
bool Connection::begin(const files::Reply& reply, uint32_t route, bool copy_only) {
  WorkerStats& stats = worker_.stats();
  stats.requests.add();
  stats.statuses[reply.status].add();
  ++requests_;
  ++answered_;
  was_in_line_ = false;
  const std::string_view received = input_.substr(0, consumed_);
  input_.remove_prefix(consumed_);
  consumed_ = 0;
  head_seen_ = 0;
  append_head(reply.head, route);
  taken_.reset();
  // The body of an answer may be a verdict's, which is held until it has been handed on.
  const std::unique_ptr<HookRun> hooks = std::move(hooks_);
  Outbox& box = worker_.outbox();
  if (tls_) box.append(response_fields());
  box.finish_head(!keep_        ? Outbox::Persistence::close
                  : is_minor_0_ ? Outbox::Persistence::keep_alive
                                : Outbox::Persistence::implied);
  bool in_memory = reply.source == nullptr || reply.source->in_memory();
  Engine engine =
      transfer::choose_for_file(in_memory, !in_memory && reply.source->is_remote,
                                copy_only ? transfer::Mode::copy : transfer::Mode::automatic,
                                worker_.shared().sendfile_available, cipher())
          .engine;
  const Engine counted = reply.engine.value_or(engine);
  stats.engines[static_cast<size_t>(counted)].responses.add();
  if (access_log() != nullptr && !is_logged_) log_begun(reply, route, counted, received);
  is_logged_ = false;
  // An empty body too: a head sent with MSG_MORE would wait for bytes that never come.
  bool is_empty = reply.length == 0 && !reply.parts;
  bool is_gathered = is_empty || (in_memory && reply.length <= kGatherBytes);
  if (is_gathered) return gather(reply, route);
  return begin_large(reply, route, engine);
}

bool Connection::gather(const files::Reply& reply, uint32_t route) {
  Outbox& box = worker_.outbox();
  if (reply.length > 0) {
    box.append(std::string_view(reply.source->bytes).substr(reply.offset, reply.length));
    const Engine engine = transfer::memory_engine(cipher());
    worker_.stats().engines[static_cast<size_t>(engine)].bytes.add(reply.length);
  }
  box.gather({route, reply.status, is_forwarded_, request_us_, reply.length});
  is_forwarded_ = false;
  if (keep_ && body_ == http::Framing::none && !box.full()) return true;
  // What ends the connection waits for the FIN that follows at once: one packet instead of two.
  switch (flush(!keep_)) {
    case Sent::blocked: transit(Event::block); return false;
    case Sent::gone: return false;
    case Sent::all: return after_response();
  }
  return false;
}

/// A body that is not copied: head and bytes in one call where they are in memory, else the head
/// now and the body by its engine.
bool Connection::begin_large(const files::Reply& reply, uint32_t route, Engine engine) {
  uint64_t from_body = 0;
  if (reply.source->in_memory()) {
    if (!send_with_body(reply, from_body)) return false;
    if (from_body == reply.length) {
      record(route, {engine, reply.status, false}, request_us_, reply.length);
      record_gathered();
      return after_response();
    }
  } else if (flush(true) == Sent::gone) {
    return false;
  }
  Outbox& box = worker_.outbox();
  keep_outgoing();
  outgoing_->pending.append(box.bytes());
  record_gathered();
  box.clear();
  outgoing_->route = route;
  outgoing_->status = reply.status;
  outgoing_->bytes = reply.length;
  outgoing_->started_us = request_us_;
  outgoing_->is_corked = reply.length >= kCorkBytes && cork(true);
  outgoing_->answer = reply.answer;
  const uint64_t left = reply.parts ? 0 : reply.length - from_body;  // parts: see next_part()
  outgoing_->body = {engine, Ref<const Source>(reply.source), reply.offset + from_body, left};
  outgoing_->parts = reply.parts;
  transit(Event::block);
  return true;
}

/// One sendmsg of the outbox and the body behind it. What the socket took of the outbox is dropped
/// from it; `from_body` is what it took of the body. False: the client is gone.
bool Connection::send_with_body(const files::Reply& reply, uint64_t& from_body) {
  Outbox& box = worker_.outbox();
  iovec parts[2] = {{const_cast<char*>(box.bytes().data()), box.bytes().size()},
                    {const_cast<char*>(reply.source->bytes.data()) + reply.offset,
                     static_cast<size_t>(reply.length)}};
  ssize_t sent = net::send(socket_, parts, 2, !keep_);
  if (sent < 0 && sent != -EAGAIN) {
    close(ErrorCode::client_gone);
    return false;
  }
  size_t taken = sent < 0 ? 0 : static_cast<size_t>(sent);
  size_t from_box = std::min(taken, parts[0].iov_len);
  from_body = taken - from_box;
  box.drop_front(from_box);
  worker_.stats().engines[static_cast<size_t>(transfer::memory_engine(cipher()))].bytes.add(
      from_body);
  worker_.refresh_clock();
  took(taken);
  since_ms_ = worker_.now_ms();
  return true;
}

bool Connection::step_sending() {
  assert(outgoing_ != nullptr);
  uint64_t moved = 0;
  do {
    // Many parts in one turn are no more than one body's share.
    if (moved >= kTurnBytes) {
      run_later();
      return false;
    }
    moved += outgoing_->body.left;
    if (!step_pending()) return false;
    if (outgoing_->body.left > 0 && !step_transfer()) return false;
  } while (next_part());
  if (outgoing_->body.source) {
    worker_.refresh_clock();
    record(outgoing_->route,
           {outgoing_->body.engine, static_cast<uint16_t>(outgoing_->status), false},
           outgoing_->started_us, outgoing_->bytes);
  }
  if (outgoing_->is_corked) cork(false);
  outgoing_.reset();
  return after_response();
}

/// Holds partial packets back, or sends what was held. False where a socket cannot (unix).
bool Connection::cork(bool is_on) {
  int value = is_on ? 1 : 0;
  return sys::setsockopt(socket_.fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value) == 0;
}

/// Goes on to the next part of a multipart body; false when there is none.
bool Connection::next_part() {
  files::Multipart::Piece piece;
  Outgoing& out = *outgoing_;
  if (!out.parts || !out.parts->next(piece)) return false;
  out.pending = std::move(piece.text);
  out.sent = 0;
  out.body.offset = piece.offset;
  out.body.left = piece.length;
  out.body.ready_to = 0;
  out.body.warm_since_us = 0;
  return true;
}

bool Connection::step_pending() {
  Outgoing& out = *outgoing_;
  while (out.sent < out.pending.size()) {
    ssize_t sent = net::send(socket_, out.pending.data() + out.sent, out.pending.size() - out.sent,
                             out.body.left > 0);
    if (sent == -EAGAIN) return false;
    if (sent < 0) {
      close(ErrorCode::client_gone);
      return false;
    }
    out.sent += static_cast<size_t>(sent);
    out.taken += static_cast<size_t>(sent);
    took(static_cast<size_t>(sent));
    since_ms_ = worker_.now_ms();
  }
  return true;
}

/// One budget of the body. True when nothing of it is left.
bool Connection::step_transfer() {
  transfer::Transfer& body = outgoing_->body;
  transfer::Progress progress =
      transfer::step(body, socket_, turn_bytes(body), worker_.copy_scratch(), worker_.now_us());
  WorkerStats& stats = worker_.stats();
  took(progress.moved);
  stats.engines[static_cast<size_t>(body.engine)].bytes.add(progress.moved);
  outgoing_->taken += progress.moved;
  if (progress.moved > 0) since_ms_ = worker_.now_ms();
  switch (progress.step) {
    case Step::done: return true;
    case Step::more: run_later(); return false;
    case Step::blocked: return false;
    case Step::cold: read_ahead(); return false;
    case Step::short_source: end_short(); return false;
    case Step::peer_gone: close(ErrorCode::client_gone); return false;
    case Step::failed: close(ErrorCode::file_error); return false;
  }
  return false;
}

/// The file became shorter than its head promised: the client must see that.
void Connection::end_short() {
  worker_.fault("short-file", "a file became shorter while it was sent: connection closed");
  worker_.drop_stale(outgoing_->answer);
  close(ErrorCode::short_file);
}

void Connection::read_ahead() {
  transit(Event::cold);
  uint64_t ticket = ticket_ = worker_.next_ticket();
  Worker& worker = worker_;
  worker.await(ticket, *this);
  bool fill = transfer::wants_filling(outgoing_->body);
  auto job = [&worker, ticket, fill, body = outgoing_->body] {
    transfer::ReadAhead ahead = transfer::read_ahead(body, turn_bytes(body), fill);
    worker.post([ticket, ahead = std::move(ahead)](Worker& there) mutable {
      there.pages_ready(ticket, std::move(ahead));
    });
  };
  size_t lane = outgoing_->body.source->lane;
  if (!worker.io().post(std::move(job), lane)) close(ErrorCode::too_many_questions);
}

/// The response is with the kernel: skip the request's body, end, or read the next head.
bool Connection::after_response() {
  if (!keep_) return end_after_response();
  if (body_ != http::Framing::none) {
    transit(Event::skip);
  } else if (state_ == State::sending) {
    transit(Event::sent);
  }
  return true;
}

bool Connection::end_after_response() {
  bool all_read = input_.empty() && !socket_.readable && body_ == http::Framing::none;
  // Sends what waited. close() alone would drop it if bytes of the client came just now.
  has_shut_ = net::end_sending(socket_);
  if (all_read && !is_refused_ && has_shut_) {
    close(ErrorCode::none);
    return false;
  }
  linger();
  return true;
}

void Connection::linger() {
  if (!has_shut_) has_shut_ = net::end_sending(socket_);
  body_ = http::Framing::none;
  body_left_ = 0;
  since_ms_ = worker_.now_ms();
  request_us_ = worker_.now_us();
  transit(Event::linger);
}

}  // namespace sluice::worker
