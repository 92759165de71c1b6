// Verdicts that a worker remembers, so that user code is not asked again: by route, step, method,
// host, whole target and the header fields that the hook named, compared as bytes. A table of fixed
// size in sets of four; what has expired makes room first. The worker's thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_head.h"
#include "route/hooks.h"
#include "worker/hook_messages.h"

namespace sluice::worker {

class HookMemory {
 public:
  struct Found {
    bool is_known = false;
    Ref<const Verdict> verdict;  ///< null: "pass"
  };

  /// Makes the key of a request, for the next find() or insert(). False: it is too long to be
  /// remembered.
  bool make_key(uint32_t version, uint32_t route, uint16_t step, const http::RequestHead& head,
                const std::vector<std::string>& by);
  Found find(int64_t now_ms) const;
  void insert(Ref<const Verdict> verdict, int64_t now_ms, int64_t expires_ms);

  /// Verdicts kept, those that have expired included.
  size_t size() const { return size_; }

 private:
  struct Entry {
    uint64_t hash = 0;
    int64_t expires_ms = 0;  ///< 0: empty
    std::string key;
    Ref<const Verdict> verdict;
    size_t cost() const { return key.size() + (verdict ? verdict->cost() : 0); }
  };
  static constexpr size_t kWays = 4;

  Entry* set_of(uint64_t hash);
  void clear();

  std::vector<Entry> entries_;  ///< made when the first verdict is to be remembered
  size_t size_ = 0;
  size_t bytes_ = 0;
  std::string key_;
  uint64_t hash_ = 0;
};

}  // namespace sluice::worker
