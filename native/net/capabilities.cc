// The probes. Each makes its own descriptors, moves at most one byte, and closes everything. A
// probe answers 0 or an errno. Only a refusal of the call itself counts: what one file system or
// one socket cannot do is for the engines to find out.
#include "net/capabilities.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>

#include "net/sys.h"
#include "net/tls_context.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

namespace sluice::net {
namespace {

constexpr long kWantedPipeBytes = 1 << 20;

int error_of(ssize_t result) { return result < 0 ? static_cast<int>(-result) : 0; }

/// Two descriptors that are closed at the end; a pipe or a pair of sockets.
struct Pair {
  Pair() = default;
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    for (const int fd : ends) {
      if (fd >= 0) sys::close(fd);
    }
  }
  int pipe() { return error_of(sys::pipe2(ends, O_CLOEXEC | O_NONBLOCK)); }
  int sockets() {
    const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    return error_of(sys::socketpair(AF_UNIX, type, 0, ends));
  }
  int ends[2] = {-1, -1};
};

/// A file that can be read: our own program, which is there even where memfd_create is not.
struct Program {
  Program() : fd(sys::openat(AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0)) {
    if (fd < 0) fd = sys::memfd_create("sluice-probe", MFD_CLOEXEC);
    if (fd < 0) return;
    char byte = 0;
    if (sys::pread(fd, &byte, 1, 0) == 0) (void)sys::write(fd, "x", 1);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (fd >= 0) sys::close(fd);
  }
  int fd;
};

int closed(int fd) {
  if (fd >= 0) sys::close(fd);
  return error_of(fd);
}

int try_openat2() {
  const int root = sys::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (root < 0) return -root;
  const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const int error = closed(sys::openat2(root, ".", O_PATH | O_CLOEXEC, 0, resolve));
  sys::close(root);
  return error;
}

int try_proc_fd() {
  const int root = sys::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (root < 0) return -root;
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", root);
  const int error = closed(sys::openat(AT_FDCWD, link, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  sys::close(root);
  return error;
}

int try_sendfile() {
  const Program program;
  Pair sockets;
  if (program.fd < 0) return -program.fd;
  if (const int error = sockets.sockets()) return error;
  off_t offset = 0;
  return error_of(sys::sendfile(sockets.ends[0], program.fd, &offset, 1));
}

int try_splice() {
  Pair sockets;
  Pair pipe;
  if (const int error = sockets.sockets()) return error;
  if (const int error = pipe.pipe()) return error;
  if (const int error = error_of(sys::write(sockets.ends[0], "x", 1))) return error;
  const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
  return error_of(sys::splice(sockets.ends[1], nullptr, pipe.ends[1], nullptr, 1, flags));
}

int try_tee() {
  Pair from;
  Pair to;
  if (const int error = from.pipe()) return error;
  if (const int error = to.pipe()) return error;
  if (const int error = error_of(sys::write(from.ends[1], "x", 1))) return error;
  return error_of(sys::tee(from.ends[0], to.ends[1], 1, SPLICE_F_NONBLOCK));
}

int try_vmsplice() {
  static const char kByte = 'x';  // outlives the pipe, which refers to its page
  Pair pipe;
  if (const int error = pipe.pipe()) return error;
  const iovec part = {const_cast<char*>(&kByte), 1};
  return error_of(sys::vmsplice(pipe.ends[1], &part, 1, SPLICE_F_NONBLOCK));
}

int try_preadv2_nowait() {
  const Program program;
  if (program.fd < 0) return -program.fd;
  char byte;
  const iovec part = {&byte, 1};
  const int error = error_of(sys::preadv2(program.fd, &part, 1, 0, RWF_NOWAIT));
  // The call is there: the page is not in memory, or this file system is one that cannot tell.
  return error == EAGAIN || error == EOPNOTSUPP ? 0 : error;
}

int try_large_pipes() {
  Pair pipe;
  if (const int error = pipe.pipe()) return error;
  const int set = sys::fcntl(pipe.ends[1], F_SETPIPE_SZ, kWantedPipeBytes);
  if (set < 0) return -set;
  const int got = sys::fcntl(pipe.ends[1], F_GETPIPE_SZ, 0);
  if (got < 0) return -got;
  return got >= kWantedPipeBytes ? 0 : EPERM;
}

int try_inotify() {
  const int fd = sys::inotify_init(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return -fd;
  const int error = error_of(sys::inotify_add_watch(fd, "/", IN_DELETE_SELF));
  sys::close(fd);
  return error;
}

int try_memfd() { return closed(sys::memfd_create("sluice-probe", MFD_CLOEXEC)); }

int try_reuseport() {
  int fd = sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd == -EAFNOSUPPORT) fd = sys::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -fd;
  const int on = 1;
  const int error = error_of(sys::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
  sys::close(fd);
  return error;
}

/// False: there is no loopback to do so on.
bool connect_to_itself(int fd) {
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&own);
  socklen_t length = sizeof own;
  return sys::bind(fd, address, length) == 0 && sys::getsockname(fd, address, &length) == 0 &&
         sys::connect(fd, address, length) == 0;
}

/// The module may be there and what it encrypts with not. Without a connection the kernel says no
/// more than whether there is kTLS at all.
int try_kernel_tls() {
  if (!tls_library_knows_kernel()) return ENOSYS;
  int fd = sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool is_connected = fd >= 0 && connect_to_itself(fd);
  if (fd == -EAFNOSUPPORT) fd = sys::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -fd;
  int error = error_of(sys::setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls"));
  if (is_connected && error == 0) {
    tls12_crypto_info_aes_gcm_128 keys{};
    keys.info.version = TLS_1_2_VERSION;
    keys.info.cipher_type = TLS_CIPHER_AES_GCM_128;
    error = error_of(sys::setsockopt(fd, SOL_TLS, TLS_TX, &keys, sizeof keys));
  }
  sys::close(fd);
  return error == ENOTCONN ? 0 : error;
}

struct Probe {
  Feature feature;
  const char* name;
  int (*attempt)();
  const char* purpose;
  const char* instead;
};

constexpr std::array<Probe, kFeatureCount> kProbes = {{
    {Feature::openat2, "openat2", try_openat2, "opens files beneath a root in one call",
     "a walk segment by segment"},
    {Feature::proc_fd, "/proc/self/fd", try_proc_fd, "opens a file that was found for reading",
     "a walk segment by segment, then opening by name and comparing"},
    {Feature::sendfile, "sendfile", try_sendfile, "sends files from the page cache",
     "pread and send"},
    {Feature::splice, "splice", try_splice, "moves bodies between sockets", "recv and send"},
    {Feature::tee, "tee", try_tee, "doubles a body for mirrors", "a copy in memory"},
    {Feature::vmsplice, "vmsplice", try_vmsplice, "publishes pages to many clients", "send"},
    {Feature::preadv2_nowait, "preadv2 RWF_NOWAIT", try_preadv2_nowait,
     "tells whether a page is in memory", "large files are read ahead on I/O threads"},
    {Feature::large_pipes, "F_SETPIPE_SZ 1 MiB", try_large_pipes,
     "fewer calls per spliced megabyte", "pipes of the default size; see fs.pipe-user-pages-soft"},
    {Feature::inotify, "inotify", try_inotify, "notices changed files at once",
     "files are looked at again after a second"},
    {Feature::memfd, "memfd_create", try_memfd, "logs and cached bodies in memory",
     "an unlinked temporary file"},
    {Feature::reuseport, "SO_REUSEPORT", try_reuseport, "a listener per worker",
     "workers share one listener"},
    {Feature::kernel_tls, "kTLS", try_kernel_tls, "lets the kernel encrypt: sendfile and splice",
     "OpenSSL encrypts, with a copy"},
}};

constexpr bool in_order() {
  for (size_t i = 0; i < kProbes.size(); ++i) {
    if (static_cast<size_t>(kProbes[i].feature) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::vector<Capability> probe_capabilities() {
  std::vector<Capability> all;
  all.reserve(kProbes.size());
  for (const Probe& probe : kProbes) {
    const int error = probe.attempt();
    all.push_back({probe.name, error == 0, error, error == 0 ? probe.purpose : probe.instead});
  }
  return all;
}

const std::vector<Capability>& capabilities() {
  static const std::vector<Capability> all = probe_capabilities();
  return all;
}

bool available(Feature feature) { return capabilities()[static_cast<size_t>(feature)].available; }

}  // namespace sluice::net
