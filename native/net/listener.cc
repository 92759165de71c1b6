// Binding and closing of listening sockets, on the main thread.
// Accepted sockets inherit TCP_NODELAY and SO_KEEPALIVE from these, which saves two calls a
// connection.
#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/sys.h"

namespace sluice::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel caps it at net.core.somaxconn

void set_flag(int fd, int level, int name) {
  int on = 1;
  sys::setsockopt(fd, level, name, &on, sizeof on);
}

/// A socket of the right family, bound; or -errno.
int bound_socket(const SocketAddress& address, bool reuse_port, BindError& error) {
  int family = address.storage.ss_family;
  int fd = sys::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    error = {fd, "socket"};
    return fd;
  }
  if (family != AF_UNIX) {
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    if (reuse_port) set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    set_flag(fd, SOL_SOCKET, SO_KEEPALIVE);
  }
  // "::" is every address, IPv4 too, as people expect of it; a single IPv6 address is just that.
  if (family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    int only_v6 = IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) ? 0 : 1;
    sys::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  }
  int bound = sys::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  if (bound < 0) {
    error = {bound, "bind"};
    sys::close(fd);
    return bound;
  }
  return fd;
}

/// Binds once without SO_REUSEPORT, listens, and lets go: tells whether the port is really free.
BindError probe_port(const SocketAddress& address) {
  BindError error;
  int fd = bound_socket(address, false, error);
  if (fd < 0) return error;
  int listening = sys::listen(fd, 1);
  sys::close(fd);
  return listening < 0 ? BindError{listening, "listen"} : BindError{};
}

uint16_t port_of(int fd) {
  SocketAddress address;
  address.length = sizeof address.storage;
  sys::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
  return to_endpoint(address.storage).port;
}

BindError bind_tcp(const Endpoint& endpoint, size_t workers, BoundListener& result,
                   bool is_beside_own) {
  SocketAddress address;
  if (int invalid = to_socket_address(endpoint, address); invalid < 0) return {invalid, "address"};
  if (endpoint.port != 0 && !is_beside_own) {
    if (BindError taken = probe_port(address); taken.error != 0) return taken;
  }
  result.endpoint = endpoint;
  for (size_t worker = 0; worker < workers; ++worker) {
    BindError error;
    int fd = bound_socket(address, true, error);
    if (fd < 0) return error;
    result.fds.push_back(fd);
    if (int listening = sys::listen(fd, kBacklog); listening < 0) return {listening, "listen"};
    if (worker == 0 && endpoint.port == 0) {
      result.endpoint.port = port_of(fd);
      to_socket_address(result.endpoint, address);
    }
  }
  return {};
}

/// Inode of the socket at `path`; 0: there is none. Nothing but a socket is ever removed.
uint64_t socket_at(const std::string& path) {
  int fd = sys::openat(AT_FDCWD, path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  struct stat status;
  int result = sys::fstat(fd, &status);
  sys::close(fd);
  return result == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

/// Whether somebody accepts on the unix socket at `address`.
bool somebody_answers(const SocketAddress& address) {
  int fd = sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  int connected =
      sys::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  sys::close(fd);
  return connected != -ECONNREFUSED && connected != -ENOENT;
}

/// Makes fds at least as many as workers, by duplicates.
BindError share_among(size_t workers, std::vector<int>& fds) {
  const size_t given = fds.size();
  while (fds.size() < workers) {
    const int duplicate = sys::fcntl(fds[fds.size() % given], F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) return {duplicate, "fcntl"};
    fds.push_back(duplicate);
  }
  return {};
}

BindError bind_unix(const Endpoint& endpoint, size_t workers, BoundListener& result) {
  SocketAddress address;
  if (int invalid = to_socket_address(endpoint, address); invalid < 0) return {invalid, "address"};
  BindError error;
  int fd = bound_socket(address, false, error);
  if (fd == -EADDRINUSE && socket_at(endpoint.path) != 0 && !somebody_answers(address)) {
    sys::unlink(endpoint.path.c_str());
    error = BindError();
    fd = bound_socket(address, false, error);
  }
  if (fd < 0) return error;
  result.endpoint = endpoint;
  result.socket_inode = socket_at(endpoint.path);
  result.fds.push_back(fd);
  if (BindError shared = share_among(workers, result.fds); shared.error != 0) return shared;
  if (int listening = sys::listen(fd, kBacklog); listening < 0) return {listening, "listen"};
  return {};
}

bool is_listening(int fd) {
  int listens = 0;
  int type = 0;
  socklen_t length = sizeof listens;
  if (sys::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) return false;
  length = sizeof type;
  if (sys::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0) return false;
  return listens != 0 && type == SOCK_STREAM;
}

/// As if it had been made here.
BindError prepare_adopted(const Endpoint& endpoint, int fd) {
  if (!is_listening(fd)) return {-EINVAL, "listening socket"};
  if (!endpoint.is_unix()) {
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    set_flag(fd, SOL_SOCKET, SO_KEEPALIVE);
  }
  const int flags = sys::fcntl(fd, F_GETFL, 0);
  if (flags < 0) return {flags, "fcntl"};
  if (int set = sys::fcntl(fd, F_SETFL, flags | O_NONBLOCK); set < 0) return {set, "fcntl"};
  if (int set = sys::fcntl(fd, F_SETFD, FD_CLOEXEC); set < 0) return {set, "fcntl"};
  return {};
}

BindError adopt(size_t workers, BoundListener& result) {
  if (result.fds.empty()) return {-EINVAL, "listening socket"};
  for (int fd : result.fds) {
    if (BindError error = prepare_adopted(result.endpoint, fd); error.error != 0) return error;
  }
  if (!result.endpoint.is_unix()) result.endpoint.port = port_of(result.fds.front());
  return share_among(workers, result.fds);
}

}  // namespace

bool local_endpoint(int fd, Endpoint& endpoint) {
  SocketAddress address;
  address.length = sizeof address.storage;
  auto* storage = reinterpret_cast<sockaddr*>(&address.storage);
  if (sys::getsockname(fd, storage, &address.length) < 0) return false;
  endpoint = Endpoint();
  if (address.storage.ss_family != AF_UNIX) {
    endpoint = to_endpoint(address.storage);
    return !endpoint.host.empty();
  }
  const auto& local = reinterpret_cast<const sockaddr_un&>(address.storage);
  endpoint.path = std::string(local.sun_path, strnlen(local.sun_path, sizeof local.sun_path));
  return !endpoint.path.empty();
}

BindError adopt_listener(const Endpoint& endpoint, size_t workers, std::vector<int> given,
                         BoundListener& result) {
  result = BoundListener();
  result.endpoint = endpoint;
  result.fds = std::move(given);
  BindError error = adopt(workers, result);
  if (error.error != 0) {
    close_listener(result);
  } else if (endpoint.is_unix()) {
    result.socket_inode = socket_at(endpoint.path);
  }
  return error;
}

BindError bind_listener(const Endpoint& endpoint, size_t workers, BoundListener& result,
                        bool is_beside_own) {
  result = BoundListener();
  BindError error = endpoint.is_unix() ? bind_unix(endpoint, workers, result)
                                       : bind_tcp(endpoint, workers, result, is_beside_own);
  if (error.error != 0) close_listener(result);
  return error;
}

void close_listener(BoundListener& listener) {
  hide_listener(listener);
  for (int fd : listener.fds) sys::close(fd);
  listener.fds.clear();
}

void hide_listener(const BoundListener& listener) {
  const std::string& path = listener.endpoint.path;
  if (!listener.endpoint.is_unix() || listener.socket_inode == 0) return;
  // A successor may have put its own socket there meanwhile.
  if (socket_at(path) == listener.socket_inode) sys::unlink(path.c_str());
}

}  // namespace sluice::net
