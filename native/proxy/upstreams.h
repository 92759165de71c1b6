// The upstreams as one worker sees them: which targets there are, idle connections to each, the
// choice of the next target. The worker's thread only; shares the targets with the other workers.
// Must never hand out a connection that has said something while it was idle.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/limits.h"
#include "core/slab.h"
#include "core/stable_table.h"
#include "core/timer_wheel.h"
#include "http/response_parser.h"
#include "net/event_loop.h"
#include "proxy/balancer.h"
#include "proxy/exchange_state.h"
#include "proxy/target.h"
#include "proxy/upstream_connection.h"
#include "route/upstream.h"
#include "transfer/pipe_pool.h"

namespace sluice::proxy {

class Mirrors;

/// What of its worker a connection to a target uses.
struct Surroundings {
  net::EventLoop& loop;
  TimerWheel& wheel;
  const int64_t& now_us;  ///< the worker's clock
};

/// How many requests wait for a target of each upstream, over all workers. Relaxed, any thread.
using QueueCounts = StableTable<std::atomic<uint32_t>>;

class Upstreams {
 public:
  Upstreams(Surroundings surroundings, const std::vector<route::Upstream>& configs,
            std::shared_ptr<QueueCounts> queued);
  ~Upstreams();
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;

  /// Another snapshot's upstreams, with the targets of those that are new. One that has left serves
  /// who is under way and keeps no connection; its number is another's only when nobody is.
  void adopt(const std::vector<route::Upstream>& configs,
             const std::vector<Ref<const TargetSet>>& sets);
  /// Requests go to these targets from now on; idle connections to others close.
  void replace(uint32_t upstream, Ref<const TargetSet> set);
  const route::Upstream& config(uint32_t upstream) const { return pools_[upstream].config; }

  /// Where a request goes. A place at the target is taken with it, which leave() gives back.
  struct Chosen {
    Target* target = nullptr;  ///< null: there is none
    bool is_full = false;      ///< but there would be one if it had room
    bool is_trial = false;     ///< the circuit of the target is half-open: end_trial() is due
  };
  Chosen choose(uint32_t upstream, const Selection& selection);
  /// A request at `target` is over: somebody who waits may have its place.
  void leave(uint32_t upstream, Target& target);
  /// Waits for a place; false: as many wait already as may. Whoever waits is told by on_upstream()
  /// that there may be one, and says by leave_queue() that it waits no more.
  bool enter_queue(uint32_t upstream, UpstreamUser& user);
  void leave_queue(uint32_t upstream, UpstreamUser& user);
  /// Tells those who wait of places that came free. Between the turns of connections.
  void wake_waiting();
  /// Whether wake_waiting() has something to tell.
  bool has_news() const {
    return std::ranges::any_of(pools_, [](const Pool& pool) { return pool.has_room; });
  }
  /// A place came free on another worker.
  void on_room(uint32_t upstream) { pools_[upstream].has_room = true; }
  /// How a worker with nobody who waits tells the others of a place.
  using TellOthers = std::function<void(uint32_t upstream)>;
  void tell_others_by(TellOthers tell) { tell_others_ = std::move(tell); }
  /// An idle connection to `target`, or null. `verified`: one that has not been closed meanwhile as
  /// far as can be known (a system call more).
  UpstreamConnection* take_idle(uint32_t upstream, Target& target, bool verified);
  /// A new one, on its way; null and -errno when there is none to be had.
  UpstreamConnection* connect(uint32_t upstream, Target& target, int& error);
  void use(UpstreamConnection& connection, UpstreamUser& user) { connection.user_ = &user; }
  /// A request has ended well: kept for the next one, for `idle_ms` at most, if there is room.
  void keep(UpstreamConnection& connection, int64_t idle_ms);
  /// What arrives does not wake the loop, until it is kept or says so again.
  void set_deaf(UpstreamConnection& connection, bool is_deaf) {
    around_.loop.set_deaf(connection.socket_, is_deaf, &connection);
  }
  /// Ends it. Idempotent.
  void close(UpstreamConnection& connection);
  /// Its time in the pool may be over.
  void expire(UpstreamConnection& connection);
  void close_idle();

  /// Destroys what was closed in this turn.
  void remove_dead();
  size_t open() const { return slab_.live(); }
  /// Room for one recv; only until the next one, of whatever connection.
  std::span<char> scratch();
  http::ResponseHead& head_scratch() { return *head_; }
  /// Takes a retry out of the upstream's budget, if there is a target for it that has not been
  /// tried; false: there is none, or the budget is used up. Every request fills it by a share.
  bool may_retry(uint32_t upstream, const Selection& selection);
  void note_request(uint32_t upstream);
  transfer::PipePool& pipes() { return pipes_; }
  const transfer::PipeCounts& pipe_counts() const { return pipe_counts_; }
  /// How many exchanges are in which state; any thread may read.
  using StateCounts = std::array<Counter, static_cast<size_t>(ExchangeState::count_)>;
  StateCounts& states() { return states_; }
  const StateCounts& states() const { return states_; }
  int64_t now_us() const { return around_.now_us; }
  /// Those of the worker; null: requests are not mirrored.
  Mirrors* mirrors() const { return mirrors_; }
  void mirror_by(Mirrors* mirrors) { mirrors_ = mirrors; }

 private:
  struct Idle {
    const Target* target;
    std::vector<UpstreamConnection*> connections;  ///< the most recently used last
  };
  struct Pool {
    route::Upstream config;
    bool is_hole = true;  ///< has left, or was never there
    Ref<const TargetSet> set;
    std::vector<Idle> idle;  ///< by entry of the set
    Balancer balancer;
    double retries_left = kRetryReserve;
    std::deque<UpstreamUser*> waiting;  ///< the longest first
    bool has_room = false;              ///< a place may have come free since they were told
  };

  void begin(Pool& pool, const route::Upstream& config);
  void close_idle(Pool& pool);
  void leave_hole();
  Idle* idle_of(Pool& pool, const Target& target);
  void forget_idle(UpstreamConnection& connection);

  Surroundings around_;
  TellOthers tell_others_;
  std::shared_ptr<QueueCounts> queued_;
  std::vector<Pool> pools_;
  Slab<UpstreamConnection> slab_;
  std::vector<UpstreamConnection*> dead_;
  std::vector<char> scratch_;
  std::unique_ptr<http::ResponseHead> head_ = std::make_unique<http::ResponseHead>();
  transfer::PipeCounts pipe_counts_;
  StateCounts states_;
  Mirrors* mirrors_ = nullptr;
  transfer::PipePool pipes_{pipe_counts_};
};

}  // namespace sluice::proxy
