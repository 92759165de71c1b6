// The calls of OpenSSL, each followed by push(): what it has written goes out in one piece. Its
// queue of errors is empty between calls.
#include "net/tls_session.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/sys.h"
#include "net/tls_bio.h"

namespace sluice::net {

std::unique_ptr<TlsSession> TlsSession::accept(Ref<const TlsContext> context, TlsRoom& room,
                                               SocketState& socket, std::string_view first) {
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(context), room, socket, first));
  session->ssl_ = SSL_new(session->context_->usual());
  bio_st* bio = session->ssl_ == nullptr ? nullptr : TlsBio::make(*session);
  if (bio == nullptr) {
    ERR_clear_error();
    return nullptr;
  }
  if (session->context_->may_use_kernel())
    session->kernel_ = BIO_new_socket(socket.fd, BIO_NOCLOSE);
  SSL_set_bio(session->ssl_, bio, bio);
  SSL_set_app_data(session->ssl_, session.get());
  SSL_set_accept_state(session->ssl_);
  return session;
}

TlsSession::TlsSession(Ref<const TlsContext> context, TlsRoom& room, SocketState& socket,
                       std::string_view first)
    : context_(std::move(context)), room_(room), socket_(socket), first_(first) {}

TlsSession::~TlsSession() {
  SSL_free(ssl_);
  BIO_free(kernel_);
}

TlsSession::Handshake TlsSession::handshake() {
  may_read_ = may_read_ || socket_.readable;
  const int result = SSL_do_handshake(ssl_);
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  const unsigned long first = ERR_peek_error();
  const bool is_out = push(false);
  socket_.readable = may_read_;
  if (error == SSL_ERROR_NONE) {
    // Tickets that the socket did not take go out ahead of whatever follows them.
    return broken_ == 0 || is_out ? Handshake::done : Handshake::failed;
  }
  ERR_clear_error();
  const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  if (waits && broken_ == 0) return Handshake::waiting;
  const char* reason = first == 0 ? nullptr : ERR_reason_error_string(first);
  const bool has_gone = ERR_GET_REASON(first) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (reason != nullptr && !has_gone) failure_ = reason;
  return Handshake::failed;
}

bool TlsSession::is_resumed() const { return SSL_session_reused(ssl_) == 1; }

const std::string& TlsSession::client_subject() {
  if (subject_) return *subject_;
  std::string& subject = subject_.emplace();
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return subject;
  if (BIO* memory = BIO_new(BIO_s_mem()); memory != nullptr) {
    // RFC 2253 escapes control characters and what is beyond ASCII: one line, whoever signed it.
    X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory, &text);
    if (length > 0) subject.assign(text, static_cast<size_t>(length));
    BIO_free(memory);
  }
  X509_free(certificate);
  const auto is_visible = [](char c) { return c >= 0x20 && c <= 0x7e; };
  if (subject.size() > kTlsSubjectBytes || !std::ranges::all_of(subject, is_visible))
    subject.clear();
  return subject;
}

/// The stream of the peer has come to an end, or cannot go on.
ssize_t TlsSession::end_of_input(int error) {
  has_ended_ = true;
  end_ = error == SSL_ERROR_ZERO_RETURN ? 0 : (broken_ != 0 ? broken_ : -ECONNRESET);
  ERR_clear_error();
  return end_;
}

ssize_t TlsSession::receive(char* room, size_t size) {
  if (has_ended_) return end_;
  may_read_ = true;
  size_t got = 0;
  while (got < size) {
    if (!may_read_ && SSL_has_pending(ssl_) == 0) break;
    const size_t want = std::min<size_t>(size - got, INT32_MAX);
    const int bytes = SSL_read(ssl_, room + got, static_cast<int>(want));
    if (bytes > 0) {
      got += static_cast<size_t>(bytes);
      continue;
    }
    const int error = SSL_get_error(ssl_, bytes);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) end_of_input(error);
    break;
  }
  if (!room_.out.empty()) push(false);
  if (got > 0) return static_cast<ssize_t>(got);
  return has_ended_ ? end_ : -EAGAIN;
}

/// Hands to the socket what OpenSSL has written; what is not taken waits. True: nothing waits.
bool TlsSession::push(bool more_follows) {
  std::string& from = unsent_.empty() ? room_.out : unsent_;
  if (from.empty()) return true;
  ssize_t sent = broken_ != 0 ? broken_
                              : sys::send(socket_.fd, from.data(), from.size(),
                                          MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
  if (sent == -EAGAIN) sent = 0;
  if (sent < 0) {
    broken_ = static_cast<int>(sent);
    room_.out.clear();
    return false;
  }
  const auto taken = static_cast<size_t>(sent);
  const bool is_all = taken == from.size();
  if (!is_all) socket_.writable = false;
  if (&from == &unsent_) {
    if (is_all) {
      std::string().swap(unsent_);
    } else {
      unsent_.erase(0, taken);
    }
    return is_all;
  }
  if (!is_all) unsent_.assign(from, taken);
  from.clear();
  return is_all;
}

/// Encrypts `size` bytes of `parts`, the first `skip` of which are over: whole records, of pieces
/// that lie in one place where there are such.
bool TlsSession::encrypt(const iovec* parts, size_t count, size_t skip, size_t size) {
  size_t at = 0;
  while (at < count && skip >= parts[at].iov_len) skip -= parts[at++].iov_len;
  while (size > 0) {
    const size_t record = std::min(size, kTlsRecordBytes);
    const char* bytes = static_cast<const char*>(parts[at].iov_base) + skip;
    if (parts[at].iov_len - skip >= record) {
      skip += record;
    } else {
      bytes = room_.gather.data();
      for (size_t filled = 0; filled < record;) {
        const size_t piece = std::min(record - filled, parts[at].iov_len - skip);
        std::memcpy(room_.gather.data() + filled,
                    static_cast<const char*>(parts[at].iov_base) + skip, piece);
        filled += piece;
        skip += piece;
        while (at < count && skip == parts[at].iov_len) {
          skip = 0;
          ++at;
        }
      }
    }
    if (SSL_write(ssl_, bytes, static_cast<int>(record)) != static_cast<int>(record)) return false;
    while (at < count && skip == parts[at].iov_len) {
      skip = 0;
      ++at;
    }
    size -= record;
  }
  return true;
}

ssize_t TlsSession::send(const iovec* parts, size_t count, bool more_follows) {
  if (!unsent_.empty() && !push(more_follows)) return broken_ != 0 ? broken_ : -EAGAIN;
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += parts[i].iov_len;
  size_t taken = std::min(credit_, total);
  credit_ -= taken;
  while (taken < total) {
    const size_t batch = std::min(total - taken, kTlsBatchBytes);
    if (!encrypt(parts, count, taken, batch)) {
      ERR_clear_error();
      room_.out.clear();
      broken_ = broken_ != 0 ? broken_ : -EPIPE;
    } else if (push(more_follows || taken + batch < total)) {
      taken += batch;
      continue;
    }
    if (broken_ != 0) return broken_;
    credit_ = batch;
    return taken > 0 ? static_cast<ssize_t>(taken) : -EAGAIN;
  }
  return static_cast<ssize_t>(taken);
}

bool TlsSession::shut() {
  if (!has_shut_ && broken_ == 0 && SSL_is_init_finished(ssl_) == 1) {
    const int result = SSL_shutdown(ssl_);
    const int error = result < 0 ? SSL_get_error(ssl_, result) : SSL_ERROR_NONE;
    ERR_clear_error();
    has_shut_ = error != SSL_ERROR_WANT_WRITE;
    if (!has_shut_) return false;
  }
  return push(false) || broken_ != 0;
}

/// RFC 5077 §4: name and IV in the clear, the session encrypted, and a MAC over both.
int TlsSession::on_ticket(ssl_st* ssl, unsigned char* name, unsigned char* iv,
                          evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac, int is_new) {
  const auto* session = static_cast<const TlsSession*>(SSL_get_app_data(ssl));
  const TicketKeys* keys = session->room_.tickets.get();
  if (keys == nullptr || keys->count == 0) return is_new != 0 ? -1 : 0;
  size_t index = 0;
  if (is_new != 0) {
    std::memcpy(name, keys->keys[0].name.data(), keys->keys[0].name.size());
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  } else {
    const auto fits = [name](const TicketKey& key) {
      return std::memcmp(key.name.data(), name, key.name.size()) == 0;
    };
    const auto* end = keys->keys.begin() + keys->count;
    const auto* found = std::find_if(keys->keys.begin(), end, fits);
    if (found == end) return 0;  // a full handshake
    index = static_cast<size_t>(found - keys->keys.begin());
  }
  const TicketKey& key = keys->keys[index];
  auto* secret = const_cast<uint8_t*>(key.mac.data());
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const EVP_CIPHER* kind = EVP_aes_256_cbc();
  const int ready = is_new != 0 ? EVP_EncryptInit_ex(cipher, kind, nullptr, key.cipher.data(), iv)
                                : EVP_DecryptInit_ex(cipher, kind, nullptr, key.cipher.data(), iv);
  if (ready != 1) return -1;
  // 2: a new ticket, under the newest key. Clients use one of TLS 1.3 once (RFC 8446 §C.4).
  return index == 0 && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

}  // namespace sluice::net
