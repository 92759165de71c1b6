// Which directories a look goes through: from the root of the file system, name by name, through
// every symbolic link on the way to the root and beneath it, to the file or to the first name that
// is not there. Each directory is watched before what is in it is read. On I/O threads; a directory
// that is swapped meanwhile is no danger: the one above it is watched already and tells.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>

#include <deque>
#include <string_view>

#include "core/limits.h"
#include "files/file_system.h"
#include "files/freshness.h"
#include "net/sys.h"

namespace sluice::files {
namespace {

constexpr uint32_t kNamesMask =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr uint32_t kHowMask = IN_ONLYDIR | IN_DONT_FOLLOW | IN_MASK_ADD | IN_EXCL_UNLINK;
constexpr int kMaxLinks = 40;  // as the kernel's own bound
constexpr int kWatchRetries = 8;

void prepend(std::deque<std::string>& names, std::string_view path) {
  std::deque<std::string> added;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") added.emplace_back(name);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  names.insert(names.begin(), added.begin(), added.end());
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder == "/" ? folder + name : folder + "/" + name;
}

bool is_beneath(const std::string& path, const std::string& base) {
  if (base == "/" || path == base) return true;
  return path.starts_with(base) && path[base.size()] == '/';
}

}  // namespace

/// Where a trace is and what it still has to go through.
struct Freshness::Trail {
  std::string here = "/";
  std::string base;  ///< the real path of the root, once that is known: links end there
  std::deque<std::string> names;
  int links = 0;
};

Freshness::Traced Freshness::trace(Watch& watch, const std::string& root, const std::string& path) {
  Trail trail;
  prepend(trail.names, root);
  if (const Traced traced = follow(watch, trail); traced != Traced::complete) return traced;
  trail.base = trail.here;
  prepend(trail.names, path);
  return follow(watch, trail);
}

Freshness::Traced Freshness::follow(Watch& watch, Trail& trail) {
  while (!trail.names.empty()) {
    const std::string name = std::move(trail.names.front());
    trail.names.pop_front();
    if (name == "..") {
      const size_t slash = trail.here.rfind('/');
      trail.here.resize(slash == 0 ? 1 : slash);
      if (!is_beneath(trail.here, trail.base)) return Traced::ended_early;
      continue;
    }
    const bool contents = trail.names.empty() && !trail.base.empty();
    const int error = watch_name(watch, trail.here, name, contents);
    if (error == ENOTDIR || error == ENOENT) return Traced::ended_early;
    if (error != 0) return Traced::refused;
    std::string next = joined(trail.here, name);
    char target[PATH_MAX];
    const ssize_t length = sys::readlinkat(AT_FDCWD, next.c_str(), target, sizeof target);
    if (length == -EINVAL) {  // no link
      trail.here = std::move(next);
      continue;
    }
    if (length == -ENOENT || length == -ENOTDIR) return Traced::ended_early;
    if (length < 0 || length == sizeof target) return Traced::refused;
    if (++trail.links > kMaxLinks) return Traced::ended_early;
    // Beneath the root an absolute link leads out of it (RESOLVE_BENEATH): the look refuses it.
    if (target[0] == '/' && !trail.base.empty()) return Traced::ended_early;
    if (target[0] == '/') trail.here.assign(1, '/');
    prepend(trail.names, {target, static_cast<size_t>(length)});
  }
  return Traced::complete;
}

/// 0, or an errno: the directory is not there, or cannot be watched.
int Freshness::watch_name(Watch& watch, const std::string& folder, const std::string& name,
                          bool contents) {
  for (int i = 0; i < kWatchRetries; ++i) {
    uint64_t endings = 0;
    {
      const std::lock_guard lock(mutex_);
      WatchedFolder* known = tree_.find(folder);
      if (known != nullptr && known->contents >= contents) {
        watch.reliable_ = watch.reliable_ && known->reliable;
        tree_.attach(*known, name, watch);
        return 0;
      }
      if (known == nullptr && tree_.size() >= max_folders_) return ENOSPC;
      endings = tree_.endings();
    }
    const FileSystem system = file_system_of(folder);
    if (system.is_remote) return EOPNOTSUPP;
    const int descriptor = add_watch(folder, contents);
    if (descriptor < 0) return -descriptor;
    const std::lock_guard lock(mutex_);
    // The kernel's watch may have been one that was ended meanwhile: then it is made again.
    if (tree_.endings() != endings) continue;
    WatchedFolder* there = tree_.find(folder);
    if (there != nullptr && there->descriptor != descriptor) return EAGAIN;  // swapped just now
    if (there == nullptr) there = &tree_.add(folder, descriptor, system.tells_changes);
    there->contents = there->contents || contents;
    watch.reliable_ = watch.reliable_ && there->reliable;
    tree_.attach(*there, name, watch);
    return 0;
  }
  return EAGAIN;
}

/// The kernel's watch of a directory, or -errno.
int Freshness::add_watch(const std::string& folder, bool contents) {
  const uint32_t mask = kHowMask | kNamesMask | (contents ? IN_MODIFY : 0U);
  const int descriptor = sys::inotify_add_watch(inotify_, folder.c_str(), mask);
  if (descriptor == -ENOSPC) complain(ENOSPC);
  return descriptor;
}

/// Once: it is no error, only slower.
void Freshness::complain(int error) {
  {
    const std::lock_guard lock(mutex_);
    if (complained_) return;
    complained_ = true;
  }
  const char* setting = error == ENOSPC   ? "fs.inotify.max_user_watches is used up"
                        : error == EMFILE ? "fs.inotify.max_user_instances is used up"
                                          : "inotify is refused";
  listener_.on_fault(
      errno_name(error),
      std::string(setting) + ": changed files are noticed within a second instead of at once");
}

}  // namespace sluice::files
