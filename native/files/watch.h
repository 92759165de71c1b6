// Whether what a look found is still there, as far as inotify can tell: one object per path that
// answers rest on, made by Freshness, held by the answers of every worker. A worker asks it with
// one load per request; no message has to arrive before a changed file stops being served.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ref.h"
#include "files/file.h"

namespace sluice::files {

struct WatchedName;

/// Where a watch stands in the list of a name that its look went through.
struct WatchStep {
  WatchedName* name;
  size_t index;
};

class Watch final : public Counted<Watch> {
 public:
  /// Something that the look rests on has changed since it was made. Any thread; never false again.
  bool changed() const { return changed_.load(std::memory_order_acquire); }

 private:
  friend class Freshness;
  friend class WatchTree;

  std::atomic<bool> changed_{false};
  // The rest under the lock of Freshness.
  Identity identity_ = kAbsent;  ///< what the look found
  bool has_identity_ = false;    ///< the look is over
  bool watchable_ = false;       ///< every step is watched
  bool complete_ = false;        ///< the trace went where the look does
  bool reliable_ = true;         ///< nothing can change it unseen, as far as file systems go
  bool old_ = false;             ///< nobody but the index held it when that was last tidied
  std::vector<WatchStep> steps_;
  std::vector<uint64_t> answers_;  ///< ids of those that rest on it
};

}  // namespace sluice::files
