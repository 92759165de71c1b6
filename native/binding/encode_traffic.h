// What was answered how fast, as JavaScript objects: histograms summed over the workers. The main
// thread only.
#pragma once

#include <napi.h>

#include <array>

#include "core/histogram.h"
#include "worker/worker_group.h"

namespace sluice::binding {

/// The sum of histograms.
class HistogramSum {
 public:
  HistogramSum() = default;
  explicit HistogramSum(const Histogram& histogram) { add(histogram); }
  void add(const Histogram& histogram);
  /// { count, sumUs, buckets }: cumulative, without the buckets that hold nothing.
  Napi::Object encode(Napi::Env env) const;

 private:
  std::array<uint64_t, Histogram::kBuckets> counts_{};
  uint64_t sum_us_ = 0;
};

/// One object for every route and kind of response that there was.
Napi::Array encode_traffic(Napi::Env env, const worker::WorkerGroup& group);

}  // namespace sluice::binding
