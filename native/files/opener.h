// Looks up a path beneath a root and opens it when it is a regular file. Runs on I/O threads only.
// Containment by construction: openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), or, where kernel
// or seccomp refuses that call, a walk segment by segment that gives the same answers
// (open_beneath.cc). Never opens a FIFO, socket or device in a way that blocks or has an effect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ref.h"
#include "files/file.h"
#include "files/listing.h"

namespace sluice::files {

enum class Outcome : uint8_t { file, directory, absent, special, refused, failed };

struct Looked {
  Outcome outcome = Outcome::absent;
  Ref<File> file;               ///< when outcome is file
  Identity identity = kAbsent;  ///< of whatever is there, also of directories; kAbsent: nothing
  uint64_t size = 0;
  int64_t mtime_ms = 0;
  uint64_t links = 1;  ///< of a file: names that it has
  int error = 0;       ///< errno when refused or failed
  /// Of a directory that was to be listed; `identity` is the listing's then.
  std::vector<Entry> entries;
  bool has_more = false;  ///< there were more than fit
};

struct OpenOptions {
  /// Files up to this many bytes are read into memory and their descriptor closed. Content and
  /// fstat agree: a file that changes while it is read is read again, then held by descriptor.
  uint64_t memory_bytes = 0;
  /// Never into memory, not even an empty file: the copying twin reads from the descriptor.
  bool keep_descriptor = false;
  std::shared_ptr<FileCounts> counts;
  /// Use the walk even where openat2 works, and no /proc (tests compare the two).
  bool force_walk = false;
};

/// Looks where `look` says: its root absolute, resolved anew on each call (so a root that is a
/// symlink may be swapped); its path relative to that, without leading slash, "" for the root
/// itself.
Looked look_up(const Look& look, const OpenOptions& options);
inline Looked look_up(const std::string& root, const std::string& path,
                      const OpenOptions& options) {
  return look_up(Look{root, path}, options);
}

/// Only the identity of what is there now, without opening it for reading; kAbsent when nothing is
/// there or it is refused. `*error` is 0, or the errno when the system could not tell (EMFILE,
/// EIO).
Identity identify(const Look& look, int* error = nullptr);
inline Identity identify(const std::string& root, const std::string& path, int* error = nullptr) {
  return identify(Look{root, path}, error);
}

/// Device, inode, kind, size and times as one number.
Identity identity_of(const struct stat& status);

/// The lane for jobs beneath `root` (IoThreads::post): roots hang apart from each other.
size_t lane_of(const std::string& root);

/// "ENOENT" for ENOENT.
const char* errno_name(int error);

}  // namespace sluice::files
