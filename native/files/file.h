// One regular file that was opened to be served: a descriptor, or its bytes in memory, with what
// fstat said of that very descriptor. Immutable after the I/O thread made it (but for its warmth);
// shared by answers on several workers and by running transfers; the last holder closes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/limits.h"
#include "core/source.h"

namespace sluice::files {

/// Open descriptors and bytes in memory (those of files without a name too) of one gateway's files.
/// Held by each of them: an event that nobody takes any more may be the last to hold a file when
/// the gateway is gone.
struct FileCounts {
  std::atomic<int64_t> descriptors{0};
  std::atomic<int64_t> held_bytes{0};
};

/// Device, inode, kind, size, mtime and ctime as one number: equal means unchanged. Never 0.
using Identity = uint64_t;
inline constexpr Identity kAbsent = 0;

/// A path beneath a root, how it is looked at, and what was there (when an answer rests on it).
struct Look {
  std::string root;
  std::string path;  ///< relative, "" for the root itself
  Identity identity = kAbsent;
  bool follow = false;  ///< symlinks may lead out of the root
  bool list = false;    ///< the entries of a directory matter, not only that it is there
};

class File final : public Source {
 public:
  /// Takes over `fd`, or holds `bytes` and no descriptor when fd is -1. `unnamed` bytes of what
  /// `fd` refers to exist for its sake alone.
  File(std::shared_ptr<FileCounts> counts, int fd, std::string bytes, uint64_t unnamed = 0);
  ~File() override;

  uint64_t id = 0;  ///< set once, before it is shared
  int64_t mtime_s = 0;
  uint32_t mtime_ns = 0;
  int64_t opened_s = 0;  ///< wall clock when fstat was done, for weak or strong (RFC 9110 §8.8.1)
  Identity identity = kAbsent;
  uint32_t checksum = 0;  ///< of the bytes, where size and mtime do not tell contents apart

  /// Opened so soon after its last change that the next one may leave its times as they are.
  bool is_young() const { return opened_s - mtime_s < kYoungS; }
  /// Bytes that would be free without it, beside those that the disk has anyway.
  uint64_t held_bytes() const { return bytes.size() + unnamed_; }

 private:
  const std::shared_ptr<FileCounts> counts_;
  const uint64_t unnamed_;
};

}  // namespace sluice::files
