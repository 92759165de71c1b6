// One worker's hold on a snapshot: what is under way on it keeps it by a count that no other worker
// touches. When the last hold of the last worker goes, so does the snapshot (worker_group.cc is
// told by its deleter). One worker's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "core/ref.h"
#include "route/snapshot.h"

namespace sluice::worker {

class Generation {
 public:
  explicit Generation(std::shared_ptr<const route::Snapshot> snapshot)
      : snapshot_(std::move(snapshot)) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  const route::Snapshot& snapshot() const { return *snapshot_; }
  uint64_t number() const { return snapshot_->generation; }

  // For Ref: not atomic.
  void retain() const { ++holders_; }
  void release() const {
    if (--holders_ == 0) delete this;
  }

 private:
  ~Generation() = default;

  const std::shared_ptr<const route::Snapshot> snapshot_;
  mutable uint32_t holders_ = 0;
};

}  // namespace sluice::worker
