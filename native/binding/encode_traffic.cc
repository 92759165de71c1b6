// Sums what the workers count; they go on counting meanwhile, so figures of one moment may differ
// by what happened in between.
#include "binding/encode_traffic.h"

namespace sluice::binding {
namespace {

using worker::Traffic;
using worker::TrafficKind;

Napi::Number number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

/// False when nobody had such a response.
bool sum_traffic(const worker::WorkerGroup& group, uint32_t route, const TrafficKind& kind,
                 HistogramSum& latency, uint64_t& bytes) {
  bool was_any = false;
  for (const auto& worker : group.workers()) {
    const Traffic* traffic = worker->stats().traffic.find(route, kind.index());
    if (traffic == nullptr) continue;
    was_any = true;
    latency.add(traffic->latency);
    bytes += traffic->bytes.get();
  }
  return was_any;
}

template <typename Visit>
void each_kind(Visit&& visit) {
  for (size_t engine = 0; engine < transfer::kEngineCount; ++engine) {
    for (uint16_t status = 0; status < TrafficKind::kClasses * 100; status += 100) {
      for (bool is_forwarded : {false, true}) {
        visit(TrafficKind{static_cast<transfer::Engine>(engine), status, is_forwarded});
      }
    }
  }
}

}  // namespace

void HistogramSum::add(const Histogram& histogram) {
  sum_us_ += histogram.sum_us();
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += histogram.count_at(i);
}

Napi::Object HistogramSum::encode(Napi::Env env) const {
  Napi::Array buckets = Napi::Array::New(env);
  uint64_t total = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    total += counts_[i];
    Napi::Object bucket = Napi::Object::New(env);
    bucket["leUs"] = number(env, Histogram::upper_us(i));
    bucket["count"] = number(env, total);
    buckets[buckets.Length()] = bucket;
  }
  Napi::Object object = Napi::Object::New(env);
  object["count"] = number(env, total);
  object["sumUs"] = number(env, sum_us_);
  object["buckets"] = buckets;
  return object;
}

Napi::Array encode_traffic(Napi::Env env, const worker::WorkerGroup& group) {
  Napi::Array array = Napi::Array::New(env);
  // Of what has left, too, and last of what had no route.
  const auto routes = static_cast<uint32_t>(group.route_numbers());
  for (uint32_t at = 0; at <= routes; ++at) {
    const uint32_t route = at == routes ? route::kNoRoute : at;
    each_kind([&](const TrafficKind& kind) {
      HistogramSum latency;
      uint64_t bytes = 0;
      if (!sum_traffic(group, route, kind, latency, bytes)) return;
      const std::string_view engine = transfer::engine_name(kind.engine);
      Napi::Object object = latency.encode(env);
      object["route"] =
          Napi::Number::New(env, route == route::kNoRoute ? -1 : static_cast<double>(route));
      object["engine"] = Napi::String::New(env, engine.data(), engine.size());
      object["statusClass"] = number(env, kind.status_class());
      object["isForwarded"] = Napi::Boolean::New(env, kind.is_forwarded);
      object["bytes"] = number(env, bytes);
      array[array.Length()] = object;
    });
  }
  return array;
}

}  // namespace sluice::binding
