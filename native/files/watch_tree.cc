// The tree of watched directories. Elements of an unordered_map stay where they are, so folders and
// names are referred to by pointer.
#include "files/watch_tree.h"

#include <algorithm>

#include "net/sys.h"

namespace sluice::files {

WatchedFolder* WatchTree::find(const std::string& path) {
  const auto found = folders_.find(path);
  return found == folders_.end() ? nullptr : &found->second;
}

WatchedFolder& WatchTree::add(std::string path, int descriptor, bool reliable) {
  WatchedFolder& folder = folders_[path];
  folder.path = std::move(path);
  folder.descriptor = descriptor;
  folder.reliable = reliable;
  by_descriptor_[descriptor].push_back(&folder);
  return folder;
}

void WatchTree::attach(WatchedFolder& folder, const std::string& name, Watch& watch) {
  const auto [place, is_new] = folder.names.try_emplace(name);
  WatchedName& there = place->second;
  if (is_new) {
    there.folder = &folder;
    there.name = &place->first;
  }
  const auto is_here = [&there](const WatchStep& step) { return step.name == &there; };
  if (std::any_of(watch.steps_.begin(), watch.steps_.end(), is_here)) return;
  watch.steps_.push_back({&there, there.watches.size()});
  there.watches.push_back(&watch);
}

void WatchTree::detach(Watch& watch) {
  for (const WatchStep& step : watch.steps_) {
    // The last takes its place: a name above a root has the watches of everything in it.
    auto& watches = step.name->watches;
    Watch* const last = watches.back();
    for (WatchStep& moved : last->steps_) {
      if (moved.name == step.name) moved.index = step.index;
    }
    watches[step.index] = last;
    watches.pop_back();
    if (!watches.empty()) continue;
    WatchedFolder* const folder = step.name->folder;
    folder->names.erase(folder->names.find(*step.name->name));
    if (folder->names.empty()) empty_.push_back(folder);
  }
  watch.steps_.clear();
}

void WatchTree::collect(int descriptor, const std::string& name, std::vector<Watch*>& found) const {
  const auto folders = by_descriptor_.find(descriptor);
  if (folders == by_descriptor_.end()) return;
  for (const WatchedFolder* folder : folders->second) {
    for (const auto& [each, there] : folder->names) {
      if (!name.empty()) break;
      found.insert(found.end(), there.watches.begin(), there.watches.end());
    }
    const auto one = folder->names.find(name);
    if (one == folder->names.end()) continue;
    found.insert(found.end(), one->second.watches.begin(), one->second.watches.end());
  }
}

void WatchTree::collect_all(std::vector<Watch*>& found) const {
  for (const auto& [descriptor, folders] : by_descriptor_) collect(descriptor, "", found);
}

void WatchTree::lose(int descriptor) {
  const auto folders = by_descriptor_.find(descriptor);
  if (folders == by_descriptor_.end()) return;
  for (WatchedFolder* folder : folders->second) folder->descriptor = -1;
  by_descriptor_.erase(folders);
  ++endings_;
}

void WatchTree::drop_empty(int inotify) {
  std::sort(empty_.begin(), empty_.end());
  empty_.erase(std::unique(empty_.begin(), empty_.end()), empty_.end());
  for (WatchedFolder* folder : empty_) {
    if (!folder->names.empty()) continue;  // somebody came back
    if (const auto others = by_descriptor_.find(folder->descriptor);
        others != by_descriptor_.end()) {
      std::erase(others->second, folder);
      if (others->second.empty()) {
        by_descriptor_.erase(others);
        sys::inotify_rm_watch(inotify, folder->descriptor);
      }
    }
    ++endings_;
    folders_.erase(folders_.find(folder->path));
  }
  empty_.clear();
}

}  // namespace sluice::files
