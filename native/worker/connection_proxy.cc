// A connection whose request an upstream answers: hands the request over, drives the exchange and
// takes up where it ends. The exchange moves every byte; what is counted is counted here.
#include <sys/socket.h>

#include <cassert>
#include <cerrno>

#include "net/sys.h"
#include "worker/connection.h"
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
  keep_ = head.keep_alive && !worker_.draining() &&
          (limits.keep_alive_requests == 0 || requests_ + 1 < limits.keep_alive_requests);
  // The exchange reads the body, not we.
  body_ = http::Framing::none;
  chunks_.reset();
  char address[net::kAddressBytes];
  char id[kRequestIdBytes];
  proxy::Asker asker;
  asker.key = address_;
  asker.address = {address, net::write_address(address_, address)};
  asker.request_id = worker_.next_request_id(id);
  exchange_ =
      std::make_unique<Exchange>(action, worker_.upstreams(), *this, worker_.exchange_limits());
  exchange_route_ = match.route;
  exchange_->begin(head, match, asker, keep_);
  input_.remove_prefix(consumed_);
  consumed_ = 0;
  head_seen_ = 0;
  transit(Event::forward);
  return true;
}

transfer::Reader::Fill Connection::fill(size_t& room) {
  assert(input_.empty());
  std::span<char> scratch = worker_.input_scratch();
  room = scratch.size();
  const ssize_t got = sys::recv(socket_.fd, scratch.data(), scratch.size(), 0);
  socket_.on_received(got, scratch.size());
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
  // A client that has gone before the answer began wants none (DESIGN §6); its FIN is all we see.
  const bool has_left =
      socket_.peer_ended && !exchange_->has_begun_response() && !exchange_->allows_half_close();
  if (has_left) {
    close(ErrorCode::client_gone);
    return false;
  }
  return after_exchange(exchange_->advance(worker_.outbox().date_field()));
}

/// True: the connection can go on now.
bool Connection::after_exchange(Exchange::Outcome outcome) {
  switch (outcome) {
    case Exchange::Outcome::waiting: return false;
    case Exchange::Outcome::more: run_later(); return false;
    case Exchange::Outcome::answered: {
      worker_.refresh_clock();
      record_exchange(*exchange_);
      keep_ = exchange_->persists();
      is_refused_ = !exchange_->has_whole_request();
      exchange_.reset();
      since_ms_ = worker_.now_ms();
      transit(Event::sent);
      return keep_ || end_after_response();
    }
    case Exchange::Outcome::refused: {
      const ErrorCode error = exchange_->error();
      const uint32_t route = exchange_route_;
      is_refused_ = !exchange_->has_whole_request();
      keep_ = keep_ && !is_refused_;
      exchange_.reset();
      transit(Event::sent);
      return refuse(error, route);
    }
    case Exchange::Outcome::cut: {
      record_exchange(*exchange_);
      const ErrorCode error = exchange_->error();
      if (exchange_->needs_reset()) reset();
      close(error);
      return false;
    }
    case Exchange::Outcome::gone: close(exchange_->error()); return false;
  }
  return false;
}

/// The end of the connection must not look like the end of the body: RST instead of FIN.
void Connection::reset() {
  const struct ::linger now { 1, 0 };
  sys::setsockopt(socket_.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void Connection::record_exchange(const Exchange& exchange) {
  using transfer::Engine;
  WorkerStats& stats = worker_.stats();
  const transfer::Flow& flow = exchange.response_flow();
  const Engine engine = flow.spliced() > 0 ? Engine::splice : Engine::copy;
  stats.engines[static_cast<size_t>(engine)].responses.add();
  const uint64_t spliced = flow.spliced() + exchange.request_flow().spliced();
  const uint64_t moved = flow.taken() + exchange.request_flow().taken();
  stats.engines[static_cast<size_t>(Engine::splice)].bytes.add(spliced);
  stats.engines[static_cast<size_t>(Engine::copy)].bytes.add(moved - spliced);
  stats.bytes_out.add(flow.moved());
  record(exchange_route_, engine, request_us_);
}

}  // namespace sluice::worker
