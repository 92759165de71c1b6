// Reading: what came before TLS began, then the socket, until a short read shows that it is empty.
// Writing: into the worker's room, which a session sends in one piece, or behind what waits
// already.
#include "net/tls_bio.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/sys.h"
#include "net/tls_session.h"

namespace sluice::net {
namespace {

/// Of openssl/bio.h, where it is private; the same since kTLS came (3.0).
constexpr int kSetKtls = 72;

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice");
  if (method == nullptr) return nullptr;
  BIO_meth_set_read(method, TlsBio::read);
  BIO_meth_set_write(method, TlsBio::write);
  BIO_meth_set_ctrl(method, TlsBio::control);
  return method;
}

TlsSession& session_of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

}  // namespace

bio_st* TlsBio::make(TlsSession& session) {
  static BIO_METHOD* const method = make_method();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &session);
  BIO_set_init(bio, 1);
  return bio;
}

int TlsBio::read(bio_st* bio, char* room, int size) {
  TlsSession& session = session_of(bio);
  BIO_clear_retry_flags(bio);
  const auto wanted = static_cast<size_t>(size);
  if (!session.first_.empty()) {
    const size_t taken = std::min(wanted, session.first_.size());
    std::memcpy(room, session.first_.data(), taken);
    session.first_.erase(0, taken);
    if (session.first_.empty()) std::string().swap(session.first_);
    return static_cast<int>(taken);
  }
  ssize_t got = session.may_read_ ? sys::recv(session.socket_.fd, room, wanted, 0) : -EAGAIN;
  // After the peer's FIN no further event comes: its end must be seen now.
  const bool is_short = got < static_cast<ssize_t>(wanted) && !session.socket_.peer_ended;
  if (got > 0 && is_short) session.may_read_ = false;
  if (got == -EAGAIN) {
    session.may_read_ = false;
    BIO_set_retry_read(bio);
    return -1;
  }
  if (got < 0) session.broken_ = static_cast<int>(got);
  return got < 0 ? -1 : static_cast<int>(got);
}

int TlsBio::write(bio_st* bio, const char* bytes, int size) {
  TlsSession& session = session_of(bio);
  BIO_clear_retry_flags(bio);
  const auto length = static_cast<size_t>(size);
  if (session.kernel_sends_) {
    const int written = BIO_write(session.kernel_, bytes, size);
    if (BIO_should_retry(session.kernel_)) BIO_set_retry_write(bio);
    return written;
  }
  if (session.unsent_.empty()) {
    session.room_.out.append(bytes, length);
    return size;
  }
  // Answers to whatever the peer makes us say while it takes nothing.
  if (session.unsent_.size() > kTlsUnsentBytes) {
    BIO_set_retry_write(bio);
    return -1;
  }
  session.unsent_.append(bytes, length);
  return size;
}

long TlsBio::control(bio_st* bio, int command, long number, void* pointer) {
  TlsSession& session = session_of(bio);
  switch (command) {
    case BIO_CTRL_FLUSH:
      // Only kTLS has to know that everything before is out; else the session sends it later.
      return session.kernel_ == nullptr || session.kernel_sends_ || session.push(false) ? 1 : 0;
    case kSetKtls: {
      const bool is_sending = number != 0;
      if (session.kernel_ == nullptr || !is_sending) return 0;
      if (!session.push(false)) return 0;
      const long result = BIO_ctrl(session.kernel_, command, number, pointer);
      session.kernel_sends_ = result > 0;
      return result;
    }
    case BIO_CTRL_GET_KTLS_RECV: return 0;
    case BIO_CTRL_GET_KTLS_SEND: return session.kernel_sends_ ? 1 : 0;
    case BIO_CTRL_EOF: return session.has_ended_ ? 1 : 0;
    case BIO_CTRL_PUSH:
    case BIO_CTRL_POP:
    case BIO_CTRL_PENDING:
    case BIO_CTRL_WPENDING: return 0;
    default: return session.kernel_sends_ ? BIO_ctrl(session.kernel_, command, number, pointer) : 0;
  }
}

}  // namespace sluice::net
