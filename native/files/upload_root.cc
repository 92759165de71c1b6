// Counting and sweeping are one walk. A leftover is told from the file of a gateway that lives, a
// predecessor or a neighbour on the same directory, by its lock: the kernel lets go of that when
// its process ends, however it ends.
#include "files/upload_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/hash.h"
#include "core/limits.h"
#include "net/sys.h"

namespace sluice::files {
namespace {

constexpr size_t kMaxDepth = 128;

/// Removes `name` if nobody holds its lock.
void remove_leftover(int folder, const char* name) {
  const OwnedFd fd(sys::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0));
  if (!fd.valid() || sys::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) return;
  sys::unlinkat(folder, name, 0);
}

/// Sweeps and counts the files beneath `folder`, which stay on its file system and follow no links.
uint64_t walk(const OwnedFd& folder, size_t depth) {
  std::vector<char> buffer(32 * 1024);
  std::vector<std::string> below;
  uint64_t sum = 0;
  for (;;) {
    const ssize_t got = sys::getdents64(folder.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (ssize_t at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const char* name = entry->d_name;
      if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
      struct stat status;
      if (sys::fstatat(folder.get(), name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
      if (S_ISDIR(status.st_mode)) below.emplace_back(name);
      if (!S_ISREG(status.st_mode)) continue;
      if (std::string_view(name).starts_with(kHiddenPrefix)) {
        remove_leftover(folder.get(), name);
      } else {
        sum += static_cast<uint64_t>(status.st_size);
      }
    }
  }
  for (const std::string& name : below) {
    if (depth == kMaxDepth) break;
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const OwnedFd next(sys::openat(folder.get(), name.c_str(), kFlags, 0));
    if (next.valid()) sum += walk(next, depth + 1);
  }
  return sum;
}

}  // namespace

std::string random_digits(size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string bytes((count + 1) / 2, '\0'), digits;
  if (sys::getrandom(bytes.data(), bytes.size()) < 0) {
    static std::atomic<uint64_t> fallback{0};  // unique at least
    const uint64_t seed = hash_seed() ^ static_cast<uint64_t>(sys::now_us());
    for (char& c : bytes) c = static_cast<char>(fold_multiply(seed, ++fallback));
  }
  for (size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i / 2]);
    digits.push_back(kDigits[i % 2 == 0 ? byte >> 4 : byte & 0xf]);
  }
  return digits;
}

OwnedFd UploadRoot::open() const {
  return OwnedFd(sys::openat(AT_FDCWD, path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
}

void UploadRoot::prepare(bool counts) {
  const std::lock_guard lock(preparing_);
  const int64_t now_us = sys::now_us();
  // A walk that takes long is made less often: it must not become what the disk is busy with.
  const bool is_old = now_us - counted_us_ > std::max(kRecountUs, 20 * count_took_us_);
  if (is_swept_ && (!counts || (is_counted_ && !is_old))) return;
  const OwnedFd folder(sys::openat(AT_FDCWD, path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  if (!folder.valid()) return;
  const uint64_t sum = walk(folder, 0);
  is_swept_ = is_counted_ = true;
  counted_us_ = sys::now_us();
  count_took_us_ = counted_us_ - now_us;
  const std::lock_guard room(room_);
  used_ = static_cast<int64_t>(sum);
}

bool UploadRoot::reserve(uint64_t bytes, uint64_t quota) {
  const std::lock_guard lock(room_);
  const uint64_t taken = static_cast<uint64_t>(std::max<int64_t>(used_, 0) + reserved_);
  if (quota != UINT64_MAX && (taken > quota || bytes > quota - taken)) return false;
  reserved_ += static_cast<int64_t>(bytes);
  return true;
}

void UploadRoot::give_back(uint64_t bytes) {
  const std::lock_guard lock(room_);
  reserved_ -= static_cast<int64_t>(bytes);
}

void UploadRoot::settle(uint64_t bytes, uint64_t replaced) {
  const std::lock_guard lock(room_);
  reserved_ -= static_cast<int64_t>(bytes);
  used_ += static_cast<int64_t>(bytes) - static_cast<int64_t>(replaced);
}

void UploadRoot::removed(uint64_t bytes) {
  const std::lock_guard lock(room_);
  used_ -= static_cast<int64_t>(bytes);
}

std::mutex& UploadRoot::lock_of(std::string_view path) {
  return locks_[hash_bytes(path, hash_seed()) % kLocks];
}

int64_t UploadRoot::next_time_ns() {
  int64_t last = last_time_ns_.load(std::memory_order_relaxed);
  for (;;) {
    const int64_t next = std::max(last + 1, sys::wall_clock_us() * 1'000);
    if (last_time_ns_.compare_exchange_weak(last, next, std::memory_order_relaxed)) return next;
  }
}

Ref<UploadRoot> UploadRoots::at(const std::string& path) {
  const std::lock_guard lock(mutex_);
  Ref<UploadRoot>& root = roots_[path];
  if (!root) root = make_ref<UploadRoot>(path);
  return root;
}

}  // namespace sluice::files
