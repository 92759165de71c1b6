// TLS on one connection: handshake, records in and out, the closing alert. Between the socket and
// whoever uses it through net/transport.h, with the meaning of a socket's calls: what is reported
// as taken is with the kernel. The worker's thread only; never waits.
//
//   socket ──recv──▶ OpenSSL ──▶ receive()          send() ──▶ OpenSSL ──▶ room.out ──send──▶
//   socket
//                                                              what it does not take: unsent_
//
// A record that is encrypted cannot be taken back. When the socket is full, what it did not take
// waits in unsent_, and the bytes in it count as not taken: the caller offers them again, as it
// would to a socket, and they are then passed over (credit_). So a response is not over before its
// last record is out, and nobody above has to know of records.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/counter.h"
#include "core/limits.h"
#include "core/ref.h"
#include "net/socket_state.h"
#include "net/tls_context.h"
#include "net/tls_tickets.h"

struct ssl_st;
struct bio_st;
struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

namespace sluice::net {

/// What the TLS connections of one worker share: room that is used during one call, and the keys.
struct TlsRoom {
  std::string out;  ///< records on their way to the socket
  std::array<char, kTlsRecordBytes> gather;
  Ref<const TicketKeys> tickets;
};

class TlsSession {
 public:
  enum class Handshake : uint8_t { done, waiting, failed };

  /// Null when there is no memory. `first`: what has been received of the connection already.
  static std::unique_ptr<TlsSession> accept(Ref<const TlsContext> context, TlsRoom& room,
                                            SocketState& socket, std::string_view first);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Handshake handshake();
  /// Why it failed, in OpenSSL's words; "" when the client just went.
  const std::string& failure() const { return failure_; }
  /// After the handshake: it went on with an earlier session.
  bool is_resumed() const;
  /// After the handshake: the kernel encrypts, and what is sent goes straight to the socket.
  bool kernel_sends() const { return kernel_sends_; }
  /// Subject of the client's certificate as RFC 2253 writes it, in ASCII; "" when it has none.
  const std::string& client_subject();

  /// Bytes, 0 after the peer's closing alert, or -errno: -ECONNRESET when its end came without one.
  ssize_t receive(char* room, size_t size);
  /// Whether another receive() may bring something without a new event of the socket.
  bool has_more() const { return has_ended_; }
  /// As sendmsg(2).
  ssize_t send(const iovec* parts, size_t count, bool more_follows);
  bool has_unsent() const { return !unsent_.empty(); }
  /// Sends what waits. False: the socket is full, or has failed.
  bool flush() { return push(false); }
  /// Says that nothing more comes. True when that is with the kernel, or can never be.
  bool shut();

  static int on_ticket(ssl_st* ssl, unsigned char* name, unsigned char* iv,
                       evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac, int is_new);

 private:
  friend struct TlsBio;
  TlsSession(Ref<const TlsContext> context, TlsRoom& room, SocketState& socket,
             std::string_view first);

  bool push(bool more_follows);
  bool encrypt(const iovec* parts, size_t count, size_t skip, size_t size);
  ssize_t end_of_input(int error);

  const Ref<const TlsContext> context_;
  TlsRoom& room_;
  SocketState& socket_;
  ssl_st* ssl_ = nullptr;
  bio_st* kernel_ = nullptr;  ///< OpenSSL's own, which knows kTLS; null: it is not wanted
  std::string first_;         ///< received before we began, not read yet
  std::string unsent_;        ///< encrypted, not with the kernel
  size_t credit_ = 0;         ///< bytes that are in unsent_, or were, and will be offered again
  std::string failure_;
  std::optional<std::string> subject_;  ///< once somebody has asked
  int broken_ = 0;                      ///< -errno of the socket
  ssize_t end_ = 0;                     ///< what receive() says after has_ended_
  bool may_read_ = true;                ///< the kernel may have bytes for us
  bool has_ended_ = false;
  bool kernel_sends_ = false;
  bool has_shut_ = false;
};

}  // namespace sluice::net
