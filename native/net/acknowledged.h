// How much of what was sent a client has acknowledged: what the kernel's buffers took says little
// of a slow one. Any thread; one system call.
#pragma once

#include <cstdint>

namespace sluice::net {

/// Bytes acknowledged since the connection began (RFC 4898), or -1 where the socket cannot tell
/// (unix).
int64_t acknowledged_bytes(int fd);

}  // namespace sluice::net
