// Listening sockets. TCP: one socket per worker by SO_REUSEPORT, so that workers share no queue;
// unix: one socket that the workers share (EPOLLEXCLUSIVE). Bound on the main thread before any
// worker runs; accepted from on the workers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/address.h"

namespace sluice::net {

/// What is bound for one configured listener: at least a descriptor for each worker.
struct BoundListener {
  Endpoint endpoint;          ///< port 0 has become the real one
  uint64_t socket_inode = 0;  ///< of a unix socket's path: only that one is ever removed
  std::vector<int> fds;       ///< number i is of worker i % workers; may be duplicates
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

/// Takes over listening sockets that somebody else has bound to `endpoint` (a service manager, the
/// process before this one) and closes them when that fails: EINVAL where one is no listening
/// stream socket. When there are fewer than workers, some share one; when there are more, each
/// worker has several.
BindError adopt_listener(const Endpoint& endpoint, size_t workers, std::vector<int> given,
                         BoundListener& result);

/// Where a stream socket of the internet or unix family is bound; false: it is none.
bool local_endpoint(int fd, Endpoint& endpoint);

/// Closes the descriptors and removes a unix socket's path.
void close_listener(BoundListener& listener);

/// Removes a unix socket's path, so that no new client finds it.
void hide_listener(const BoundListener& listener);

}  // namespace sluice::net
