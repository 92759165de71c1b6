// The choice of a target for one request among those that may have it now. One balancer for each
// upstream and worker; the load of a target is counted over all workers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "proxy/target.h"
#include "route/upstream.h"

namespace sluice::proxy {

/// What of a request the choice depends on.
struct Selection {
  uint64_t hash = 0;                     ///< of the key of `hash`
  uint64_t stuck_to = 0;                 ///< `sticky`: the number that the client's cookie names
  std::span<const Target* const> tried;  ///< not these again
};

/// The number under which a sticky cookie names a target: the same in every process.
uint64_t sticky_number(const Target& target);

class Balancer {
 public:
  explicit Balancer(uint64_t seed = 1) : random_(seed | 1) {}

  /// An index into `set`, or -1.
  int choose(const route::Upstream& config, const TargetSet& set, const Selection& selection,
             int64_t now_us);

  /// Whether what choose() gave last tries a half-open target: the request has may_try()'s turn.
  bool chose_trial() const { return chose_trial_; }

  /// Whether there is a target that has not had the request and could, now or when it has room.
  static bool has_other(const route::Upstream& config, const TargetSet& set,
                        const Selection& selection, int64_t now_us);
  /// Whether some target would have had the request if it had room.
  static bool would_take(const TargetSet& set, const Selection& selection);

 private:
  /// Fills candidates_ with the entries that may have the request.
  void gather(const route::Upstream& config, const TargetSet& set, const Selection& selection,
              int64_t now_us);
  bool gather_if(const TargetSet& set, const Selection& selection, int64_t now_us, bool backup,
                 bool ejected);
  int random_two(const TargetSet& set, const route::Upstream& config, int64_t now_us);
  int round_robin(const TargetSet& set, const route::Upstream& config, int64_t now_us);
  int least_connections(const TargetSet& set, const route::Upstream& config, int64_t now_us);
  int by_hash(const TargetSet& set, uint64_t hash);
  int by_cookie(const TargetSet& set, const Selection& selection);
  size_t weighted(const TargetSet& set, const route::Upstream& config, int64_t now_us);
  uint64_t next_random();

  uint64_t random_;
  uint64_t turn_ = 0;
  bool chose_trial_ = false;
  std::vector<uint32_t> candidates_;
  std::vector<int64_t> credits_;  ///< round-robin, by entry
};

}  // namespace sluice::proxy
