// Files on a file system that may hang at any byte, as FUSE and NFS do. Here the C library is told
// to say so of every file, and to wait at a gate: only I/O threads may come there.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <string>
#include <vector>

#include "testing.h"
#include "worker/running_group.h"

namespace {

enum class Disk : uint8_t { plain, remote, blind, holey };

/// Of a holey file these bytes are not in memory until an I/O thread has read the last of them.
constexpr off_t kHole = 200'000;
constexpr off_t kHoleEnd = 900'000;
std::atomic<bool> is_filled{false};
std::atomic<int> asked{0};   ///< and were told that it is not in memory, or that nobody knows
std::atomic<int> stalls{0};  ///< calls that would have waited for a disk

std::atomic<Disk> disk{Disk::plain};
std::atomic<bool> is_hung{false};
std::atomic<int> waiting{0};
std::atomic<int> read_by_workers{0};

/// What a read from a file goes through while a test pretends.
void pass_gate() {
  if (disk == Disk::plain) return;
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  if (std::strncmp(name, "sluice-w", 8) == 0) ++read_by_workers;
  if (std::strncmp(name, "sluice-io", 9) != 0) return;
  ++waiting;
  while (is_hung) ::usleep(500);
  --waiting;
}

/// What preadv2(RWF_NOWAIT) says of a file, or `part` shortened to what it has in memory.
int find_in_memory(off_t offset, iovec& part) {
  if (disk == Disk::blind) return EOPNOTSUPP;
  if (disk != Disk::holey || is_filled || offset >= kHoleEnd) return 0;
  if (offset >= kHole) return EAGAIN;
  part.iov_len = std::min(part.iov_len, static_cast<size_t>(kHole - offset));
  return 0;
}

}  // namespace

// In the place of the C library's own.
extern "C" int fstatfs(int fd, struct statfs* result) noexcept {
  const auto status = ::syscall(SYS_fstatfs, fd, result);
  if (disk == Disk::remote) result->f_type = 0x65735546;
  return static_cast<int>(status);
}

extern "C" int statfs(const char* path, struct statfs* result) noexcept {
  const auto status = ::syscall(SYS_statfs, path, result);
  if (disk == Disk::remote) result->f_type = 0x65735546;
  return static_cast<int>(status);
}

extern "C" ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  if (size > 1) pass_gate();
  if (offset + static_cast<off_t>(size) >= kHoleEnd) is_filled = true;
  return ::syscall(SYS_pread64, fd, buffer, size, offset);
}

/// preadv2 is called by its number, since the C library hides what a file system says.
extern "C" long syscall(long number, ...) noexcept {
  long words[6];
  va_list list;
  va_start(list, number);
  for (long& word : words) word = va_arg(list, long);
  va_end(list);
  iovec part;
  if (number == SYS_preadv2) {
    part = *reinterpret_cast<const iovec*>(words[1]);
    words[1] = reinterpret_cast<long>(&part);
    if (const int error = find_in_memory(words[3], part); error != 0) {
      ++asked;
      errno = error;
      return -1;
    }
  }
  static const auto real = reinterpret_cast<decltype(&::syscall)>(::dlsym(RTLD_NEXT, "syscall"));
  return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

extern "C" ssize_t sendfile(int out, int in, off_t* offset, size_t count) noexcept {
  const off_t end = *offset + static_cast<off_t>(count);
  if (disk == Disk::holey && !is_filled && *offset < kHoleEnd && end > kHole) ++stalls;
  return ::syscall(SYS_sendfile, out, in, offset, count);
}

namespace {

using worker_tests::content_of;
using worker_tests::GroupSettings;
using worker_tests::request_for;
using worker_tests::RunningGroup;
using worker_tests::SocketClient;

constexpr size_t kSize = 3'000'000;

struct Pretence {
  explicit Pretence(Disk what) {
    read_by_workers = 0;
    disk = what;
  }
  ~Pretence() {
    is_hung = false;
    disk = Disk::plain;
  }
};

void on_both_twins(void (*run)(GroupSettings)) {
  for (const bool copy_only : {false, true}) {
    const testing::Context context(copy_only ? "copy" : "auto");
    run({.workers = 1, .copy_only = copy_only});
  }
}

TEST(remote_files_arrive_whole_and_are_read_by_io_threads_only) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kSize));
    const Pretence pretence(Disk::remote);
    SocketClient client = group.connect();
    CHECK(client.get("/large").body == content_of("large", kSize));
    const auto part = client.get("/large", "Range: bytes=100000-299999\r\n").body;
    CHECK(part == content_of("large", kSize).substr(100'000, 200'000));
    CHECK_EQ(read_by_workers.load(), 0);
  });
}

TEST(files_whose_pages_nobody_can_tell_arrive_whole) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kSize));
    const Pretence pretence(Disk::blind);
    asked = 0;
    CHECK(group.connect().get("/large").body == content_of("large", kSize));
    CHECK(asked > 0);
  });
}

TEST(file_system_that_hangs_delays_only_its_own_requests) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kSize));
    SocketClient steady = group.connect();
    const Pretence pretence(Disk::remote);
    is_hung = true;
    std::vector<SocketClient> stuck;
    for (int i = 0; i < 10; ++i) {
      stuck.push_back(group.connect());
      CHECK(stuck.back().send(request_for("/large")));
    }
    // Of the three threads two, not the last.
    CHECK(group.wait_until("the disk to be waited for", [] { return waiting == 2; }));
    for (int i = 0; i < 100; ++i) CHECK_EQ(steady.get("/fixed").body, "fixed");
    is_hung = false;
    for (SocketClient& client : stuck) {
      CHECK(client.read().body == content_of("large", kSize));
    }
    CHECK_EQ(read_by_workers.load(), 0);
  });
}

TEST(file_whose_ends_are_in_memory_is_read_by_io_threads_between_them) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kSize));
    const Pretence pretence(Disk::holey);
    is_filled = false;
    stalls = 0;
    CHECK(group.connect().get("/large").body == content_of("large", kSize));
    CHECK(is_filled);
    CHECK_EQ(stalls.load(), 0);
  });
}

TEST(root_on_a_remote_file_system_is_warned_of_once) {
  const Pretence pretence(Disk::remote);
  RunningGroup group;
  CHECK(group.wait_until("the warning", [&] { return group.faults("remote-file-system") == 1; }));
}

TEST(remote_file_that_becomes_shorter_ends_the_connection) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kSize));
    const Pretence pretence(Disk::remote);
    is_hung = true;
    SocketClient client = group.connect();
    CHECK(client.send(request_for("/large")));
    CHECK(group.wait_until("the disk to be waited for", [] { return waiting > 0; }));
    std::filesystem::resize_file(group.site() / "large", 0);
    is_hung = false;
    CHECK(group.wait_until("the error",
                           [&group] { return group.errors(sluice::ErrorCode::short_file) == 1; }));
    CHECK(group.wait_until("the end", [&group] { return group.connections() == 0; }));
  });
}

}  // namespace
