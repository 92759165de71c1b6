// The directories that are watched and, in each, the names that somebody's look went through.
// Plain data without a lock of its own: Freshness holds its lock around every call. The only system
// call in here is the end of a watch, which never waits for a disk.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "files/watch.h"

namespace sluice::files {

struct WatchedFolder;

/// A name in a watched directory, and whose looks rest on what it leads to.
struct WatchedName {
  WatchedFolder* folder = nullptr;
  const std::string* name = nullptr;
  std::vector<Watch*> watches;
};

/// A directory by its real path. Bind mounts may give several of them one watch of the kernel.
struct WatchedFolder {
  std::string path;
  int descriptor = -1;    ///< of the kernel's watch
  bool contents = false;  ///< changes of what is in its files are watched too
  bool reliable = false;  ///< inotify sees every change of its file system
  std::unordered_map<std::string, WatchedName> names;
};

class WatchTree {
 public:
  /// Null when the directory is not watched.
  WatchedFolder* find(const std::string& path);
  WatchedFolder& add(std::string path, int descriptor, bool reliable);
  void attach(WatchedFolder& folder, const std::string& name, Watch& watch);

  /// What `watch` rests on has changed, or nobody needs it: it leaves the tree.
  void detach(Watch& watch);

  /// Collects what an event concerns. `name` empty: the directory itself, so all names in it.
  void collect(int descriptor, const std::string& name, std::vector<Watch*>& found) const;
  void collect_all(std::vector<Watch*>& found) const;
  /// The kernel has ended this watch (IN_IGNORED).
  void lose(int descriptor);
  /// Ends the watches of directories that nobody's look goes through any more.
  void drop_empty(int inotify);

  size_t size() const { return folders_.size(); }
  /// Changes with every watch that ends: a descriptor learnt before may be dead.
  uint64_t endings() const { return endings_; }

 private:
  std::unordered_map<std::string, WatchedFolder> folders_;
  std::unordered_map<int, std::vector<WatchedFolder*>> by_descriptor_;
  std::vector<WatchedFolder*> empty_;  ///< had no names left at some moment
  uint64_t endings_ = 0;
};

}  // namespace sluice::files
