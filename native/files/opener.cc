// Looking a path up and opening what it names. Runs on I/O threads only.
// What is there is found without touching it (open_beneath.h); only a regular file is then opened
// for reading. A file in memory costs openat, openat2, fstat, openat, pread, fstat and the closes.
// Nothing is remembered in here: every call resolves root and path anew.
#include "files/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <utility>

#include "core/hash.h"
#include "files/file_system.h"
#include "files/open_beneath.h"
#include "net/sys.h"

namespace sluice::files {
namespace {

constexpr int kSwapRetries = 8;  // the name leads to another file between finding and opening
constexpr int kReadRetries = 3;  // the content changes while it is read

uint64_t mixed(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 29);
}

Outcome outcome_of(int error) {
  switch (error) {
    case 0: return Outcome::file;
    case ENOENT:
    case ENOTDIR: return Outcome::absent;
    case ENAMETOOLONG:
    case ELOOP:
    case EACCES:
    case EPERM:
    case EXDEV:
    case EINVAL:  // a name that this file system cannot have
    case EILSEQ: return Outcome::refused;
    default: return Outcome::failed;
  }
}

Looked looked_at(const struct stat& status) {
  Looked looked;
  looked.identity = identity_of(status);
  looked.size = static_cast<uint64_t>(status.st_size);
  if (S_ISREG(status.st_mode)) looked.links = status.st_nlink;
  looked.mtime_ms = int64_t{status.st_mtim.tv_sec} * 1'000 + status.st_mtim.tv_nsec / 1'000'000;
  return looked;
}

Looked without(int error) {
  Looked looked;
  looked.outcome = outcome_of(error);
  if (looked.outcome != Outcome::absent) looked.error = error;
  return looked;
}

Found find(const Look& look, const std::string& path, bool by_hand) {
  const std::string& root = look.root;
  Found found;
  // A name that ends early would be another name.
  if (root.find('\0') != std::string::npos || path.find('\0') != std::string::npos) {
    found.error = EINVAL;
    return found;
  }
  const OwnedFd top(sys::openat(AT_FDCWD, root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  if (top.valid() && look.follow) return find_anywhere(top.get(), path, by_hand);
  if (top.valid()) return find_beneath(top.get(), path, by_hand);
  found.error = -top.get();
  return found;
}

/// Reads the whole file of `status.st_size` bytes; false when it has another length by now. One
/// byte more is asked for, so that one call also sees a file that has grown.
bool read_whole(int fd, const struct stat& status, std::string& bytes, int& error) {
  const auto size = static_cast<size_t>(status.st_size);
  bytes.resize(size + 1);
  size_t have = 0;
  do {
    const ssize_t got =
        sys::pread(fd, bytes.data() + have, size + 1 - have, static_cast<off_t>(have));
    if (got < 0) error = static_cast<int>(-got);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  } while (have < size);
  bytes.resize(size);
  return error == 0 && have == size;
}

enum class Held : uint8_t { whole, changing, failed };

/// Reads a file into `bytes` so that they agree with `status`, which becomes what fstat says last.
Held hold(int fd, uint64_t limit, struct stat& status, std::string& bytes, int& error) {
  for (int i = 0; i < kReadRetries; ++i) {
    if (static_cast<uint64_t>(status.st_size) > limit) break;
    const Identity before = identity_of(status);
    const bool complete = read_whole(fd, status, bytes, error);
    if (error == 0) error = -sys::fstat(fd, &status);
    if (error != 0) return Held::failed;
    if (complete && identity_of(status) == before) return Held::whole;
  }
  bytes.clear();
  return Held::changing;
}

Looked open_regular(const Found& found, const OpenOptions& options, int64_t opened_s) {
  OwnedFd fd(open_found(found, options.force_walk));
  if (!fd.valid()) return without(-fd.get());
  struct stat status = found.status;
  std::string bytes;
  int error = 0;
  auto held = Held::changing;
  if (!options.keep_descriptor) held = hold(fd.get(), options.memory_bytes, status, bytes, error);
  if (held == Held::failed) return without(error);
  Looked looked = looked_at(status);
  looked.outcome = Outcome::file;
  const int kept = held == Held::whole ? -1 : fd.release();
  looked.file = make_ref<File>(options.counts, kept, std::move(bytes));
  File& file = *looked.file;
  file.size = looked.size;
  file.mtime_s = status.st_mtim.tv_sec;
  file.mtime_ns = static_cast<uint32_t>(status.st_mtim.tv_nsec);
  file.opened_s = opened_s;
  file.identity = looked.identity;
  file.is_remote = kept >= 0 && file_system_of(kept).is_remote;
  return looked;
}

Listing list_found(const Look& look, const Found& found, bool by_hand) {
  const std::string folder =
      look.path.empty() || look.path.ends_with('/') ? look.path : look.path + "/";
  return list_directory(found.fd.get(), [&](const std::string& name, struct stat& status) {
    const Found target = find(look, folder + name, by_hand);
    status = target.status;
    return target.error == 0;
  });
}

Looked look_at_directory(const Look& look, const Found& found, const OpenOptions& options) {
  Looked looked = looked_at(found.status);
  looked.outcome = Outcome::directory;
  if (!look.list) return looked;
  Listing listing = list_found(look, found, options.force_walk);
  if (listing.error != 0) return without(listing.error);
  looked.identity = listing.identity;
  looked.entries = std::move(listing.entries);
  looked.has_more = listing.has_more;
  return looked;
}

Looked look_once(const Look& look, const OpenOptions& options) {
  const int64_t opened_s = sys::wall_clock_s();  // before fstat: rather weak too long than strong
  const Found found = find(look, look.path, options.force_walk);
  if (found.error != 0) return without(found.error);
  if (S_ISREG(found.status.st_mode)) return open_regular(found, options, opened_s);
  if (S_ISDIR(found.status.st_mode)) return look_at_directory(look, found, options);
  Looked looked = looked_at(found.status);
  looked.outcome = Outcome::special;
  return looked;
}

}  // namespace

Identity identity_of(const struct stat& status) {
  uint64_t hash = 0x243f6a8885a308d3;
  hash = mixed(hash, status.st_dev);
  hash = mixed(hash, status.st_ino);
  hash = mixed(hash, status.st_mode & S_IFMT);
  hash = mixed(hash, static_cast<uint64_t>(status.st_size));
  hash = mixed(hash, static_cast<uint64_t>(status.st_mtim.tv_sec));
  hash = mixed(hash, static_cast<uint64_t>(status.st_mtim.tv_nsec));
  hash = mixed(hash, static_cast<uint64_t>(status.st_ctim.tv_sec));
  hash = mixed(hash, static_cast<uint64_t>(status.st_ctim.tv_nsec));
  return hash == kAbsent ? 1 : hash;
}

Looked look_up(const Look& look, const OpenOptions& options) {
  Looked looked = look_once(look, options);
  for (int i = 0; i < kSwapRetries && looked.error == ESTALE; ++i) {
    looked = look_once(look, options);
  }
  if (looked.file) looked.file->lane = lane_of(look.root);
  return looked;
}

size_t lane_of(const std::string& root) { return hash_bytes(root, hash_seed()); }

Identity identify(const Look& look, int* error) {
  const Found found = find(look, look.path, false);
  int reason = found.error;
  Identity identity = reason == 0 ? identity_of(found.status) : kAbsent;
  if (reason == 0 && look.list && S_ISDIR(found.status.st_mode)) {
    const Listing listing = list_found(look, found, false);
    reason = listing.error;
    identity = reason == 0 ? listing.identity : kAbsent;
  }
  if (error != nullptr) *error = outcome_of(reason) == Outcome::failed ? reason : 0;
  return identity;
}

const char* errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : "UNKNOWN";
}

}  // namespace sluice::files
