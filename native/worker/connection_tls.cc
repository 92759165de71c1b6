// A connection of a listener where TLS is spoken: from its first byte to the end of the handshake,
// and the alert at its end. In between net/transport.h encrypts. Also the plain listener beside it
// that sends everybody there. Many handshakes at once share each turn of the loop with the others.
#include <algorithm>

#include "core/limits.h"
#include "http/response_head.h"
#include "net/transport.h"
#include "proxy/request_head.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {
namespace {

/// The first byte of a TLS record that carries a handshake.
constexpr char kHandshakeRecord = 22;

bool is_method_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

/// True: the connection can go on now.
bool Connection::step_handshake() {
  if (!tls_ && !begin_handshake()) {
    return state_ != State::handshaking && state_ != State::closed;
  }
  if (!worker_.may_shake_hands()) {
    worker_.stats().handshakes_put_off.add();
    run_later();
    return false;
  }
  const net::TlsSession::Handshake result = tls_->handshake();
  worker_.shook_hands();
  switch (result) {
    case net::TlsSession::Handshake::waiting: return false;
    case net::TlsSession::Handshake::failed: return fail_handshake();
    case net::TlsSession::Handshake::done: break;
  }
  return finish_handshake();
}

/// A connection that says nothing costs no more than a plain one.
bool Connection::begin_handshake() {
  if (input_.empty() && !read_more()) return false;
  if (input_[0] != kHandshakeRecord && is_method_letter(input_[0])) return refuse_plain();
  if (worker_.stats().shaking.get() >= worker_.snapshot().handshakes) {
    close(ErrorCode::too_many_handshakes);
    return false;
  }
  tls_ = net::TlsSession::accept(worker_.tls(listener_), worker_.tls_room(), socket_, input_);
  input_ = {};
  if (!tls_) {
    close(ErrorCode::internal_error);
    return false;
  }
  is_shaking_ = true;
  worker_.stats().shaking.add();
  return true;
}

/// An answer that a person can read, as HTTP, since that is what was spoken.
bool Connection::refuse_plain() {
  transit(Event::opened);
  refuse_head(ErrorCode::plain_request);
  return false;
}

bool Connection::fail_handshake() {
  const std::string& reason = tls_->failure();
  if (!reason.empty() && worker_.may_report(ErrorCode::tls_failed)) {
    worker_.fault("tls-failed", "a TLS handshake failed: " + reason);
  }
  // A client that went without a word has not failed at anything.
  close(reason.empty() ? ErrorCode::client_gone : ErrorCode::tls_failed);
  return false;
}

bool Connection::finish_handshake() {
  WorkerStats& stats = worker_.stats();
  is_shaking_ = false;
  stats.shaking.subtract();
  stats.handshakes.add();
  if (tls_->is_resumed()) stats.resumed.add();
  if (tls_->kernel_sends()) stats.kernel_tls.add();
  socket_.receives = tls_.get();
  socket_.sends = tls_->kernel_sends() ? nullptr : tls_.get();
  socket_.readable = true;  // what followed the handshake may have been read with it
  worker_.refresh_clock();
  since_ms_ = worker_.now_ms();
  if (const auto& tcp = worker_.rules(listener_).tcp) return forward_raw(*tcp);
  transit(Event::opened);
  return true;
}

/// Before the socket closes. Only an orderly end is said to be one: a response that was cut off
/// must look so.
void Connection::say_goodbye(ErrorCode reason) {
  if (is_shaking_) worker_.stats().shaking.subtract();
  is_shaking_ = false;
  const bool is_orderly = reason == ErrorCode::none || reason == ErrorCode::idle_timeout;
  if (state_ == State::reading_head && is_orderly && socket_.receives != nullptr) tls_->shut();
}

/// For hooks, and whatever else reads the head: the field that says whose certificate the client
/// has is ours, not the client's.
void Connection::name_client(http::RequestHead& head) {
  const std::vector<std::string>& names = worker_.snapshot().subject_fields;
  const auto begin = head.fields.begin();
  const auto end = begin + head.field_count;
  const auto rest = std::remove_if(
      begin, end, [&](const http::Field& field) { return proxy::is_reserved(field.name, names); });
  if (rest != end) {
    head.field_count = static_cast<uint16_t>(rest - begin);
    head.first_of.fill(0);
    for (uint16_t i = head.field_count; i > 0; --i) {
      const http::FieldId id = head.fields[i - 1u].id;
      if (id != http::FieldId::other) head.first_of[static_cast<size_t>(id)] = i;
    }
  }
  if (!tls_ || head.field_count == head.fields.size()) return;
  const std::string& name = worker_.rules(listener_).subject_field;
  const std::string_view subject = name.empty() ? std::string_view() : tls_->client_subject();
  if (!subject.empty()) head.fields[head.field_count++] = {name, subject};
}

std::string_view Connection::response_fields() const {
  return tls_ ? std::string_view(worker_.rules(listener_).hsts_field) : std::string_view();
}

/// The same resource by https.
bool Connection::redirect_to_secure(const http::RequestHead& head) {
  if (head.host.empty()) return refuse(ErrorCode::missing_host, unrouted());
  const uint16_t port =
      worker_.port_of(static_cast<uint16_t>(worker_.rules(listener_).secure_twin));
  std::string location = "https://";
  location.append(head.host);
  if (port != 443) location.append(":").append(std::to_string(port));
  location.append(head.path.starts_with("/") ? head.path : "/").append(head.query);
  files::Reply reply;
  reply.status = 308;
  http::append_status_line(reply.built, reply.status);
  http::append_field(reply.built, "Location", location);
  http::append_content_length(reply.built, 0);
  reply.head = reply.built;
  return respond(reply, unrouted());
}

}  // namespace sluice::worker
