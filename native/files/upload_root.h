// The directory that uploads of one root go to: what all of them share. Counts its files for the
// quota, removes what a killed gateway left behind, keeps writers of one name apart. I/O threads
// only; each of its functions may wait for a disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/ref.h"
#include "files/open_beneath.h"

namespace sluice::files {

/// What the names of files begin with that are not complete. Never served, never written to.
inline constexpr std::string_view kHiddenPrefix = ".sluice-upload-";

/// `count` random hexadecimal digits.
std::string random_digits(size_t count);

class UploadRoot : public Counted<UploadRoot> {
 public:
  explicit UploadRoot(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  /// The root itself, opened anew; invalid with -errno in get().
  OwnedFd open() const;

  /// The first time: removes leftovers. With `counts`: also knows from now on how much there is.
  void prepare(bool counts);

  /// Keeps room for `bytes` more within `quota`. False: there is none.
  bool reserve(uint64_t bytes, uint64_t quota);
  void give_back(uint64_t bytes);
  /// Of what was reserved `bytes` are in a file now that took the place of one of `replaced`.
  void settle(uint64_t bytes, uint64_t replaced);
  void removed(uint64_t bytes);

  /// Writers of one name follow each other.
  std::mutex& lock_of(std::string_view path);
  /// A modification time that no other upload of this root gets: it makes the ETag.
  int64_t next_time_ns();

 private:
  static constexpr size_t kLocks = 16;

  const std::string path_;
  std::mutex preparing_;
  bool is_swept_ = false;
  bool is_counted_ = false;
  int64_t counted_us_ = 0;
  int64_t count_took_us_ = 0;
  std::mutex room_;
  int64_t used_ = 0;      ///< bytes of files; may fall below 0 for a moment when others remove some
  int64_t reserved_ = 0;  ///< by uploads under way
  std::atomic<int64_t> last_time_ns_{0};
  std::mutex locks_[kLocks];
};

/// All of a gateway, by their paths.
class UploadRoots {
 public:
  Ref<UploadRoot> at(const std::string& path);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Ref<UploadRoot>> roots_;
};

}  // namespace sluice::files
