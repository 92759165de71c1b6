// Finds what a path names beneath a directory, in two ways that give the same answers: one openat2
// call, or a walk segment by segment where kernel or seccomp refuses that call. The result is an
// O_PATH descriptor, which has no effect on FIFOs, sockets and devices: opening a FIFO for reading
// would wake its writer, opening a device may do anything. I/O threads only.
#pragma once

#include <sys/stat.h>

#include <string>

#include "net/owned_fd.h"
#include "net/sys.h"

namespace sluice::files {

using net::OwnedFd;

/// What was found: an O_PATH descriptor and its fstat, or an errno.
struct Found {
  int error = 0;
  OwnedFd fd;
  struct stat status {};
  // Where there is no /proc: the directory that it is in, and its name there.
  OwnedFd parent;
  std::string name;
  bool follow = false;  ///< the name may be a symlink's
};

/// `path` relative to `root` (a directory), "" for the root itself. Symlinks are followed, `..`
/// too, as long as no step leaves the root (EXDEV) or goes through a magic link of /proc (ELOOP).
/// `by_hand`: neither openat2 nor, in open_found, /proc.
Found find_beneath(int root, const std::string& path, bool by_hand);

/// The same with symlinks that may lead anywhere, magic links of /proc excepted where openat2
/// works.
Found find_anywhere(int root, const std::string& path, bool by_hand);

/// Opens the regular file that was found for reading: a descriptor of that very file, or -errno;
/// -ESTALE when its name has come to lead elsewhere.
int open_found(const Found& found, bool by_hand);

}  // namespace sluice::files
