// What a descriptor is decides how it is written to. Standard output may be shared with others, so
// its flags are left alone: O_NONBLOCK would hold for everybody who has it. A pipe that polls as
// writable takes PIPE_BUF bytes without waiting.
#include "log/outlet.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "net/address.h"
#include "net/sys.h"

namespace sluice::log {

int Outlet::open() {
  using Kind = Destination::Kind;
  if (to_.kind == Kind::stdout_) return adopt(1);
  if (to_.kind == Kind::stderr_) return adopt(2);
  if (to_.kind == Kind::socket) return connect();
  // O_NONBLOCK: a FIFO without a reader answers ENXIO instead of waiting for one.
  const int fd =
      sys::openat(AT_FDCWD, to_.path.c_str(),
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  return fd < 0 ? fd : adopt(fd);
}

int Outlet::connect() {
  net::Endpoint endpoint;
  endpoint.path = to_.path;
  net::SocketAddress address;
  if (int error = net::to_socket_address(endpoint, address); error != 0) return error;
  const int fd = sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  const int error =
      sys::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  if (error == 0) return adopt(fd);
  sys::close(fd);
  return error;
}

int Outlet::adopt(int fd) {
  const bool is_own = can_reopen();
  struct stat status {};
  if (int error = sys::fstat(fd, &status); error != 0) {
    if (is_own) sys::close(fd);
    return error;
  }
  close();
  fd_ = fd;
  is_own_ = is_own;
  way_ = S_ISREG(status.st_mode) ? Way::disk : S_ISSOCK(status.st_mode) ? Way::socket : Way::pipe;
  return 0;
}

void Outlet::close() {
  if (fd_ >= 0 && is_own_) sys::close(fd_);
  fd_ = -1;
}

bool Outlet::may_come_later(int error) const {
  if (to_.kind == Destination::Kind::file) return error == -ENXIO;
  return to_.kind == Destination::Kind::socket &&
         (error == -ENOENT || error == -ECONNREFUSED || error == -EAGAIN);
}

ssize_t Outlet::write(std::string_view lines) {
  if (fd_ < 0) return -ENOTCONN;
  if (way_ == Way::disk) return sys::write(fd_, lines.data(), lines.size());
  if (way_ == Way::socket) {
    return sys::send(fd_, lines.data(), lines.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (lines.size() > PIPE_BUF) {
    const size_t last = lines.substr(0, PIPE_BUF).rfind('\n');
    lines = lines.substr(0, last == std::string_view::npos ? PIPE_BUF : last + 1);
  }
  pollfd room{fd_, POLLOUT, 0};
  if (sys::poll(&room, 1, 0) == 0) return -EAGAIN;
  return sys::write(fd_, lines.data(), lines.size());
}

}  // namespace sluice::log
