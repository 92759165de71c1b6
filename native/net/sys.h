// The one place that makes system calls. Tests and fuzzers replace it at link time.
// Every function returns the call's result, or -errno. Each call is counted in the calling thread's
// SyscallCounts (plain stores by one thread, relaxed loads by whoever prints them).
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

struct pollfd;
struct statfs;

namespace sluice::sys {

/// The calls that are counted, by kind.
// clang-format off
#define SLUICE_SYSCALLS(X)                                                                       \
  X(accept4) X(bind) X(cachestat) X(close) X(connect) X(epoll_create1) X(epoll_ctl)              \
  X(epoll_wait) X(eventfd) X(fcntl) X(flock) X(fstat) X(fstatat) X(fsync) X(getdents64)          \
  X(getrandom) X(getsockname) X(getsockopt) X(inotify) X(linkat) X(listen) X(memfd_create)       \
  X(mkdirat) X(openat) X(openat2) X(pipe2) X(poll) X(pread) X(preadv2) X(pwrite) X(read)         \
  X(readahead) X(readlinkat) X(recv) X(recvmsg) X(renameat2) X(sched_getaffinity) X(send)        \
  X(sendfile) X(sendmsg) X(setsockopt) X(shutdown) X(socket) X(socketpair) X(splice) X(statfs)   \
  X(tee) X(unlink) X(unlinkat) X(utimensat) X(vmsplice) X(write)
// clang-format on

enum class Call : uint8_t {
#define X(name) name,
  SLUICE_SYSCALLS(X)
#undef X
      count_
};
inline constexpr size_t kCallCount = static_cast<size_t>(Call::count_);

/// "sendfile" for Call::sendfile.
std::string_view call_name(Call call);

/// How often one thread made each call. Written by its thread only.
struct SyscallCounts {
  std::array<std::atomic<uint64_t>, kCallCount> calls{};
};

/// From now on the calling thread counts into `counts`, which must outlive its calls; null:
/// nowhere.
void count_into(SyscallCounts* counts);

// Sockets. -errno on failure; EINTR is retried inside except by epoll_wait.
int socket(int family, int type, int protocol);
int bind(int fd, const sockaddr* address, socklen_t length);
int listen(int fd, int backlog);
/// An interrupted connect goes on in the kernel, so EINTR is answered as -EINPROGRESS.
int connect(int fd, const sockaddr* address, socklen_t length);
int socketpair(int family, int type, int protocol, int ends[2]);
int accept4(int fd, sockaddr* address, socklen_t* length, int flags);
int getsockname(int fd, sockaddr* address, socklen_t* length);
int getsockopt(int fd, int level, int name, void* value, socklen_t* length);
int setsockopt(int fd, int level, int name, const void* value, socklen_t length);
int shutdown(int fd, int how);
ssize_t recv(int fd, void* buffer, size_t size, int flags);
ssize_t send(int fd, const void* buffer, size_t size, int flags);
ssize_t sendmsg(int fd, const msghdr* message, int flags);
ssize_t recvmsg(int fd, msghdr* message, int flags);

// The loop.
int epoll_create1(int flags);
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event);
int epoll_wait(int epoll, epoll_event* events, int capacity, int timeout_ms);
int eventfd(unsigned initial, int flags);
int poll(pollfd* waiting, unsigned count, int timeout_ms);

// Files.
int openat(int directory, const char* path, int flags, unsigned mode);
/// openat2(2) with `resolve` = RESOLVE_* flags; -ENOSYS where the libc or kernel has none.
int openat2(int directory, const char* path, uint64_t flags, uint64_t mode, uint64_t resolve);
int fstat(int fd, struct stat* result);
int statfs(const char* path, struct statfs* result);
int fstatfs(int fd, struct statfs* result);  ///< counts as `statfs`
int fstatat(int directory, const char* name, struct stat* result, int flags);
/// Reads struct linux_dirent64 records; 0 at the end of the directory.
ssize_t getdents64(int directory, void* buffer, size_t size);
ssize_t readlinkat(int directory, const char* path, char* buffer, size_t size);
ssize_t read(int fd, void* buffer, size_t size);
ssize_t write(int fd, const void* buffer, size_t size);
ssize_t pread(int fd, void* buffer, size_t size, off_t offset);
/// preadv2(2); RWF_NOWAIT answers -EAGAIN when the page is not in memory.
ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags);
/// Starts reading the pages of a range; may block on the disk.
ssize_t readahead(int fd, off_t offset, size_t size);
/// How many pages of [offset, offset + size) are in memory; -ENOSYS before Linux 6.5.
int64_t cachestat(int fd, uint64_t offset, uint64_t size);
int memfd_create(const char* name, unsigned flags);
ssize_t pwrite(int fd, const void* buffer, size_t size, off_t offset);
int fsync(int fd);
/// flock(2): LOCK_EX, LOCK_NB … The lock ends with the open file, or its process.
int flock(int fd, int operation);
int linkat(int from, const char* path, int to, const char* name, int flags);
int renameat2(int from, const char* path, int to, const char* name, unsigned flags);
int unlinkat(int directory, const char* name, int flags);
int mkdirat(int directory, const char* name, unsigned mode);
/// Sets the modification time and leaves the access time.
int set_modified(int fd, int64_t seconds, uint32_t nanoseconds);
ssize_t getrandom(void* buffer, size_t size);
int unlink(const char* path);
/// Never retried: Linux has released the number even when it answers EINTR.
int close(int fd);

// Watching files; all three count as `inotify`.
int inotify_init(int flags);
int inotify_add_watch(int fd, const char* path, uint32_t mask);
int inotify_rm_watch(int fd, int watch);

// Moving bytes.
/// `*offset` is advanced by the bytes moved.
ssize_t sendfile(int to, int from, off_t* offset, size_t size);
ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, size_t size, unsigned flags);
ssize_t tee(int from, int to, size_t size, unsigned flags);
ssize_t vmsplice(int pipe, const iovec* parts, size_t count, unsigned flags);
int pipe2(int ends[2], int flags);
int fcntl(int fd, int command, long argument);

/// How many CPUs the calling thread may run on.
int cpu_affinity();

/// CLOCK_MONOTONIC in microseconds, by the vDSO: not counted.
int64_t now_us();
/// CLOCK_REALTIME in seconds, coarse (a tick), by the vDSO: not counted.
int64_t wall_clock_s();
/// CLOCK_REALTIME in microseconds, by the vDSO: not counted.
int64_t wall_clock_us();

}  // namespace sluice::sys
