// What one worker counts. Written by the worker with plain stores, read by the main thread with
// relaxed loads at any time: figures of one moment may differ by what happened in between.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "core/counter.h"
#include "core/error.h"
#include "core/histogram.h"
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
  explicit LatencyTable(size_t routes) : cells_(routes * transfer::kEngineCount) {}
  ~LatencyTable() {
    for (auto& cell : cells_) delete cell.load(std::memory_order_relaxed);
  }
  LatencyTable(const LatencyTable&) = delete;
  LatencyTable& operator=(const LatencyTable&) = delete;

  /// The worker's thread only.
  void add(uint32_t route, transfer::Engine engine, int64_t us) {
    auto& cell = cells_[route * transfer::kEngineCount + static_cast<size_t>(engine)];
    Histogram* histogram = cell.load(std::memory_order_relaxed);
    if (histogram == nullptr) {
      histogram = new Histogram();
      cell.store(histogram, std::memory_order_release);
    }
    histogram->add(us < 0 ? 0 : static_cast<uint64_t>(us));
  }

  /// Any thread; null when there was no such response.
  const Histogram* find(uint32_t route, transfer::Engine engine) const {
    return cells_[route * transfer::kEngineCount + static_cast<size_t>(engine)].load(
        std::memory_order_acquire);
  }

 private:
  std::vector<std::atomic<Histogram*>> cells_;
};

struct WorkerStats {
  explicit WorkerStats(size_t routes) : latency(routes) {}

  Counter accepted, connections, refused, requests;
  Counter bytes_in, bytes_out;
  Counter questions, remembered, answers, parked;
  Counter turns;
  /// TLS: handshakes under way now, done, of those resumed, and done for the kernel to encrypt.
  Counter shaking, handshakes, resumed, kernel_tls;
  std::array<EngineCounts, transfer::kEngineCount> engines;
  std::array<Counter, static_cast<size_t>(ErrorCode::count_)> errors;
  std::array<Counter, 600> statuses;  ///< index = status code
  LatencyTable latency;
  sys::SyscallCounts syscalls;
};

}  // namespace sluice::worker
