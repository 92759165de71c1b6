// What one worker counts. Written by the worker with plain stores, read by the main thread with
// relaxed loads at any time: figures of one moment may differ by what happened in between.
#pragma once

#include <array>
#include <atomic>

#include "core/counter.h"
#include "core/error.h"
#include "core/histogram.h"
#include "core/stable_table.h"
#include "net/sys.h"
#include "transfer/transfer.h"
#include "worker/connection_state.h"

namespace sluice::worker {

struct EngineCounts {
  Counter responses;
  Counter bytes;  ///< body bytes handed to the kernel
};

/// What responses are counted by, beside their route. At most one upstream belongs to a route.
struct TrafficKind {
  static constexpr size_t kClasses = 6;
  static constexpr size_t kCount = transfer::kEngineCount * kClasses * 2;

  transfer::Engine engine = transfer::Engine::memory;
  uint16_t status = 0;
  bool is_forwarded = false;  ///< the upstream's answer, or ours because it had none

  size_t status_class() const { return status / 100u % kClasses; }
  size_t index() const {
    return (static_cast<size_t>(engine) * kClasses + status_class()) * 2 + (is_forwarded ? 1 : 0);
  }
};

/// Responses of one kind that are out.
struct Traffic {
  Histogram latency;
  Counter bytes;  ///< of their bodies
};

/// By route and kind, made when first needed.
class TrafficTable {
 public:
  explicit TrafficTable(size_t routes) : rows_(routes) {}
  TrafficTable(const TrafficTable&) = delete;
  TrafficTable& operator=(const TrafficTable&) = delete;

  /// The worker's thread only.
  void add(uint32_t route, const TrafficKind& kind, int64_t us, uint64_t bytes) {
    auto& cell = row(route)->cells[kind.index()];
    Traffic* traffic = cell.load(std::memory_order_relaxed);
    if (traffic == nullptr) {
      traffic = new Traffic();
      cell.store(traffic, std::memory_order_release);
    }
    traffic->latency.add(us < 0 ? 0 : static_cast<uint64_t>(us));
    traffic->bytes.add(bytes);
  }

  /// There is room for so many routes from now on. The worker's thread.
  void grow(size_t routes) { rows_.grow(routes); }
  /// The number is another route's from now on. The worker's thread.
  void clear(uint32_t route) {
    for (auto& cell : row(route)->cells) {
      Traffic* traffic = cell.load(std::memory_order_relaxed);
      if (traffic == nullptr) continue;
      traffic->latency.clear();
      traffic->bytes = 0;
    }
  }

  /// Any thread; null when there was no such response. route::kNoRoute: those without a route.
  const Traffic* find(uint32_t route, size_t kind) const {
    const Row* of_route = row(route);
    if (of_route == nullptr) return nullptr;
    return of_route->cells[kind].load(std::memory_order_acquire);
  }

 private:
  struct Row {
    std::array<std::atomic<Traffic*>, TrafficKind::kCount> cells{};
    ~Row() {
      for (auto& cell : cells) delete cell.load(std::memory_order_relaxed);
    }
  };
  const Row* row(uint32_t route) const {
    return route == UINT32_MAX ? &unrouted_ : rows_.find(route);
  }
  Row* row(uint32_t route) { return route == UINT32_MAX ? &unrouted_ : rows_.find(route); }

  StableTable<Row> rows_;
  Row unrouted_;
};

struct WorkerStats {
  explicit WorkerStats(size_t routes) : traffic(routes) {}

  Counter accepted, connections, refused, requests;
  Counter bytes_in, bytes_out;
  Counter questions, remembered, answers, parked;
  Counter turns;
  /// TLS: handshakes under way now, done, of those resumed, and done for the kernel to encrypt.
  Counter shaking, handshakes, resumed, kernel_tls;
  Counter handshakes_put_off;  ///< steps of handshakes left to a later turn, for the others' sake
  /// Questions to user code, open ones, verdicts that were remembered, requests refused by a rate
  /// limit and by address.
  Counter hooks_asked, hooks_open, hooks_remembered, hooks_limited, hooks_denied;
  Histogram turn_us;  ///< how long a turn took, which whoever came during it had to wait
  std::array<EngineCounts, transfer::kEngineCount> engines;
  std::array<Counter, static_cast<size_t>(ErrorCode::count_)> errors;
  std::array<Counter, 600> statuses;  ///< index = status code
  TrafficTable traffic;
  std::array<Counter, static_cast<size_t>(State::count_)> states;  ///< connections, but closed ones
  sys::SyscallCounts syscalls;
};

}  // namespace sluice::worker
