// Where the bytes of a body come from: an open descriptor, or the bytes themselves. Shared by
// reference count between configuration, answers and running transfers, on any thread; immutable
// but for warmth. Whoever derives from it closes the descriptor.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "core/ref.h"

namespace sluice {

class Source : public Counted<Source> {
 public:
  Source(int descriptor, std::string content)
      : fd(descriptor), bytes(std::move(content)), size(bytes.size()) {}
  virtual ~Source() = default;

  const int fd;             ///< -1 when held in memory
  const std::string bytes;  ///< the whole content when fd is -1
  uint64_t size = 0;        ///< bytes; of a descriptor set before it is shared
  bool in_memory() const { return fd < 0; }
  /// What may hang together with it (a hash of its root): the lane of its jobs on I/O threads. Set
  /// before it is shared.
  size_t lane = 0;
  /// On a file system that may hang at any byte (FUSE, NFS): only I/O threads read from it. Set
  /// before it is shared.
  bool is_remote = false;
  /// Until then (sys::now_us) its pages are taken to be in memory. Relaxed, any thread.
  mutable std::atomic<int64_t> warm_until_us{0};
};

}  // namespace sluice
