// Passive health checks of a target (its circuit), and the making of sets. Requests that are judged
// at the same time on several workers may be miscounted by one or two: that is near enough.
#include "proxy/target.h"

#include <algorithm>
#include <numeric>

#include "core/hash.h"
#include "net/sys.h"

namespace sluice::proxy {
namespace {

/// Failure rates are judged over this long, from so many requests on.
constexpr int64_t kWindowUs = 10'000'000;
constexpr uint32_t kWindowRequests = 20;
/// Points on the ring for each unit of weight, and for one target at most.
constexpr uint32_t kPointsPerWeight = 64;
constexpr uint32_t kMaxPoints = 1024;

std::string name_of(const net::Endpoint& address) {
  if (address.is_unix()) return address.path;
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

/// Points depend on the target's name alone, so that every worker, process and restart agrees.
uint64_t point_of(const Target& target, uint32_t number) {
  constexpr uint64_t kRingSeed = 0x5175696365ULL;
  return hash_bytes(target.name, kRingSeed + number);
}

}  // namespace

Target::Target(const route::TargetConfig& config)
    : id(config.id),
      authority(config.authority),
      name(config.relayed_name.empty() ? name_of(config.address) : config.relayed_name),
      is_relayed(!config.relayed_name.empty()) {
  net::to_socket_address(config.address, address);
}

void Target::answered(int64_t now_us) {
  // What was under way when the circuit opened says nothing new.
  if (circuit(now_us) != Circuit::half_open) return;
  failures_in_row_.store(0, std::memory_order_relaxed);
  ejected_until_us_.store(0, std::memory_order_relaxed);
  on_trial_.store(false, std::memory_order_relaxed);
  since_us.store(now_us, std::memory_order_relaxed);
}

void Target::succeeded(int64_t now_us) {
  answered(now_us);
  if (failures_in_row_.load(std::memory_order_relaxed) != 0) {
    failures_in_row_.store(0, std::memory_order_relaxed);
  }
  if (now_us - window_us_.load(std::memory_order_relaxed) < kWindowUs) {
    window_requests_.fetch_add(1, std::memory_order_relaxed);
  }
}

void Target::failed(const route::Upstream& upstream, int64_t now_us) {
  failures.fetch_add(1, std::memory_order_relaxed);
  const uint32_t in_row = failures_in_row_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (now_us - window_us_.load(std::memory_order_relaxed) >= kWindowUs) {
    window_us_.store(now_us, std::memory_order_relaxed);
    window_requests_.store(0, std::memory_order_relaxed);
    window_failures_.store(0, std::memory_order_relaxed);
  }
  const uint32_t tried = window_requests_.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint32_t wrong = window_failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  const bool too_often = upstream.failure_percent > 0 && tried >= kWindowRequests &&
                         wrong * 100ULL >= uint64_t{tried} * upstream.failure_percent;
  const bool too_many = upstream.failures > 0 && in_row >= upstream.failures;
  if (too_many || too_often || is_on_trial()) eject(upstream, now_us);
}

void Target::eject(const route::Upstream& upstream, int64_t now_us) {
  ejected_until_us_.store(now_us + upstream.eject_ms * 1000, std::memory_order_relaxed);
  on_trial_.store(true, std::memory_order_relaxed);
  end_trial();
}

Circuit Target::circuit(int64_t now_us) const {
  if (!is_on_trial()) return Circuit::closed;
  const bool is_open = now_us < ejected_until_us_.load(std::memory_order_relaxed);
  return is_open ? Circuit::open : Circuit::half_open;
}

bool Target::may_try(int64_t now_us) {
  return circuit(now_us) == Circuit::half_open &&
         !is_tried_.exchange(true, std::memory_order_relaxed);
}

TargetSet::TargetSet(std::vector<TargetEntry> all) : entries(std::move(all)) {
  // Weights of 100 and 200 are those of 1 and 2: as many points as those have.
  uint32_t unit = 0;
  for (const TargetEntry& entry : entries) unit = std::gcd(unit, entry.weight);
  for (uint32_t entry = 0; entry < entries.size(); ++entry) {
    const uint32_t weight = entries[entry].weight / std::max(unit, 1u);
    const uint32_t points = std::min(weight * kPointsPerWeight, kMaxPoints);
    for (uint32_t number = 0; number < points; ++number) {
      ring.push_back({point_of(*entries[entry].target, number), entry});
    }
  }
  std::ranges::sort(ring, {}, &Point::hash);
}

TargetTable::TargetTable(const std::vector<route::Upstream>& upstreams) : sets_(upstreams.size()) {
  for (uint32_t upstream = 0; upstream < upstreams.size(); ++upstream) {
    replace(upstream, upstreams[upstream].targets);
  }
}

Ref<const TargetSet> TargetTable::make_set(const std::vector<route::TargetConfig>& targets,
                                           const Known& known, bool is_start) {
  std::vector<TargetEntry> entries;
  for (const route::TargetConfig& config : targets) {
    const auto found = known.find(config.id);
    const TargetEntry* before = found == known.end() ? nullptr : found->second;
    Ref<Target> target = before != nullptr ? before->target : make_ref<Target>(config);
    const bool came_up = config.state == route::TargetState::up &&
                         (before == nullptr || before->state != route::TargetState::up);
    // At start everybody begins at once: there is nobody to take over from.
    if (came_up && !is_start) target->since_us.store(sys::now_us());
    entries.push_back(
        {std::move(target), config.weight, config.max_connections, config.is_backup, config.state});
  }
  return Ref<const TargetSet>(new TargetSet(std::move(entries)));
}

Ref<const TargetSet> TargetTable::replace(uint32_t upstream,
                                          const std::vector<route::TargetConfig>& targets) {
  Known known;
  const TargetSet* before = sets_[upstream].get();
  if (before != nullptr) {
    for (const TargetEntry& entry : before->entries) known.emplace(entry.target->id, &entry);
  }
  sets_[upstream] = make_set(targets, known, before == nullptr);
  return sets_[upstream];
}

void TargetTable::adopt(const std::vector<route::Upstream>& before,
                        const std::vector<route::Upstream>& next) {
  Known known;
  // The old sets live until the new ones are made.
  const std::vector<Ref<const TargetSet>> old = sets_;
  for (const auto& set : old) {
    for (const TargetEntry& entry : set->entries) known.emplace(entry.target->id, &entry);
  }
  if (sets_.size() < next.size()) sets_.resize(next.size());
  for (size_t i = 0; i < next.size(); ++i) {
    const bool is_new = i >= before.size() || before[i].name.empty() || !sets_[i];
    if (is_new) sets_[i] = make_set(next[i].targets, known, true);
  }
}

}  // namespace sluice::proxy
