// Listening sockets. TCP: one socket per worker by SO_REUSEPORT, so that workers share no queue;
// unix: one socket that the workers share (EPOLLEXCLUSIVE). Bound on the main thread before any
// worker runs; accepted from on the workers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/address.h"

namespace sluice::net {

/// What is bound for one configured listener: a descriptor for each worker.
struct BoundListener {
  Endpoint endpoint;          ///< port 0 has become the real one
  uint64_t socket_inode = 0;  ///< of a unix socket's path: only that one is ever removed
  std::vector<int> fds;       ///< one per worker; the unix ones are duplicates of one another
};

/// Why bind_listener failed: -errno, and the call that said so ("bind", "listen" …).
struct BindError {
  int error = 0;
  const char* call = "";
};

/// Binds `endpoint` for `workers` workers. A TCP port somebody already listens on is EADDRINUSE
/// even if that was bound with SO_REUSEPORT (a second start must not share it silently). A unix
/// path left by a dead process is replaced; one that somebody answers on is EADDRINUSE.
/// `is_beside_own`: a socket of this gateway has the port, on another address, and is about to go.
BindError bind_listener(const Endpoint& endpoint, size_t workers, BoundListener& result,
                        bool is_beside_own = false);

/// Closes the descriptors and removes a unix socket's path.
void close_listener(BoundListener& listener);

/// Removes a unix socket's path, so that no new client finds it.
void hide_listener(const BoundListener& listener);

}  // namespace sluice::net
