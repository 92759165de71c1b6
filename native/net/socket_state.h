// A non-blocking socket in an edge-triggered loop, with what is known of it: whether the kernel may
// have bytes or room for us. Saves the calls whose answer would be EAGAIN. The loop's thread only.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>

namespace sluice::net {

/// What a socket is registered for, and what is left of it while nobody would read: without EPOLLIN
/// what arrives does not wake the loop. Its end and its errors do.
inline constexpr uint32_t kSocketEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
inline constexpr uint32_t kDeafEvents = EPOLLOUT | EPOLLRDHUP | EPOLLET;

struct SocketState {
  int fd = -1;
  bool readable = true;     ///< a recv may bring bytes, the end or an error
  bool writable = true;     ///< a send may be taken
  bool peer_ended = false;  ///< its FIN has come; bytes before it may still be unread
  bool is_deaf = false;     ///< registered for kDeafEvents

  /// What epoll said.
  void on_events(uint32_t events) {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable = true;
    if ((events & EPOLLRDHUP) != 0) peer_ended = true;
  }

  /// A recv into `room` bytes brought `got` (or -errno). A short read means that the socket is
  /// empty (epoll(7)), but after the peer's FIN one more call must see it: no further edge will
  /// come.
  void on_received(ptrdiff_t got, size_t room) {
    readable = got > 0 && (static_cast<size_t>(got) == room || peer_ended);
  }
};

}  // namespace sluice::net
