// Counting and closing of open files. The last holder may be any thread; close(2) of a regular file
// that was only read does not block.
#include "files/file.h"

#include "net/sys.h"

namespace sluice::files {

File::File(FileCounts* counts, int descriptor, std::string content)
    : Source(descriptor, std::move(content)), counts_(counts) {
  if (in_memory()) {
    counts_->held_bytes.fetch_add(static_cast<int64_t>(bytes.size()), std::memory_order_relaxed);
  } else {
    counts_->descriptors.fetch_add(1, std::memory_order_relaxed);
  }
}

File::~File() {
  if (in_memory()) {
    counts_->held_bytes.fetch_sub(static_cast<int64_t>(bytes.size()), std::memory_order_relaxed);
  } else {
    sys::close(fd);
    counts_->descriptors.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace sluice::files
