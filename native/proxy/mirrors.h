// The mirrors of one worker: begins them, gives them their turns, counts how they end, and bounds
// what all of a gateway's may hold. The worker's thread only, but for what says otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/counter.h"
#include "core/slab.h"
#include "core/timer_wheel.h"
#include "proxy/mirror.h"
#include "proxy/upstreams.h"

namespace sluice::proxy {

/// What the workers of a gateway have together. Relaxed, any thread.
struct MirrorTotals {
  std::atomic<uint32_t> in_flight{0};
  std::atomic<uint64_t> waiting{0};  ///< bytes that mirrors have not taken yet
};

/// Written by the worker, read by any thread.
struct MirrorCounts {
  std::array<Counter, static_cast<size_t>(MirrorOutcome::count_)> outcomes;
  Counter in_flight;  ///< now
  Counter waiting;    ///< bytes that have not been taken, now
  Counter bytes;      ///< that mirrors took, with heads and framing
  Counter teed;       ///< of bodies, duplicated by tee
};

class Mirrors {
 public:
  Mirrors(Upstreams& upstreams, TimerWheel& wheel, std::shared_ptr<MirrorTotals> totals)
      : upstreams_(upstreams), wheel_(wheel), totals_(std::move(totals)) {}
  ~Mirrors();
  Mirrors(const Mirrors&) = delete;
  Mirrors& operator=(const Mirrors&) = delete;

  void limit(const route::MirrorLimits& limits) { limits_ = limits; }

  /// The target that a request would go to, with a place taken there; null: none can have it, which
  /// is counted. begin() is due.
  Upstreams::Chosen choose(const route::MirrorRule& rule, const Selection& selection);
  /// Null: it has ended already.
  Mirror* begin(const route::MirrorRule& rule, const Upstreams::Chosen& chosen,
                MirrorRequest request);

  /// Gives those with something to do their turn. At the end of each turn of the loop.
  void run();
  bool has_work() const { return !ready_.empty(); }
  bool empty() const { return all_.empty(); }
  /// The worker ends: those that have their whole request get a moment.
  void drain();
  /// Ends all, or those of one generation.
  void stop();
  void end_generation(uint64_t number);

  const MirrorCounts& counts() const { return counts_; }

 private:
  friend class Mirror;

  void run_later(Mirror& mirror);
  void left(Mirror& mirror);
  void bury(Mirror& mirror);

  Upstreams& upstreams_;
  TimerWheel& wheel_;
  const std::shared_ptr<MirrorTotals> totals_;
  route::MirrorLimits limits_;
  MirrorCounts counts_;
  bool is_draining_ = false;
  Slab<Mirror> slab_;
  std::vector<Mirror*> all_;
  std::vector<Mirror*> ready_;  ///< each once
};

}  // namespace sluice::proxy
