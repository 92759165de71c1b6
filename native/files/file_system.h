// What kind of file system a path is on, as far as it matters for serving: whether inotify sees
// every change of it, and whether it may hang or return other bytes than others wrote. May block:
// I/O threads only.
#pragma once

#include <string>

namespace sluice::files {

struct FileSystem {
  const char* name = "";  ///< for people, of those that are remote; static storage
  /// Local and plain: nobody changes a file without this kernel noticing.
  bool tells_changes = false;
  /// Its files come from a server, a host or a program: it may hang, and sendfile of its pages has
  /// been seen to send old bytes.
  bool is_remote = false;
};

/// The most doubtful kind when it cannot be told.
FileSystem file_system_of(const std::string& path);
FileSystem file_system_of(int fd);

}  // namespace sluice::files
