// The system calls of the whole core, each a few lines: count, call, retry EINTR, turn errno into
// a negative result. Any thread; the only state is the calling thread's pointer to its counters.
// No policy in here: whoever calls decides what a refusal means.
#include "net/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

namespace sluice::sys {
namespace {

// initial-exec: one load from the thread's own block, also inside a shared object.
__attribute__((tls_model("initial-exec"))) thread_local SyscallCounts* counts_of_thread = nullptr;

void count(Call call) {
  if (counts_of_thread == nullptr) return;
  auto& cell = counts_of_thread->calls[static_cast<size_t>(call)];
  cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// One counted call; -errno on failure.
template <typename Invoke>
auto once(Call call, Invoke invoke) -> decltype(invoke()) {
  count(call);
  const auto result = invoke();
  return result >= 0 ? result : -errno;
}

/// The same, again for as long as a signal interrupts it.
template <typename Invoke>
auto retried(Call call, Invoke invoke) -> decltype(invoke()) {
  for (;;) {
    const auto result = once(call, invoke);
    if (result != -EINTR) return result;
  }
}

}  // namespace

std::string_view call_name(Call call) {
  static constexpr std::array<std::string_view, kCallCount> kNames = {
#define X(name) #name,
      SLUICE_SYSCALLS(X)
#undef X
  };
  const auto index = static_cast<size_t>(call);
  return index < kCallCount ? kNames[index] : "?";
}

void count_into(SyscallCounts* counts) { counts_of_thread = counts; }

int socket(int family, int type, int protocol) {
  return retried(Call::socket, [&] { return ::socket(family, type, protocol); });
}

int socketpair(int family, int type, int protocol, int ends[2]) {
  return retried(Call::socketpair, [&] { return ::socketpair(family, type, protocol, ends); });
}

int bind(int fd, const sockaddr* address, socklen_t length) {
  return retried(Call::bind, [&] { return ::bind(fd, address, length); });
}

int listen(int fd, int backlog) {
  return retried(Call::listen, [&] { return ::listen(fd, backlog); });
}

int connect(int fd, const sockaddr* address, socklen_t length) {
  const int result = once(Call::connect, [&] { return ::connect(fd, address, length); });
  return result == -EINTR ? -EINPROGRESS : result;
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  return retried(Call::accept4, [&] { return ::accept4(fd, address, length, flags); });
}

int getsockname(int fd, sockaddr* address, socklen_t* length) {
  return retried(Call::getsockname, [&] { return ::getsockname(fd, address, length); });
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  return retried(Call::getsockopt, [&] { return ::getsockopt(fd, level, name, value, length); });
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
  return retried(Call::setsockopt, [&] { return ::setsockopt(fd, level, name, value, length); });
}

int shutdown(int fd, int how) {
  return retried(Call::shutdown, [&] { return ::shutdown(fd, how); });
}

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  return retried(Call::recv, [&] { return ::recv(fd, buffer, size, flags); });
}

ssize_t send(int fd, const void* buffer, size_t size, int flags) {
  return retried(Call::send, [&] { return ::send(fd, buffer, size, flags); });
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return retried(Call::sendmsg, [&] { return ::sendmsg(fd, message, flags); });
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return retried(Call::recvmsg, [&] { return ::recvmsg(fd, message, flags); });
}

int epoll_create1(int flags) {
  return retried(Call::epoll_create1, [&] { return ::epoll_create1(flags); });
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  return retried(Call::epoll_ctl, [&] { return ::epoll_ctl(epoll, operation, fd, event); });
}

int epoll_wait(int epoll, epoll_event* events, int capacity, int timeout_ms) {
  return once(Call::epoll_wait, [&] { return ::epoll_wait(epoll, events, capacity, timeout_ms); });
}

int eventfd(unsigned initial, int flags) {
  return retried(Call::eventfd, [&] { return ::eventfd(initial, flags); });
}

int poll(pollfd* waiting, unsigned count, int timeout_ms) {
  return once(Call::poll, [&] { return ::poll(waiting, count, timeout_ms); });
}

int openat(int directory, const char* path, int flags, unsigned mode) {
  return retried(Call::openat, [&] { return ::openat(directory, path, flags, mode); });
}

int openat2(int directory, const char* path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  open_how how{};
  how.flags = flags;
  how.mode = mode;
  how.resolve = resolve;
  return retried(Call::openat2, [&] {
    return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
  });
}

int fstat(int fd, struct stat* result) {
  return retried(Call::fstat, [&] { return ::fstat(fd, result); });
}

int statfs(const char* path, struct statfs* result) {
  return retried(Call::statfs, [&] { return ::statfs(path, result); });
}

int fstatat(int directory, const char* name, struct stat* result, int flags) {
  return retried(Call::fstatat, [&] { return ::fstatat(directory, name, result, flags); });
}

ssize_t getdents64(int directory, void* buffer, size_t size) {
  return retried(Call::getdents64, [&] {
    return static_cast<ssize_t>(::syscall(SYS_getdents64, directory, buffer, size));
  });
}

int fstatfs(int fd, struct statfs* result) {
  return retried(Call::statfs, [&] { return ::fstatfs(fd, result); });
}

ssize_t readlinkat(int directory, const char* path, char* buffer, size_t size) {
  return retried(Call::readlinkat, [&] { return ::readlinkat(directory, path, buffer, size); });
}

ssize_t read(int fd, void* buffer, size_t size) {
  return retried(Call::read, [&] { return ::read(fd, buffer, size); });
}

ssize_t write(int fd, const void* buffer, size_t size) {
  return retried(Call::write, [&] { return ::write(fd, buffer, size); });
}

ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  return retried(Call::pread, [&] { return ::pread(fd, buffer, size, offset); });
}

ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  // Not through the libc, which turns ENOSYS into what a file system says that cannot tell. The
  // offset is one word here (the second is for 32-bit kernels).
  return retried(Call::preadv2, [&] {
    return static_cast<ssize_t>(::syscall(SYS_preadv2, fd, parts, count, offset, 0L, flags));
  });
}

ssize_t readahead(int fd, off_t offset, size_t size) {
  return retried(Call::readahead, [&] { return ::readahead(fd, offset, size); });
}

int64_t cachestat(int fd, uint64_t offset, uint64_t size) {
  // Debian 12's headers are older than the call (Linux 6.5); its number is the same everywhere.
  constexpr long kCachestat = 451;
  struct {
    uint64_t offset, size;
  } range = {offset, size};
  struct {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
  } pages = {};
  const long result =
      retried(Call::cachestat, [&] { return ::syscall(kCachestat, fd, &range, &pages, 0u); });
  return result < 0 ? result : static_cast<int64_t>(pages.cached);
}

int memfd_create(const char* name, unsigned flags) {
  return retried(Call::memfd_create, [&] { return ::memfd_create(name, flags); });
}

ssize_t pwrite(int fd, const void* buffer, size_t size, off_t offset) {
  return retried(Call::pwrite, [&] { return ::pwrite(fd, buffer, size, offset); });
}

int fsync(int fd) {
  return retried(Call::fsync, [&] { return ::fsync(fd); });
}

int flock(int fd, int operation) {
  return retried(Call::flock, [&] { return ::flock(fd, operation); });
}

int linkat(int from, const char* path, int to, const char* name, int flags) {
  return retried(Call::linkat, [&] { return ::linkat(from, path, to, name, flags); });
}

int renameat2(int from, const char* path, int to, const char* name, unsigned flags) {
  return retried(Call::renameat2, [&] { return ::renameat2(from, path, to, name, flags); });
}

int unlinkat(int directory, const char* name, int flags) {
  return retried(Call::unlinkat, [&] { return ::unlinkat(directory, name, flags); });
}

int mkdirat(int directory, const char* name, unsigned mode) {
  return retried(Call::mkdirat, [&] { return ::mkdirat(directory, name, mode); });
}

int set_modified(int fd, int64_t seconds, uint32_t nanoseconds) {
  const timespec times[2] = {{0, UTIME_OMIT}, {seconds, static_cast<long>(nanoseconds)}};
  return retried(Call::utimensat, [&] { return ::futimens(fd, times); });
}

ssize_t getrandom(void* buffer, size_t size) {
  return retried(Call::getrandom, [&] { return ::getrandom(buffer, size, 0); });
}

int unlink(const char* path) {
  return retried(Call::unlink, [&] { return ::unlink(path); });
}

int close(int fd) {
  return once(Call::close, [&] { return ::close(fd); });
}

int inotify_init(int flags) {
  return retried(Call::inotify, [&] { return ::inotify_init1(flags); });
}

int inotify_add_watch(int fd, const char* path, uint32_t mask) {
  return retried(Call::inotify, [&] { return ::inotify_add_watch(fd, path, mask); });
}

int inotify_rm_watch(int fd, int watch) {
  return retried(Call::inotify, [&] { return ::inotify_rm_watch(fd, watch); });
}

ssize_t sendfile(int to, int from, off_t* offset, size_t size) {
  return retried(Call::sendfile, [&] { return ::sendfile(to, from, offset, size); });
}

ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, size_t size,
               unsigned flags) {
  return retried(Call::splice,
                 [&] { return ::splice(from, from_offset, to, to_offset, size, flags); });
}

ssize_t tee(int from, int to, size_t size, unsigned flags) {
  return retried(Call::tee, [&] { return ::tee(from, to, size, flags); });
}

ssize_t vmsplice(int pipe, const iovec* parts, size_t count, unsigned flags) {
  return retried(Call::vmsplice, [&] { return ::vmsplice(pipe, parts, count, flags); });
}

int pipe2(int ends[2], int flags) {
  return retried(Call::pipe2, [&] { return ::pipe2(ends, flags); });
}

int fcntl(int fd, int command, long argument) {
  return retried(Call::fcntl, [&] { return ::fcntl(fd, command, argument); });
}

int cpu_affinity() {
  // A mask for 8,192 CPUs: the kernel answers EINVAL when its own is wider than ours.
  alignas(cpu_set_t) unsigned char mask[1024] = {};
  auto* set = reinterpret_cast<cpu_set_t*>(mask);
  const int result =
      retried(Call::sched_getaffinity, [&] { return ::sched_getaffinity(0, sizeof mask, set); });
  return result < 0 ? result : CPU_COUNT_S(sizeof mask, set);
}

int64_t now_us() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
}

int64_t wall_clock_s() {
  timespec time;
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return time.tv_sec;
}

int64_t wall_clock_us() {
  timespec time;
  ::clock_gettime(CLOCK_REALTIME, &time);
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
}

}  // namespace sluice::sys
