// Files on a file system that may hang at any byte, as FUSE and NFS do. Here the C library is told
// to say so of every file, and to wait at a gate: only I/O threads may come there.
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "testing.h"
#include "worker/running_group.h"

namespace {

enum class Disk : uint8_t { plain, remote, blind };

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

}  // namespace

// In the place of the C library's own.
extern "C" int fstatfs(int fd, struct statfs* result) noexcept {
  const auto status = ::syscall(SYS_fstatfs, fd, result);
  if (disk == Disk::remote) result->f_type = 0x65735546;
  return static_cast<int>(status);
}

extern "C" ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  if (size > 1) pass_gate();
  return ::syscall(SYS_pread64, fd, buffer, size, offset);
}

extern "C" ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  if (disk != Disk::plain) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return ::syscall(SYS_preadv2, fd, parts, count, offset, 0L, flags);
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
    CHECK(group.connect().get("/large").body == content_of("large", kSize));
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
