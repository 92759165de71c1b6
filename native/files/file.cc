// A served file's own few lines: counting itself, and closing its descriptor with the last holder,
// on whichever thread that is.
#include "files/file.h"

#include <utility>

#include "net/sys.h"

namespace sluice::files {

File::File(std::shared_ptr<FileCounts> counts, int descriptor, std::string content,
           uint64_t unnamed)
    : Source(descriptor, std::move(content)), counts_(std::move(counts)), unnamed_(unnamed) {
  if (!counts_) return;
  if (fd >= 0) counts_->descriptors.fetch_add(1, std::memory_order_relaxed);
  counts_->held_bytes.fetch_add(static_cast<int64_t>(held_bytes()), std::memory_order_relaxed);
}

File::~File() {
  if (fd >= 0) sys::close(fd);
  if (!counts_) return;
  if (fd >= 0) counts_->descriptors.fetch_sub(1, std::memory_order_relaxed);
  counts_->held_bytes.fetch_sub(static_cast<int64_t>(held_bytes()), std::memory_order_relaxed);
}

}  // namespace sluice::files
