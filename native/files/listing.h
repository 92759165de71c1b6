// The entries of a directory, for a page that lists it. Bounded in number; names that no request
// could ask for are left out. I/O threads only.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sluice::files {

struct Entry {
  std::string name;  ///< valid UTF-8
  bool is_directory = false;
  uint64_t size = 0;  ///< bytes, of a file
  int64_t mtime_ms = 0;
};

struct Listing {
  std::vector<Entry> entries;  ///< regular files and directories, in no order
  bool has_more = false;       ///< there were more than kMaxListed
  uint64_t identity = 0;       ///< equal means the same entries, unchanged
  int error = 0;               ///< errno when the directory cannot be read
};

/// What a symlink called `name` leads to; false when it leads nowhere that may be shown.
using ResolveLink = std::function<bool(const std::string& name, struct stat& status)>;

/// Reads `directory`, any descriptor of it (also O_PATH).
Listing list_directory(int directory, const ResolveLink& resolve);

}  // namespace sluice::files
