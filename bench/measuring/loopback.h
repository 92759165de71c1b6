// How programs of the benchmarks find the servers that they measure: by port, on this machine.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

inline sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

/// A connection, or -1. Blocking: over the loopback the handshake is over when the call returns.
inline int dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = loopback(port);
  return connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? fd : -1;
}
