// One message is one sendmsg; a receiver sees the descriptors with the first byte of its text, so
// that messages must not run together: the other side is waited for between two of them.
#include "net/descriptor_passing.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "net/sys.h"

namespace sluice::net {
namespace {

/// Room for the control message with the most descriptors.
union ControlRoom {
  cmsghdr header;
  char bytes[CMSG_SPACE(kPassedDescriptors * sizeof(int))];
};

void attach(msghdr& message, ControlRoom& room, const std::vector<int>& fds) {
  const size_t bytes = fds.size() * sizeof(int);
  std::memset(&room, 0, sizeof room);
  message.msg_control = room.bytes;
  message.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(header), fds.data(), bytes);
}

void detach(msghdr& message, std::vector<int>& fds) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const size_t before = fds.size();
    fds.resize(before + count);
    std::memcpy(fds.data() + before, CMSG_DATA(header), count * sizeof(int));
  }
}

/// The address of `path`; 0 when it does not fit.
socklen_t unix_address(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return 0;
  std::memcpy(address.sun_path, path.data(), path.size());
  const bool is_abstract = path.front() == '@';
  if (is_abstract) address.sun_path[0] = 0;
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                (is_abstract ? 0 : 1));
}

}  // namespace

int pass_descriptors(int socket, std::string_view text, const std::vector<int>& fds) {
  if (text.empty() || text.size() > kPassedBytes || fds.size() > kPassedDescriptors) return -EINVAL;
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlRoom room;
  if (!fds.empty()) attach(message, room, fds);
  const ssize_t sent = sys::sendmsg(socket, &message, MSG_NOSIGNAL);
  if (sent < 0) return static_cast<int>(sent);
  return static_cast<size_t>(sent) == text.size() ? 0 : -EMSGSIZE;
}

int take_descriptors(int socket, Passed& passed) {
  passed = Passed();
  passed.text.resize(kPassedBytes);
  iovec part{passed.text.data(), passed.text.size()};
  ControlRoom room;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes;
  message.msg_controllen = sizeof room.bytes;
  const ssize_t got = sys::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) {
    passed.text.clear();
    return static_cast<int>(got);
  }
  passed.text.resize(static_cast<size_t>(got));
  detach(message, passed.fds);
  return (message.msg_flags & MSG_CTRUNC) != 0 ? -EMFILE : 0;
}

int connect_to(const std::string& path, int patience_ms) {
  sockaddr_un address;
  const socklen_t length = unix_address(path, address);
  if (length == 0) return -ENAMETOOLONG;
  const int fd = sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const timeval patience{patience_ms / 1000, patience_ms % 1000 * 1000};
  sys::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sys::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int connected = sys::connect(fd, reinterpret_cast<const sockaddr*>(&address), length);
  if (connected == 0) return fd;
  sys::close(fd);
  return connected;
}

int64_t peer_user(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  const int known = sys::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length);
  return known < 0 ? known : static_cast<int64_t>(peer.uid);
}

int send_datagram(const std::string& path, std::string_view text) {
  sockaddr_un address;
  const socklen_t length = unix_address(path, address);
  if (length == 0) return -ENAMETOOLONG;
  const int fd = sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t sent = sys::sendmsg(fd, &message, MSG_NOSIGNAL);
  sys::close(fd);
  return sent < 0 ? static_cast<int>(sent) : 0;
}

}  // namespace sluice::net
