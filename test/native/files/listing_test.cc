// What a listing shows, and links that may lead out of the root: both ways of finding give the
// same.
#include "files/listing.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "files/opener.h"
#include "temporary_folder.h"
#include "testing.h"

namespace {

using sluice::files::Entry;
using sluice::files::identify;
using sluice::files::Look;
using sluice::files::look_up;
using sluice::files::Looked;
using sluice::files::OpenOptions;
using sluice::files::Outcome;

std::string names_in(const Looked& looked) {
  std::vector<std::string> names;
  for (const Entry& entry : looked.entries) {
    names.push_back(entry.name + (entry.is_directory ? "/" : " ") + std::to_string(entry.size));
  }
  std::sort(names.begin(), names.end());
  std::string joined;
  for (const std::string& name : names) joined += name + "\n";
  return joined;
}

TEST(listing_shows_what_can_be_asked_for) {
  const testing::TemporaryFolder folder;
  folder.write("secret", "outside");
  folder.write("root/d/file", "12345");
  folder.write("root/d/100%", "");
  folder.write("root/d/.dot", "");
  folder.write("root/d/back\\slash", "");
  folder.write("root/d/new\nline", "");
  folder.write("root/d/\xff", "");
  folder.folder("root/d/sub");
  folder.symlink("root/d/inside", "../d/file");
  folder.symlink("root/d/outside", "../../secret");
  folder.symlink("root/d/absolute", folder / "secret");
  folder.symlink("root/d/nowhere", "nothing");
  ::mkfifo((folder / "root/d/fifo").c_str(), 0600);
  for (const bool by_hand : {false, true}) {
    OpenOptions options;
    options.force_walk = by_hand;
    const size_t before = testing::open_descriptors();
    for (const char* path : {"d", "d/"}) {
      Look look{folder / "root", path};
      look.list = true;
      CHECK_EQ(names_in(look_up(look, options)), ".dot 0\n100% 0\nfile 5\ninside 5\nsub/0\n");
      look.follow = true;
      CHECK_EQ(names_in(look_up(look, options)),
               ".dot 0\n100% 0\nabsolute 7\nfile 5\ninside 5\noutside 7\nsub/0\n");
    }
    CHECK_EQ(testing::open_descriptors(), before);
  }
}

TEST(listing_identity_changes_with_the_entries_and_only_then) {
  const testing::TemporaryFolder folder;
  folder.folder("d");
  Look look{folder.path(), "d"};
  look.list = true;
  const auto empty = identify(look);
  CHECK_EQ(look_up(look, {}).identity, empty);
  folder.write("d/a", "1");
  const auto one = identify(look);
  CHECK(one != empty);
  CHECK_EQ(identify(look), one);
  folder.write("d/a", "22");
  CHECK(identify(look) != one);
  look.list = false;
  CHECK_EQ(identify(look), identify(folder.path(), "d"));
  look.list = true;
  look.path = "nothing";
  CHECK_EQ(identify(look), sluice::files::kAbsent);
  CHECK_EQ(look_up(look, {}).outcome, Outcome::absent);
  look.path = "d/a";
  CHECK_EQ(look_up(look, {}).outcome, Outcome::file);
}

TEST(links_lead_anywhere_only_when_they_may) {
  const testing::TemporaryFolder folder;
  folder.write("outside/file", "outside");
  folder.symlink("root", "site");
  folder.folder("site");
  folder.symlink("site/up", "../outside/file");
  folder.symlink("site/folder", "../outside");
  folder.symlink("site/absolute", folder / "outside/file");
  folder.symlink("site/loop", "loop");
  ::mkfifo((folder / "outside/fifo").c_str(), 0600);
  for (const bool by_hand : {false, true}) {
    OpenOptions options;
    options.memory_bytes = 100;
    options.force_walk = by_hand;
    for (const char* path : {"up", "folder/file", "absolute"}) {
      Look look{folder / "root", path};
      CHECK_EQ(look_up(look, options).outcome, Outcome::refused);
      look.follow = true;
      const Looked looked = look_up(look, options);
      REQUIRE_EQ(looked.outcome, Outcome::file);
      CHECK_EQ(looked.file->bytes, "outside");
      CHECK_EQ(identify(look), looked.identity);
    }
    Look look{folder / "root", "folder/fifo"};
    look.follow = true;
    CHECK_EQ(look_up(look, options).outcome, Outcome::special);
    look.path = "loop";
    CHECK_EQ(look_up(look, options).outcome, Outcome::refused);
    look.path = "folder";
    CHECK_EQ(look_up(look, options).outcome, Outcome::directory);
  }
}

}  // namespace
