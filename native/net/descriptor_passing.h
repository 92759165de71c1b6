// Descriptors that travel over a unix stream socket (SCM_RIGHTS), whom such a socket belongs to,
// and datagrams to a service manager. Any thread that may block for a moment; never a worker.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::net {

/// The most that one message carries; the kernel's bound is 253.
inline constexpr size_t kPassedDescriptors = 200;
/// The longest text of one message.
inline constexpr size_t kPassedBytes = 64 * 1024;

/// Sends `text` with `fds` in one message and returns 0 or -errno. The caller keeps its own.
int pass_descriptors(int socket, std::string_view text, const std::vector<int>& fds);

/// What came in one message; the descriptors are the receiver's to close.
struct Passed {
  std::string text;  ///< empty: the peer has closed
  std::vector<int> fds;
};

/// Waits for a message; 0 or -errno.
int take_descriptors(int socket, Passed& passed);

/// A connection to the unix socket at `path`, on which reading and writing end with EAGAIN after
/// `patience_ms`; or -errno.
int connect_to(const std::string& path, int patience_ms);

/// User id of the process at the other end of a unix socket, or -errno.
int64_t peer_user(int socket);

/// Sends one datagram to a unix socket; '@' at the beginning of `path` is the abstract name space.
/// 0 or -errno; never waits.
int send_datagram(const std::string& path, std::string_view text);

}  // namespace sluice::net
