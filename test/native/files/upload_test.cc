// Uploads without HTTP: files without a name and files with a hidden one come to the same, and
// neither leaves anything when it is given up.
#include "files/upload.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include "net/sys.h"
#include "temporary_folder.h"
#include "testing.h"

using namespace sluice;
using files::Upload;
using files::UploadRequest;
using testing::TemporaryFolder;

namespace {

UploadRequest request_for(const TemporaryFolder& folder, const std::string& path, bool named) {
  UploadRequest request;
  request.root = folder.path();
  request.path = path;
  auto rules = std::make_shared<route::UploadRules>();
  rules->body_bytes = 1'000'000;
  request.rules = std::move(rules);
  request.force_named = named;
  return request;
}

void give(Upload& upload, const std::string& text) {
  upload.load.room = std::make_unique<char[]>(text.size());
  std::copy(text.begin(), text.end(), upload.load.room.get());
  upload.load.size = text.size();
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t entries(const TemporaryFolder& folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::recursive_directory_iterator(folder.path())) {
    ++count;
  }
  return count;
}

}  // namespace

TEST(upload_gets_its_name_when_it_is_whole) {
  for (const bool named : {false, true}) {
    const TemporaryFolder folder;
    files::UploadRoots roots;
    for (const std::string text : {"one", "second"}) {
      auto upload = make_ref<Upload>(request_for(folder, "a/b/file", named));
      CHECK(upload->open(roots) == ErrorCode::none);
      give(*upload, text);
      CHECK(upload->write() == ErrorCode::none);
      CHECK(upload->store() == ErrorCode::none);
      CHECK_EQ(upload->is_new(), text == "one");
      CHECK_EQ(read(folder / "a/b/file"), text);
    }
    CHECK_EQ(entries(folder), 3u);
  }
}

TEST(upload_given_up_leaves_nothing) {
  for (const bool named : {false, true}) {
    const TemporaryFolder folder;
    files::UploadRoots roots;
    auto upload = make_ref<Upload>(request_for(folder, "file", named));
    CHECK(upload->open(roots) == ErrorCode::none);
    give(*upload, "some");
    CHECK(upload->write() == ErrorCode::none);
    CHECK_EQ(entries(folder), named ? 1u : 0u);
    upload.reset();
    CHECK_EQ(entries(folder), 0u);
  }
}

TEST(upload_wrong_digest_leaves_the_old_file) {
  for (const bool named : {false, true}) {
    const TemporaryFolder folder;
    std::ofstream(folder / "file") << "old";
    files::UploadRoots roots;
    UploadRequest request = request_for(folder, "file", named);
    request.digest = Sha256().finish();
    auto upload = make_ref<Upload>(std::move(request));
    CHECK(upload->open(roots) == ErrorCode::none);
    give(*upload, "new");
    CHECK(upload->write() == ErrorCode::none);
    CHECK(upload->store() == ErrorCode::digest_mismatch);
    upload.reset();
    CHECK_EQ(read(folder / "file"), "old");
    CHECK_EQ(entries(folder), 1u);
  }
}

TEST(upload_leftovers_are_swept_but_not_those_in_use) {
  const TemporaryFolder folder;
  std::ofstream(folder / ".sluice-upload-left") << "x";
  files::UploadRoots roots;
  auto upload = make_ref<Upload>(request_for(folder, "file", true));
  CHECK(upload->open(roots) == ErrorCode::none);
  CHECK(!std::filesystem::exists((folder / ".sluice-upload-left").c_str()));
  files::UploadRoots others;  // of a gateway that starts
  others.at(folder.path())->prepare(true);
  CHECK_EQ(entries(folder), 1u);
  CHECK(upload->store() == ErrorCode::none);
  CHECK_EQ(entries(folder), 1u);
}

TEST(upload_quota_counts_what_is_under_way) {
  const TemporaryFolder folder;
  files::UploadRoot root(folder.path());
  std::ofstream(folder / "there") << std::string(40, 'x');
  root.prepare(true);
  CHECK(root.reserve(50, 100));
  CHECK(!root.reserve(11, 100));
  CHECK(root.reserve(10, 100));
  root.give_back(10);
  root.settle(50, 40);
  CHECK(root.reserve(50, 100));
  CHECK(!root.reserve(1, 100));
  root.removed(50);
  CHECK(root.reserve(50, 100));
  CHECK(root.reserve(1, UINT64_MAX));
}

TEST(upload_times_never_repeat) {
  files::UploadRoot root("/");
  int64_t last = 0;
  for (int i = 0; i < 1'000; ++i) {
    const int64_t next = root.next_time_ns();
    CHECK(next > last);
    last = next;
  }
}
