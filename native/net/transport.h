// Receiving from and sending to a connection that may be encrypted. Plain ones pay one comparison.
// Where the kernel encrypts (kTLS), sending is that of a plain socket. The loop's thread only.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>

#include "net/socket_state.h"
#include "net/sys.h"
#include "net/tls_session.h"

namespace sluice::net {

/// As recv(2), and notes what it says of the socket. 0: the peer's orderly end.
inline ssize_t receive(SocketState& socket, char* room, size_t size) {
  if (socket.receives == nullptr) {
    const ssize_t got = sys::recv(socket.fd, room, size, 0);
    socket.on_received(got, size);
    return got;
  }
  const ssize_t got = socket.receives->receive(room, size);
  socket.on_received(got, size);
  if (got > 0 && socket.receives->has_more()) socket.readable = true;
  return got;
}

/// As sendmsg(2) with MSG_NOSIGNAL.
inline ssize_t send(SocketState& socket, const iovec* parts, size_t count, bool more_follows) {
  if (socket.sends != nullptr) return socket.sends->send(parts, count, more_follows);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  return sys::sendmsg(socket.fd, &message, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
}

/// As send(2) with MSG_NOSIGNAL.
inline ssize_t send(SocketState& socket, const char* bytes, size_t size, bool more_follows) {
  if (socket.sends == nullptr) {
    return sys::send(socket.fd, bytes, size, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
  }
  const iovec part{const_cast<char*>(bytes), size};
  return socket.sends->send(&part, 1, more_follows);
}

/// Tells the peer that nothing more comes. False: its socket is full, and this is to be tried again
/// when it is not.
inline bool end_sending(SocketState& socket) {
  if (socket.receives != nullptr && !socket.receives->shut()) return false;
  sys::shutdown(socket.fd, SHUT_WR);
  return true;
}

}  // namespace sluice::net
