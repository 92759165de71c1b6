// The targets of an upstream: what all workers share about each (counts, ejection), and the
// immutable set of those that requests can go to now. Shared by reference count; any thread; only
// atomics change. An id belongs to one address for ever: what is counted stays with it when the set
// is replaced.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ref.h"
#include "net/address.h"
#include "route/upstream.h"

namespace sluice::proxy {

/// What passive checks let through. A target that fails too much opens its circuit: nothing for a
/// while, then one request at a time, until one is answered.
///
///   closed ──too many failures──> open ──eject_ms──> half_open ──answered──> closed
///                                  ^──────────failed─────┘
enum class Circuit : uint8_t { closed, open, half_open };

class Target : public Counted<Target> {
 public:
  explicit Target(const route::TargetConfig& config);

  const uint64_t id;
  const std::string authority;
  net::SocketAddress address;  ///< constant once made
  const std::string name;      ///< "10.0.0.1:3000" or the path of a unix socket, for logs
  const bool is_relayed;       ///< `address` is a relay's, see proxy/relay.h

  // Written by every worker, relaxed.
  std::atomic<uint32_t> active{0};       ///< requests under way
  std::atomic<uint32_t> connections{0};  ///< open, idle ones included
  std::atomic<uint64_t> requests{0}, connects{0}, failures{0}, retries{0};

  /// Takes a place for one more request; false: `most` are under way (0: any number may be).
  bool enter(uint32_t most) {
    if (active.fetch_add(1, std::memory_order_relaxed) < most || most == 0) return true;
    active.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }

  /// It has begun to answer a request as it should: closes a half-open circuit.
  void answered(int64_t now_us);
  /// A request that went here ended well, or failed in a way that is the target's fault.
  void succeeded(int64_t now_us);
  void failed(const route::Upstream& upstream, int64_t now_us);
  Circuit circuit(int64_t now_us) const;
  /// Whether passive checks keep requests away now.
  bool is_ejected(int64_t now_us) const { return circuit(now_us) != Circuit::closed; }
  /// Takes the turn of the one request that may try a half-open target; end_trial() gives it back,
  /// however the request ended.
  bool may_try(int64_t now_us);
  void end_trial() { is_tried_.store(false, std::memory_order_relaxed); }
  /// From when its share grows (slow start): when it was added, came back up, or was readmitted.
  std::atomic<int64_t> since_us{0};

 private:
  bool is_on_trial() const { return on_trial_.load(std::memory_order_relaxed); }
  void eject(const route::Upstream& upstream, int64_t now_us);

  std::atomic<uint32_t> failures_in_row_{0};
  std::atomic<int64_t> ejected_until_us_{0};
  std::atomic<bool> on_trial_{false};  ///< it was ejected, nothing was answered since
  std::atomic<bool> is_tried_{false};  ///< by a request that is under way
  // The current window of failure_percent: approximate under races, which is enough for a rate.
  std::atomic<int64_t> window_us_{0};
  std::atomic<uint32_t> window_requests_{0}, window_failures_{0};
};

/// A target with what may change about it.
struct TargetEntry {
  Ref<Target> target;
  uint32_t weight = 1;
  uint32_t max_connections = 0;
  bool is_backup = false;
  route::TargetState state = route::TargetState::up;
};

/// Where the requests of one upstream can go. Immutable.
struct TargetSet : Counted<TargetSet> {
  explicit TargetSet(std::vector<TargetEntry> all);
  std::vector<TargetEntry> entries;
  /// Consistent hashing: points of each target on a ring, by weight; sorted.
  struct Point {
    uint64_t hash;
    uint32_t entry;
  };
  std::vector<Point> ring;
};

/// The sets of all upstreams of a gateway. Main thread.
class TargetTable {
 public:
  explicit TargetTable(const std::vector<route::Upstream>& upstreams);
  /// The set that replaces the one before; targets whose id was there are the same objects.
  Ref<const TargetSet> replace(uint32_t upstream, const std::vector<route::TargetConfig>& targets);
  /// Another snapshot's upstreams: those that are new begin with their targets, of which those
  /// whose id is known, of whatever upstream, are the same objects.
  void adopt(const std::vector<route::Upstream>& before, const std::vector<route::Upstream>& next);
  const std::vector<Ref<const TargetSet>>& all() const { return sets_; }
  Ref<const TargetSet> current(uint32_t upstream) const { return sets_[upstream]; }
  size_t size() const { return sets_.size(); }

 private:
  using Known = std::unordered_map<uint64_t, const TargetEntry*>;
  static Ref<const TargetSet> make_set(const std::vector<route::TargetConfig>& targets,
                                       const Known& known, bool is_start);

  std::vector<Ref<const TargetSet>> sets_;
};

}  // namespace sluice::proxy
