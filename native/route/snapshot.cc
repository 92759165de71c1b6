// What one snapshot takes over from the one before, so that requests under way on it can go on with
// the new one. Main thread, before the new one is published.
#include "route/snapshot.h"

#include <algorithm>

namespace sluice::route {

void Snapshot::share_with(const Snapshot& before) {
  for (size_t i = 0; i < std::min(routes.size(), before.routes.size()); ++i) {
    const bool is_same = !routes[i].key.empty() && !before.routes[i].key.empty();
    if (is_same) routes[i].action = before.routes[i].action;
  }
  for (size_t i = 0; i < std::min(listeners.size(), before.listeners.size()); ++i) {
    const auto& mine = listeners[i].tcp;
    const auto& theirs = before.listeners[i].tcp;
    if (!mine || !theirs) continue;
    const bool is_same = mine->upstream == theirs->upstream && mine->copy_only == theirs->copy_only;
    if (is_same) listeners[i].tcp = theirs;
  }
}

}  // namespace sluice::route
