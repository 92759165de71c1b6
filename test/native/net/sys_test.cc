// What holds for all system calls: results or -errno, interrupted ones go on, each is counted in
// the calling thread's counters.
#include "net/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "temporary_folder.h"
#include "testing.h"

namespace {

namespace sys = sluice::sys;

uint64_t count_of(const sys::SyscallCounts& counts, sys::Call call) {
  return counts.calls[static_cast<size_t>(call)].load(std::memory_order_relaxed);
}

TEST(system_calls_answer_minus_errno) {
  char byte = 0;
  struct stat status;
  off_t offset = 0;
  CHECK_EQ(sys::close(-1), -EBADF);
  CHECK_EQ(sys::read(-1, &byte, 1), -EBADF);
  CHECK_EQ(sys::fstat(-1, &status), -EBADF);
  CHECK_EQ(sys::sendfile(-1, -1, &offset, 1), -EBADF);
  CHECK_EQ(sys::openat(AT_FDCWD, "/nothing/there", O_RDONLY, 0), -ENOENT);
  CHECK_EQ(sys::socket(-1, 0, 0), -EAFNOSUPPORT);
  CHECK_EQ(sys::inotify_rm_watch(-1, 1), -EBADF);
}

TEST(system_calls_are_counted_for_their_thread_only) {
  sys::SyscallCounts here;
  sys::SyscallCounts there;
  sys::count_into(&here);
  std::thread([&] {
    sys::count_into(&there);
    for (int i = 0; i < 3; ++i) sys::close(-1);
  }).join();
  sys::close(-1);
  char byte;
  sys::read(-1, &byte, 1);
  sys::count_into(nullptr);
  sys::close(-1);
  CHECK_EQ(count_of(here, sys::Call::close), 1);
  CHECK_EQ(count_of(here, sys::Call::read), 1);
  CHECK_EQ(count_of(there, sys::Call::close), 3);
  CHECK_EQ(count_of(there, sys::Call::read), 0);
}

TEST(every_kind_of_call_has_its_own_name) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < sys::kCallCount; ++i) {
    names.insert(sys::call_name(static_cast<sys::Call>(i)));
  }
  CHECK_EQ(names.size(), sys::kCallCount);
  CHECK_EQ(sys::call_name(sys::Call::sendfile), "sendfile");
}

int interrupted_pipe[2];
std::atomic<int> interruptions{0};

void write_from_handler(int) {
  if (++interruptions != 3) return;  // some that bring nothing, then one byte
  const ssize_t written = ::write(interrupted_pipe[1], "x", 1);
  (void)written;
}

TEST(interrupted_calls_go_on) {
  REQUIRE_EQ(sys::pipe2(interrupted_pipe, O_CLOEXEC), 0);
  struct sigaction action = {};
  struct sigaction before;
  action.sa_handler = write_from_handler;  // without SA_RESTART: read() sees EINTR
  ::sigaction(SIGUSR1, &action, &before);
  std::atomic<ssize_t> got{0};
  std::thread reader([&] {
    char byte;
    got = sys::read(interrupted_pipe[0], &byte, 1);
  });
  while (got == 0) {
    ::pthread_kill(reader.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  reader.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK_EQ(got.load(), 1);
  for (const int end : interrupted_pipe) sys::close(end);
}

TEST(bytes_move_from_file_through_pipe_to_socket) {
  const testing::TemporaryFolder folder;
  folder.write("file", "0123456789");
  const int file = sys::openat(AT_FDCWD, (folder / "file").c_str(), O_RDONLY | O_CLOEXEC, 0);
  int pipe[2];
  int sockets[2];
  REQUIRE_EQ(sys::pipe2(pipe, O_CLOEXEC), 0);
  REQUIRE_EQ(sys::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  off_t offset = 2;
  CHECK_EQ(sys::splice(file, &offset, pipe[1], nullptr, 3, 0), 3);
  CHECK_EQ(sys::splice(pipe[0], nullptr, sockets[0], nullptr, 3, 0), 3);
  CHECK_EQ(sys::sendfile(sockets[0], file, &offset, 100), 5);
  CHECK_EQ(offset, 10);
  char bytes[16];
  CHECK_EQ(sys::recv(sockets[1], bytes, sizeof bytes, 0), 8);
  CHECK_EQ(std::string_view(bytes, 8), "23456789");
  const int64_t pages = sys::cachestat(file, 0, 10);
  CHECK(pages == -ENOSYS || pages == -EPERM || pages == -EOPNOTSUPP || pages == 1);
  for (const int fd : {file, pipe[0], pipe[1], sockets[0], sockets[1]}) CHECK_EQ(sys::close(fd), 0);
}

TEST(clocks_go_forward) {
  const int64_t first = sys::now_us();
  CHECK(first > 0);
  CHECK(sys::now_us() >= first);
  CHECK(sys::wall_clock_s() > 1'600'000'000);
}

}  // namespace
