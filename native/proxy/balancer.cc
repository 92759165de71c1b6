// The rules of choice. Weights shrink while a target starts slowly; loads are compared by weight.
// No allocation once the list of candidates has grown to the number of targets.
#include "proxy/balancer.h"

#include <algorithm>

#include "core/hash.h"

namespace sluice::proxy {
namespace {

/// A target that starts slowly begins with this part of its weight.
constexpr double kFirstShare = 0.1;
/// Bounded loads: a target takes at most this much of the mean before its neighbour gets the
/// request (Mirrokni, Thorup, Zadimoghaddam: Consistent Hashing with Bounded Loads).
constexpr double kMostOfMean = 1.25;
/// Weights are compared in steps of this.
constexpr double kWeightUnit = 1024;

bool was_tried(const Selection& selection, const Target& target) {
  return std::ranges::find(selection.tried, &target) != selection.tried.end();
}

bool has_room(const TargetEntry& entry) {
  return entry.max_connections == 0 ||
         entry.target->active.load(std::memory_order_relaxed) < entry.max_connections;
}

int64_t share_of(const TargetEntry& entry, const route::Upstream& config, int64_t now_us) {
  double share = 1;
  const int64_t since = entry.target->since_us.load(std::memory_order_relaxed);
  const int64_t rise_us = config.slow_start_ms * 1000;
  if (since > 0 && rise_us > 0 && now_us - since < rise_us) {
    share =
        std::max(kFirstShare, static_cast<double>(now_us - since) / static_cast<double>(rise_us));
  }
  return std::max<int64_t>(1, static_cast<int64_t>(entry.weight * share * kWeightUnit));
}

uint64_t load_of(const TargetEntry& entry) {
  return entry.target->active.load(std::memory_order_relaxed);
}

/// Whether `left` has less to do for its share than `right`.
bool is_freer(const TargetEntry& left, int64_t left_share, const TargetEntry& right,
              int64_t right_share) {
  return (load_of(left) + 1) * static_cast<uint64_t>(right_share) <
         (load_of(right) + 1) * static_cast<uint64_t>(left_share);
}

}  // namespace

uint64_t sticky_number(const Target& target) {
  constexpr uint64_t kStickySeed = 0x737469636b79ULL;
  return hash_bytes(target.name, kStickySeed);
}

uint64_t Balancer::next_random() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

bool Balancer::gather_if(const TargetSet& set, const Selection& selection, int64_t now_us,
                         bool backup, bool ejected) {
  candidates_.clear();
  for (uint32_t i = 0; i < set.entries.size(); ++i) {
    const TargetEntry& entry = set.entries[i];
    if (entry.state != route::TargetState::up || entry.is_backup != backup) continue;
    if (!has_room(entry) || was_tried(selection, *entry.target)) continue;
    if (!ejected && entry.target->is_ejected(now_us)) continue;
    candidates_.push_back(i);
  }
  return !candidates_.empty();
}

/// The healthy ones; then backups; then those that passive checks have ejected, since to try one is
/// better than to answer 503, unless the upstream is to be left in peace.
void Balancer::gather(const route::Upstream& config, const TargetSet& set,
                      const Selection& selection, int64_t now_us) {
  if (gather_if(set, selection, now_us, false, false)) return;
  if (gather_if(set, selection, now_us, true, false) || config.fails_fast) return;
  if (gather_if(set, selection, now_us, false, true)) return;
  gather_if(set, selection, now_us, true, true);
}

bool Balancer::has_other(const route::Upstream& config, const TargetSet& set,
                         const Selection& selection, int64_t now_us) {
  return std::ranges::any_of(set.entries, [&](const TargetEntry& entry) {
    return entry.state == route::TargetState::up && !was_tried(selection, *entry.target) &&
           !(config.fails_fast && entry.target->is_ejected(now_us));
  });
}

bool Balancer::would_take(const TargetSet& set, const Selection& selection) {
  return std::ranges::any_of(set.entries, [&selection](const TargetEntry& entry) {
    return entry.state == route::TargetState::up && !was_tried(selection, *entry.target) &&
           !has_room(entry);
  });
}

int Balancer::choose(const route::Upstream& config, const TargetSet& set,
                     const Selection& selection, int64_t now_us) {
  chose_trial_ = false;
  // Whoever is on trial gets its request first, whatever the rule: nobody else would send one. But
  // a backup has no request to be tried with while others are well.
  for (uint32_t i = 0; i < set.entries.size(); ++i) {
    const TargetEntry& entry = set.entries[i];
    if (entry.is_backup && gather_if(set, selection, now_us, false, false)) continue;
    if (entry.state != route::TargetState::up || !entry.target->is_ejected(now_us)) continue;
    if (!has_room(entry) || was_tried(selection, *entry.target)) continue;
    chose_trial_ = entry.target->may_try(now_us);
    if (chose_trial_) return static_cast<int>(i);
  }
  gather(config, set, selection, now_us);
  if (candidates_.empty()) return -1;
  if (candidates_.size() == 1) return static_cast<int>(candidates_[0]);
  switch (config.balance) {
    case route::Balance::random_two: return random_two(set, config, now_us);
    case route::Balance::round_robin: return round_robin(set, config, now_us);
    case route::Balance::least_connections: return least_connections(set, config, now_us);
    case route::Balance::hash: return by_hash(set, selection.hash);
    case route::Balance::sticky: break;
  }
  const int stuck = by_cookie(set, selection);
  return stuck >= 0 ? stuck : random_two(set, config, now_us);
}

/// A position in candidates_, by chance and weight.
size_t Balancer::weighted(const TargetSet& set, const route::Upstream& config, int64_t now_us) {
  uint64_t total = 0;
  for (uint32_t i : candidates_) {
    total += static_cast<uint64_t>(share_of(set.entries[i], config, now_us));
  }
  uint64_t at = next_random() % total;
  for (size_t position = 0; position + 1 < candidates_.size(); ++position) {
    const auto share =
        static_cast<uint64_t>(share_of(set.entries[candidates_[position]], config, now_us));
    if (at < share) return position;
    at -= share;
  }
  return candidates_.size() - 1;
}

/// The freer of two that were drawn by weight (Mitzenmacher: The Power of Two Choices).
int Balancer::random_two(const TargetSet& set, const route::Upstream& config, int64_t now_us) {
  const size_t one = weighted(set, config, now_us);
  std::swap(candidates_[one], candidates_.back());
  const uint32_t first = candidates_.back();
  candidates_.pop_back();
  const uint32_t second = candidates_[weighted(set, config, now_us)];
  // Both were drawn by weight, so their loads are compared as they are.
  return static_cast<int>(load_of(set.entries[second]) < load_of(set.entries[first]) ? second
                                                                                     : first);
}

/// Smooth weighted round-robin: whoever has the most credit is next and pays for all.
int Balancer::round_robin(const TargetSet& set, const route::Upstream& config, int64_t now_us) {
  credits_.resize(set.entries.size(), 0);
  int64_t total = 0;
  uint32_t best = candidates_[0];
  for (uint32_t i : candidates_) {
    const int64_t share = share_of(set.entries[i], config, now_us);
    credits_[i] += share;
    total += share;
    if (credits_[i] > credits_[best]) best = i;
  }
  credits_[best] -= total;
  return static_cast<int>(best);
}

int Balancer::least_connections(const TargetSet& set, const route::Upstream& config,
                                int64_t now_us) {
  // Equal ones take turns: begin somewhere else each time.
  const size_t begin = turn_++ % candidates_.size();
  uint32_t best = candidates_[begin];
  int64_t best_share = share_of(set.entries[best], config, now_us);
  for (size_t step = 1; step < candidates_.size(); ++step) {
    const uint32_t i = candidates_[(begin + step) % candidates_.size()];
    const int64_t share = share_of(set.entries[i], config, now_us);
    if (!is_freer(set.entries[i], share, set.entries[best], best_share)) continue;
    best = i;
    best_share = share;
  }
  return static_cast<int>(best);
}

int Balancer::by_hash(const TargetSet& set, uint64_t hash) {
  uint64_t load = 0, weight = 0;
  for (uint32_t i : candidates_) {
    load += load_of(set.entries[i]);
    weight += set.entries[i].weight;
  }
  const double most_per_weight =
      kMostOfMean * static_cast<double>(load + 1) / static_cast<double>(weight);
  const auto first = std::ranges::lower_bound(set.ring, hash, {}, &TargetSet::Point::hash);
  const auto from = static_cast<size_t>(first - set.ring.begin());
  int fallback = -1;
  for (size_t step = 0; step < set.ring.size(); ++step) {
    const uint32_t i = set.ring[(from + step) % set.ring.size()].entry;
    if (std::ranges::find(candidates_, i) == candidates_.end()) continue;
    if (fallback < 0) fallback = static_cast<int>(i);
    const double most = most_per_weight * set.entries[i].weight;
    if (static_cast<double>(load_of(set.entries[i])) < std::max(1.0, most)) {
      return static_cast<int>(i);
    }
  }
  return fallback;
}

int Balancer::by_cookie(const TargetSet& set, const Selection& selection) {
  if (selection.stuck_to == 0) return -1;
  for (uint32_t i : candidates_) {
    if (sticky_number(*set.entries[i].target) == selection.stuck_to) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace sluice::proxy
