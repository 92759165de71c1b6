// openat2 against the walk that stands in for it: the same outcome and the same identity for
// thousands of generated names over a tree with symlinks of every kind, also with the rights of an
// unprivileged user. Skipped where the kernel has no openat2: then there is nothing to compare.
#include "files/open_beneath.h"

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "files/opener.h"
#include "net/capabilities.h"
#include "temporary_folder.h"
#include "testing.h"

namespace {

using sluice::files::look_up;
using sluice::files::Looked;
using sluice::files::OpenOptions;
using sluice::files::Outcome;

bool has_openat2() { return sluice::net::available(sluice::net::Feature::openat2); }

/// The root is <folder>/root; what lies beside it must never be found.
void make_tree(const testing::TemporaryFolder& folder) {
  folder.write("secret", "outside");
  folder.write("root2/secret", "a sibling whose name begins like the root's");
  folder.write("root/file", "top");
  folder.write("root/a/file", "in a");
  folder.write("root/a/b/file", "in b");
  folder.write("root/a/b/c/deep", "deep");
  folder.write("root/closed/file", "nobody may search");
  folder.write("root/listed/file", "listed but not searchable");
  folder.write("root/private", "nobody may read");
  folder.folder("root/empty");
  folder.symlink("root/to_file", "file");
  folder.symlink("root/to_dir", "a/b");
  folder.symlink("root/to_dir_slash", "a/b/");
  folder.symlink("root/to_file_slash", "file/");
  folder.symlink("root/to_here", ".");
  folder.symlink("root/a/up", "..");
  folder.symlink("root/a/b/up_and_down", "../../a/b/./file");
  folder.symlink("root/a/b/too_far_up", "../../../secret");
  folder.symlink("root/a/up_through_root", "../../root/file");
  folder.symlink("root/absolute", folder / "root/file");
  folder.symlink("root/absolute_out", "/etc/passwd");
  folder.symlink("root/parent", "..");
  folder.symlink("root/sibling", "../root2/secret");
  folder.symlink("root/dangling", "nowhere");
  folder.symlink("root/dangling_dir", "nowhere/file");
  folder.symlink("root/through_file", "file/x");
  folder.symlink("root/missing_then_out", "nowhere/../../secret");
  folder.symlink("root/closed_up", "closed/..");
  folder.symlink("root/self", "self");
  folder.symlink("root/ping", "pong");
  folder.symlink("root/pong", "ping");
  folder.symlink("root/loop_dir", "loop_dir/x");
  std::string last = "file";
  for (int i = 1; i <= 41; ++i) {  // the kernel follows 40
    const std::string name = "chain" + std::to_string(i);
    folder.symlink("root/" + name, last);
    last = name;
  }
  ::mkfifo((folder / "root/fifo").c_str(), 0644);
  ::chmod((folder / "root/private").c_str(), 0);
  ::chmod((folder / "root/closed").c_str(), 0);
  ::chmod((folder / "root/listed").c_str(), 0444);
}

const std::vector<std::string> kWords = {"file",
                                         "a",
                                         "a",
                                         "b",
                                         "b",
                                         "c",
                                         "deep",
                                         "up",
                                         "up",
                                         "to_file",
                                         "to_dir",
                                         "to_dir",
                                         "to_here",
                                         "to_dir_slash",
                                         "to_file_slash",
                                         "up_and_down",
                                         "too_far_up",
                                         "up_through_root",
                                         "absolute",
                                         "absolute_out",
                                         "parent",
                                         "sibling",
                                         "dangling",
                                         "dangling_dir",
                                         "through_file",
                                         "missing_then_out",
                                         "closed",
                                         "closed_up",
                                         "listed",
                                         "private",
                                         "empty",
                                         "self",
                                         "ping",
                                         "loop_dir",
                                         "fifo",
                                         "fifo",
                                         "chain1",
                                         "chain39",
                                         "chain40",
                                         "chain41",
                                         "nowhere",
                                         "..",
                                         "..",
                                         "..",
                                         ".",
                                         ".",
                                         "",
                                         "secret",
                                         "root"};

std::string generated_name(std::mt19937& random) {
  std::string name;
  const size_t words = 1 + random() % 7;
  for (size_t i = 0; i < words; ++i) {
    if (i > 0) name += '/';
    name += kWords[random() % kWords.size()];
  }
  if (random() % 8 == 0) name += '/';
  if (random() % 50 == 0) name = "/" + name;
  if (random() % 100 == 0) name += std::string(random() % 300, 'x');
  if (random() % 200 == 0)
    name.insert(
        0, std::string(4'090 - std::min<size_t>(4'090, random() % 200), '/').replace(0, 1, "."));
  return name;
}

std::string content_of(const Looked& looked) {
  return looked.file.get() == nullptr ? "" : looked.file->bytes;
}

void check_same(const std::string& root, const std::string& name) {
  const testing::Context context(name.substr(0, 200));
  OpenOptions options;
  options.memory_bytes = 1'000;
  const Looked kernel = look_up(root, name, options);
  options.force_walk = true;
  const Looked walk = look_up(root, name, options);
  CHECK_EQ(walk.outcome, kernel.outcome);
  CHECK_EQ(walk.identity, kernel.identity);
  CHECK_EQ(walk.size, kernel.size);
  CHECK_EQ(walk.mtime_ms, kernel.mtime_ms);
  CHECK_EQ(content_of(walk), content_of(kernel));
  CHECK(content_of(kernel).find("outside") == std::string::npos);
  CHECK(kernel.outcome != Outcome::failed);
}

void check_names(const std::string& root, uint32_t seed, int count) {
  std::mt19937 random(seed);
  std::map<Outcome, int> outcomes;
  for (int i = 0; i < count; ++i) {
    const std::string name = generated_name(random);
    check_same(root, name);
    ++outcomes[look_up(root, name, {}).outcome];
  }
  for (const Outcome outcome :
       {Outcome::file, Outcome::directory, Outcome::absent, Outcome::special, Outcome::refused}) {
    const testing::Context context("outcome " + std::to_string(static_cast<int>(outcome)));
    CHECK(outcomes[outcome] > 10);  // each kind is met
  }
}

/// More names on demand: test/long asks for 100,000.
int name_count() {
  const char* count = std::getenv("SLUICE_TEST_NAMES");
  return count != nullptr ? std::atoi(count) : 12'000;
}

TEST(walk_agrees_with_openat2_on_generated_names) {
  if (!has_openat2()) return;
  const testing::TemporaryFolder folder;
  make_tree(folder);
  const size_t before = testing::open_descriptors();
  check_names(folder / "root", 1, name_count());
  CHECK_EQ(testing::open_descriptors(), before);
  for (const std::string& word : kWords) check_same(folder / "root", word);
  check_same(folder / "root", std::string(4'095, '/').replace(0, 1, "."));
  check_same(folder / "root", std::string(4'096, '/').replace(0, 1, "."));
  check_same(folder / "root", std::string(255, 'x'));
  check_same(folder / "root", std::string(256, 'x'));
}

TEST(walk_agrees_with_openat2_for_an_unprivileged_user) {
  if (!has_openat2()) return;
  const testing::TemporaryFolder folder;
  make_tree(folder);
  ::chmod(folder.path().c_str(), 0755);
  // Only this thread becomes somebody else for file access; without root it already is.
  std::thread([&] {
    if (::geteuid() == 0) ::setfsuid(65'534);
    OpenOptions options;
    CHECK_EQ(look_up(folder / "root", "private", options).outcome, Outcome::refused);
    CHECK_EQ(look_up(folder / "root", "closed/file", options).outcome, Outcome::refused);
    CHECK_EQ(look_up(folder / "root", "closed", options).outcome, Outcome::directory);
    check_names(folder / "root", 2, 6'000);
  }).join();
}

TEST(both_ways_survive_directories_that_move_while_they_are_walked) {
  const testing::TemporaryFolder folder;
  folder.write("root/a/b/file", "inside");
  folder.write("secret", "outside");
  folder.folder("root/elsewhere");
  folder.symlink("root/a/b/round", "../../a/b/../b/../../a/b/file");
  folder.symlink("root/a/b/out", "../../../secret");
  std::atomic<bool> stop{false};
  std::thread mover([&] {
    namespace fs = std::filesystem;
    std::error_code ignored;
    while (!stop) {  // b moves up, out of the root, and back
      fs::rename(folder / "root/a/b", folder / "root/elsewhere/b", ignored);
      fs::rename(folder / "root/elsewhere/b", folder / "moved", ignored);
      fs::rename(folder / "moved", folder / "root/a/b", ignored);
    }
  });
  for (int i = 0; i < 3'000; ++i) {
    OpenOptions options;
    options.memory_bytes = 100;
    options.force_walk = i % 2 == 0;
    const Looked round = look_up(folder / "root", "a/b/round", options);
    CHECK(round.outcome == Outcome::file || round.outcome == Outcome::absent ||
          round.outcome == Outcome::refused);
    if (round.file) CHECK_EQ(round.file->bytes, "inside");
    CHECK(look_up(folder / "root", "a/b/out", options).outcome != Outcome::file);
  }
  stop = true;
  mover.join();
}

TEST(renames_elsewhere_never_fail_a_lookup) {
  const testing::TemporaryFolder folder;
  folder.write("root/a/b/file", "inside");
  folder.symlink("root/round", "a/../a/b/../b/../../a/b/file");
  folder.write("x", "");
  std::atomic<bool> stop{false};
  std::thread mover([&] {  // openat2 answers EAGAIN when it crossed a rename anywhere
    std::error_code ignored;
    while (!stop) {
      std::filesystem::rename(folder / "x", folder / "y", ignored);
      std::filesystem::rename(folder / "y", folder / "x", ignored);
    }
  });
  for (int i = 0; i < 10'000; ++i) {
    CHECK_EQ(look_up(folder / "root", "round", {}).outcome, Outcome::file);
  }
  stop = true;
  mover.join();
}

TEST(found_file_is_the_one_that_is_opened_whatever_takes_its_name) {
  const testing::TemporaryFolder folder;
  const int root = sluice::sys::openat(AT_FDCWD, folder.path().c_str(), O_PATH | O_CLOEXEC, 0);
  for (const bool by_hand : {false, true}) {
    for (const std::string swapped : {"file", "fifo", "symlink", "nothing"}) {
      const testing::Context context(swapped + (by_hand ? " by hand" : ""));
      folder.write("name", "first");
      const auto found = sluice::files::find_beneath(root, "name", by_hand);
      REQUIRE_EQ(found.error, 0);
      std::filesystem::rename(folder / "name", folder / "away");
      if (swapped == "file") folder.write("name", "second");
      if (swapped == "fifo") ::mkfifo((folder / "name").c_str(), 0600);
      if (swapped == "symlink") folder.symlink("name", "away");
      const int fd = sluice::files::open_found(found, by_hand);
      char bytes[16];
      if (by_hand) CHECK_EQ(fd, -ESTALE);
      else CHECK_EQ(sluice::sys::read(fd, bytes, sizeof bytes), 5);
      if (fd >= 0) sluice::sys::close(fd);
      std::filesystem::remove(folder / "name");
    }
  }
  sluice::sys::close(root);
}

}  // namespace
