// One regular file that was opened to be served: a descriptor, or its bytes in memory, with what
// fstat said of that very descriptor. Immutable after the I/O thread made it (but for its warmth);
// shared by answers on several workers and by running transfers; the last holder closes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/source.h"

namespace sluice::files {

/// Open descriptors and bytes in memory of all files of one gateway. Held by each of them: an event
/// that nobody takes any more may be the last to hold a file when the gateway is gone.
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
  /// Takes over `fd`, or holds `bytes` and no descriptor when fd is -1.
  File(std::shared_ptr<FileCounts> counts, int fd, std::string bytes);
  ~File() override;

  uint64_t id = 0;  ///< set once, before it is shared
  int64_t mtime_s = 0;
  uint32_t mtime_ns = 0;
  int64_t opened_s = 0;  ///< wall clock when fstat was done, for weak or strong (RFC 9110 §8.8.1)
  Identity identity = kAbsent;

 private:
  const std::shared_ptr<FileCounts> counts_;
};

}  // namespace sluice::files
