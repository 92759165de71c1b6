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

namespace sluice::worker {

struct EngineCounts {
  Counter responses;
  Counter bytes;  ///< body bytes handed to the kernel
};

/// Latency histograms by route and engine, made when first needed.
class LatencyTable {
 public:
  explicit LatencyTable(size_t routes) : rows_(routes) {}
  LatencyTable(const LatencyTable&) = delete;
  LatencyTable& operator=(const LatencyTable&) = delete;

  /// The worker's thread only.
  void add(uint32_t route, transfer::Engine engine, int64_t us) {
    auto& cell = row(route)->cells[static_cast<size_t>(engine)];
    Histogram* histogram = cell.load(std::memory_order_relaxed);
    if (histogram == nullptr) {
      histogram = new Histogram();
      cell.store(histogram, std::memory_order_release);
    }
    histogram->add(us < 0 ? 0 : static_cast<uint64_t>(us));
  }

  /// There is room for so many routes from now on. The worker's thread.
  void grow(size_t routes) { rows_.grow(routes); }
  /// The number is another route's from now on. The worker's thread.
  void clear(uint32_t route) {
    for (auto& cell : row(route)->cells) {
      if (Histogram* histogram = cell.load(std::memory_order_relaxed)) histogram->clear();
    }
  }

  /// Any thread; null when there was no such response. route::kNoRoute: those without a route.
  const Histogram* find(uint32_t route, transfer::Engine engine) const {
    const Row* of_route = row(route);
    if (of_route == nullptr) return nullptr;
    return of_route->cells[static_cast<size_t>(engine)].load(std::memory_order_acquire);
  }

 private:
  struct Row {
    std::array<std::atomic<Histogram*>, transfer::kEngineCount> cells{};
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
  explicit WorkerStats(size_t routes) : latency(routes) {}

  Counter accepted, connections, refused, requests;
  Counter bytes_in, bytes_out;
  Counter questions, remembered, answers, parked;
  Counter turns;
  /// Questions to user code, open ones, verdicts that were remembered, requests refused by a rate
  /// limit and by address.
  Counter hooks_asked, hooks_open, hooks_remembered, hooks_limited, hooks_denied;
  std::array<EngineCounts, transfer::kEngineCount> engines;
  std::array<Counter, static_cast<size_t>(ErrorCode::count_)> errors;
  std::array<Counter, 600> statuses;  ///< index = status code
  LatencyTable latency;
  sys::SyscallCounts syscalls;
};

}  // namespace sluice::worker
