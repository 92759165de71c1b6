// Looking files up: what each kind of thing is answered with, that nothing but regular files is
// touched, and that bytes in memory are one state of the file however it changes meanwhile.
#include "files/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "net/capabilities.h"
#include "net/sys.h"
#include "temporary_folder.h"
#include "testing.h"

namespace {

using sluice::files::FileCounts;
using sluice::files::identify;
using sluice::files::Identity;
using sluice::files::kAbsent;
using sluice::files::look_up;
using sluice::files::Looked;
using sluice::files::OpenOptions;
using sluice::files::Outcome;

OpenOptions in_memory(uint64_t bytes, bool force_walk = false) {
  OpenOptions options;
  options.memory_bytes = bytes;
  options.force_walk = force_walk;
  return options;
}

TEST(small_file_is_held_in_memory_and_large_one_by_descriptor) {
  const testing::TemporaryFolder folder;
  const auto counts = std::make_shared<FileCounts>();
  folder.write("ten", "0123456789");
  for (const bool force_walk : {false, true}) {
    OpenOptions options = in_memory(10, force_walk);
    options.counts = counts;
    Looked small = look_up(folder.path(), "ten", options);
    REQUIRE(small.outcome == Outcome::file);
    CHECK(small.file->in_memory());
    CHECK_EQ(small.file->bytes, "0123456789");
    CHECK_EQ(counts->held_bytes.load(), 10);
    CHECK_EQ(counts->descriptors.load(), 0);
    options.memory_bytes = 9;
    Looked large = look_up(folder.path(), "ten", options);
    REQUIRE(large.outcome == Outcome::file);
    CHECK(!large.file->in_memory());
    CHECK_EQ(large.file->bytes, "");
    CHECK_EQ(counts->descriptors.load(), 1);
    char bytes[16];
    CHECK_EQ(sluice::sys::pread(large.file->fd, bytes, sizeof bytes, 0), 10);
    CHECK_EQ(small.identity, large.identity);
    CHECK_EQ(large.file->identity, large.identity);
    CHECK_EQ(large.file->size, 10);
    CHECK_EQ(large.size, 10);
    CHECK_EQ(large.mtime_ms, large.file->mtime_s * 1'000 + large.file->mtime_ns / 1'000'000);
    CHECK(large.file->opened_s >= large.file->mtime_s);
    CHECK((::fcntl(large.file->fd, F_GETFD) & FD_CLOEXEC) != 0);
    large.file.reset();
    small.file.reset();
    CHECK_EQ(counts->descriptors.load(), 0);
    CHECK_EQ(counts->held_bytes.load(), 0);
  }
}

TEST(empty_file_is_held_in_memory_unless_its_descriptor_is_wanted) {
  const testing::TemporaryFolder folder;
  folder.write("empty", "");
  OpenOptions options;
  CHECK(look_up(folder.path(), "empty", options).file->in_memory());
  options.keep_descriptor = true;
  options.memory_bytes = 1'000;
  CHECK(!look_up(folder.path(), "empty", options).file->in_memory());
}

TEST(regular_file_costs_few_system_calls) {
  if (!sluice::net::available(sluice::net::Feature::openat2)) return;
  const testing::TemporaryFolder folder;
  folder.write("a/b/c/file", "content");
  sluice::sys::SyscallCounts counts;
  sluice::sys::count_into(&counts);
  look_up(folder.path(), "a/b/c/file", in_memory(100));
  sluice::sys::count_into(nullptr);
  uint64_t sum = 0;
  for (const auto& count : counts.calls) sum += count.load();
  CHECK_EQ(sum, 9);  // openat openat2 fstat openat pread fstat, and 3 closes
}

TEST(outcomes_tell_what_is_there) {
  const testing::TemporaryFolder folder;
  folder.write("file", "x");
  folder.folder("dir");
  folder.symlink("out", "/etc");
  folder.symlink("loop", "loop");
  for (const bool force_walk : {false, true}) {
    const OpenOptions options = in_memory(10, force_walk);
    auto outcome = [&](const std::string& path) {
      return look_up(folder.path(), path, options).outcome;
    };
    CHECK_EQ(outcome("file"), Outcome::file);
    CHECK_EQ(outcome("dir"), Outcome::directory);
    CHECK_EQ(outcome("dir/"), Outcome::directory);
    CHECK_EQ(outcome(""), Outcome::directory);
    CHECK_EQ(outcome("nothing"), Outcome::absent);
    CHECK_EQ(outcome("file/"), Outcome::absent);
    CHECK_EQ(outcome("file/x"), Outcome::absent);
    CHECK_EQ(outcome("out"), Outcome::refused);
    CHECK_EQ(outcome("out/passwd"), Outcome::refused);
    CHECK_EQ(outcome("loop"), Outcome::refused);
    CHECK_EQ(outcome("/file"), Outcome::refused);
    CHECK_EQ(outcome(".."), Outcome::refused);
    CHECK_EQ(outcome(std::string(300, 'n')), Outcome::refused);
    CHECK_EQ(outcome(std::string("file\0", 5)), Outcome::refused);
    CHECK_EQ(look_up(folder.path(), "loop", options).error, ELOOP);
    CHECK_EQ(look_up(folder / "file", "", options).outcome, Outcome::absent);
    CHECK_EQ(look_up(folder / "nothing", "file", options).outcome, Outcome::absent);
  }
}

TEST(root_is_resolved_anew_each_time) {
  const testing::TemporaryFolder folder;
  folder.write("v1/file", "one");
  folder.write("v2/file", "two");
  folder.symlink("current", "v1");
  CHECK_EQ(look_up(folder / "current", "file", in_memory(10)).file->bytes, "one");
  folder.symlink("next", "v2");
  std::filesystem::rename(folder / "next", folder / "current");
  CHECK_EQ(look_up(folder / "current", "file", in_memory(10)).file->bytes, "two");
}

/// Until the clock of the file system has ticked.
void change_ctime_only(const std::string& path) {
  struct stat before;
  struct stat after;
  ::stat(path.c_str(), &before);
  do {
    ::chmod(path.c_str(), before.st_mode);
    ::stat(path.c_str(), &after);
  } while (after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

TEST(identity_changes_with_the_file_and_only_then) {
  const testing::TemporaryFolder folder;
  folder.write("file", "aaaa");
  std::set<Identity> seen;
  const auto changed = [&](const char* what) {
    const testing::Context context(what);
    const Identity now = identify(folder.path(), "file");
    CHECK(now != kAbsent);
    CHECK(seen.insert(now).second);
    CHECK_EQ(identify(folder.path(), "file"), now);
    CHECK_EQ(look_up(folder.path(), "file", in_memory(10)).identity, now);
  };
  changed("made");
  folder.write("other", "aaaa");
  std::filesystem::rename(folder / "other", folder / "file");
  changed("replaced by a file with the same content");
  folder.write("file", "bbbbb");
  changed("rewritten");
  const timespec times[2] = {{1, 0}, {1, 1}};
  ::utimensat(AT_FDCWD, (folder / "file").c_str(), times, 0);
  changed("mtime set");
  change_ctime_only(folder / "file");
  changed("ctime only");
  std::filesystem::remove(folder / "file");
  CHECK_EQ(identify(folder.path(), "file"), kAbsent);
  folder.folder("file");
  changed("a directory");
  CHECK_EQ(
      identify(folder.path(), "../" + std::filesystem::path(folder.path()).filename().string()),
      kAbsent);
}

/// Things that are neither file nor directory. Opening any of them would be an IN_OPEN event.
class Specials {
 public:
  explicit Specials(const testing::TemporaryFolder& folder) : folder_(folder) {
    ::mkfifo((folder / "fifo").c_str(), 0666);
    names_ = {"fifo", "socket"};
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    (folder / "socket").copy(address.sun_path, sizeof address.sun_path - 1);
    CHECK_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    // Only root may; null, since a device that really does something is not for a test.
    if (::mknod((folder / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0)
      names_.push_back("null");
    inotify_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    ::inotify_add_watch(inotify_, folder.path().c_str(), IN_OPEN | IN_ACCESS | IN_CLOSE);
  }
  ~Specials() {
    ::close(socket_);
    ::close(inotify_);
  }
  const std::vector<std::string>& names() const { return names_; }
  /// Events since the last call that are about something in the folder, not the folder itself.
  int touched() const {
    alignas(inotify_event) char buffer[4096];
    int events = 0;
    for (ssize_t size; (size = ::read(inotify_, buffer, sizeof buffer)) > 0;) {
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        events += event->len > 0 ? 1 : 0;
        at += static_cast<ssize_t>(sizeof *event + event->len);
      }
    }
    return events;
  }

 private:
  const testing::TemporaryFolder& folder_;
  std::vector<std::string> names_;
  int socket_ = -1;
  int inotify_ = -1;
};

TEST(fifos_sockets_and_devices_are_never_opened) {
  const testing::TemporaryFolder folder;
  folder.write("file", "x");
  const Specials specials(folder);
  for (const bool force_walk : {false, true}) {
    for (const std::string& name : specials.names()) {
      const testing::Context context(name + (force_walk ? " by hand" : ""));
      const Looked looked = look_up(folder.path(), name, in_memory(100, force_walk));
      CHECK_EQ(looked.outcome, Outcome::special);
      CHECK(looked.identity != kAbsent);
      CHECK(!looked.file);
      CHECK_EQ(identify(folder.path(), name), looked.identity);
      CHECK_EQ(specials.touched(), 0);
    }
  }
  look_up(folder.path(), "file", in_memory(100));
  CHECK(specials.touched() > 0);  // the watch does see openings
}

/// Replaces all of a file's bytes in place, each time with another letter and another length, so
/// that a mixture of two states cannot look like one.
void rewrite_in_place(const std::string& path, const std::atomic<bool>& stop) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  for (size_t round = 1; !stop; ++round) {
    const std::string content(1 + round % 20'000, static_cast<char>('a' + round % 26));
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, content.data(), content.size(), 0) < 0) break;
  }
  ::close(fd);
}

TEST(bytes_in_memory_are_one_state_of_a_file_that_is_rewritten_meanwhile) {
  const testing::TemporaryFolder folder;
  folder.write("file", "sss");
  std::atomic<bool> stop{false};
  std::thread writer([&] { rewrite_in_place(folder / "file", stop); });
  for (int i = 0; i < 5'000; ++i) {
    const Looked looked = look_up(folder.path(), "file", in_memory(1 << 20, i % 2 == 0));
    REQUIRE(looked.outcome == Outcome::file);
    CHECK_EQ(looked.file->size, looked.size);
    if (!looked.file->in_memory()) continue;  // it never stood still
    const std::string& bytes = looked.file->bytes;
    CHECK_EQ(bytes.size(), looked.size);
    CHECK(bytes.empty() || bytes.find_first_not_of(bytes.front()) == std::string::npos);
  }
  stop = true;
  writer.join();
}

TEST(file_that_changes_while_it_is_read_is_read_again) {
  const testing::TemporaryFolder folder;
  folder.write("file", std::string(100'000, 'a'));
  std::atomic<bool> stop{false};
  std::thread toucher([&] {
    while (!stop) ::utimensat(AT_FDCWD, (folder / "file").c_str(), nullptr, 0);
  });
  sluice::sys::SyscallCounts counts;
  sluice::sys::count_into(&counts);
  uint64_t lookups = 0;
  const auto& reads = counts.calls[static_cast<size_t>(sluice::sys::Call::pread)];
  while (reads == lookups && lookups < 1'000'000) {
    CHECK_EQ(look_up(folder.path(), "file", in_memory(1 << 20)).outcome, Outcome::file);
    ++lookups;
  }
  CHECK(reads > lookups);
  sluice::sys::count_into(nullptr);
  stop = true;
  toucher.join();
}

TEST(file_that_is_replaced_meanwhile_is_always_one_of_its_versions) {
  const testing::TemporaryFolder folder;
  folder.write("file", std::string(5'000, 'a'));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (size_t round = 1; !stop; ++round) {
      folder.write("new", std::string(5'000, static_cast<char>('a' + round % 26)));
      std::filesystem::rename(folder / "new", folder / "file");
    }
  });
  for (int i = 0; i < 3'000; ++i) {
    const Looked looked = look_up(folder.path(), "file", in_memory(10'000, i % 2 == 0));
    REQUIRE(looked.outcome == Outcome::file);
    REQUIRE(looked.file->in_memory());
    CHECK_EQ(looked.file->bytes, std::string(5'000, looked.file->bytes[0]));
  }
  stop = true;
  writer.join();
}

TEST(file_of_the_kernel_that_lies_about_its_size_is_not_held_in_memory) {
  const Looked looked = look_up("/proc/sys/kernel", "ostype", in_memory(1'000));
  if (looked.outcome != Outcome::file) return;  // no /proc here
  CHECK(!looked.file->in_memory());
}

TEST(exhausted_descriptors_are_a_failure_and_not_an_absence) {
  const testing::TemporaryFolder folder;
  folder.write("file", "x");
  sluice::net::capabilities();  // its probe needs descriptors
  rlimit before;
  ::getrlimit(RLIMIT_NOFILE, &before);
  for (rlim_t room = 0; room < 3; ++room) {
    const int next = ::dup(0);
    ::close(next);
    const rlimit low = {static_cast<rlim_t>(next) + room, before.rlim_max};
    REQUIRE_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    const Looked looked = look_up(folder.path(), "file", in_memory(10));
    int error = 0;
    const Identity identity = identify(folder.path(), "file", &error);
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK_EQ(looked.outcome, room < 2 ? Outcome::failed : Outcome::file);  // two at a time
    CHECK_EQ(looked.error, room < 2 ? EMFILE : 0);
    CHECK_EQ(error, room < 2 ? EMFILE : 0);
    CHECK_EQ(identity != kAbsent, room == 2);
  }
}

TEST(errors_have_their_names) {
  CHECK_EQ(std::string(sluice::files::errno_name(ENOENT)), "ENOENT");
  CHECK_EQ(std::string(sluice::files::errno_name(EMFILE)), "EMFILE");
  CHECK_EQ(std::string(sluice::files::errno_name(99'999)), "UNKNOWN");
}

}  // namespace
