// getdents64 by hand: readdir would hide its system calls from the counters and allocate a stream.
// One fstatat per entry; a link is resolved like a request for it would be, so that a listing never
// shows size or time of something that cannot be asked for.
#include "files/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include <algorithm>
#include <cstddef>

#include "core/hash.h"
#include "core/limits.h"
#include "files/open_beneath.h"
#include "files/opener.h"
#include "http/uri.h"

namespace sluice::files {
namespace {

/// Whether a request could name it: what file routes refuse is not there for anybody. A percent
/// sign is asked for as an escape, and is then a character like any other.
bool can_be_asked_for(std::string name) {
  std::replace(name.begin(), name.end(), '%', 'x');
  char room[NAME_MAX + 1];
  return name.size() <= NAME_MAX && !http::has_dot_segment(name) &&
         http::decode_path(name, room).check == http::PathCheck::ok;
}

bool add_entry(int directory, const char* name, const ResolveLink& resolve, Listing& listing) {
  struct stat status;
  // What has gone since the directory was read is not an error.
  if (sys::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return true;
  if (S_ISLNK(status.st_mode) && !resolve(name, status)) return true;
  const bool is_directory = S_ISDIR(status.st_mode);
  if (!is_directory && !S_ISREG(status.st_mode)) return true;
  if (listing.entries.size() == kMaxListed) {
    listing.has_more = true;
    return false;
  }
  const int64_t mtime_ms =
      int64_t{status.st_mtim.tv_sec} * 1'000 + status.st_mtim.tv_nsec / 1'000'000;
  const uint64_t size = is_directory ? 0 : static_cast<uint64_t>(status.st_size);
  listing.entries.push_back({name, is_directory, size, mtime_ms});
  // A sum, since the order of entries means nothing.
  listing.identity += hash_bytes(name, identity_of(status));
  return true;
}

/// One bufferful of records. False when there is no need for more.
bool add_records(int directory, const char* records, size_t size, const ResolveLink& resolve,
                 Listing& listing) {
  for (size_t at = 0; at < size;) {
    const auto* record = reinterpret_cast<const dirent64*>(records + at);
    at += record->d_reclen;
    if (!can_be_asked_for(record->d_name)) continue;
    if (!add_entry(directory, record->d_name, resolve, listing)) return false;
  }
  return true;
}

}  // namespace

Listing list_directory(int directory, const ResolveLink& resolve) {
  Listing listing;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC;
  const OwnedFd fd(sys::openat(directory, ".", kFlags, 0));
  if (!fd.valid()) {
    listing.error = -fd.get();
    return listing;
  }
  alignas(dirent64) char records[16 * 1024];
  for (;;) {
    const ssize_t size = sys::getdents64(fd.get(), records, sizeof records);
    if (size < 0) listing.error = static_cast<int>(-size);
    if (size <= 0) break;
    if (!add_records(fd.get(), records, static_cast<size_t>(size), resolve, listing)) break;
  }
  // Never the identity of nothing, also not when it is empty.
  listing.identity |= 1;
  return listing;
}

}  // namespace sluice::files
