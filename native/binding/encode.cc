// Building JavaScript objects, one function per shape. Numbers are doubles: counts stay exact to
// 2^53. Counters of zero are left out where the shape is a record by name.
#include "binding/encode.h"

#include "binding/encode_traffic.h"

namespace sluice::binding {
namespace {

using worker::CoreEvent;

Napi::Number number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

Napi::String string(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

const char* outcome_name(files::Outcome outcome) {
  switch (outcome) {
    case files::Outcome::file: return "file";
    case files::Outcome::directory: return "directory";
    case files::Outcome::absent: return "absent";
    case files::Outcome::special: return "special";
    case files::Outcome::refused: return "refused";
    case files::Outcome::failed: return "failed";
  }
  return "failed";
}

Napi::Array encode_entries(Napi::Env env, const std::vector<files::Entry>& entries) {
  Napi::Array array = Napi::Array::New(env, entries.size());
  for (uint32_t i = 0; i < entries.size(); ++i) {
    Napi::Object entry = Napi::Object::New(env);
    entry["name"] = string(env, entries[i].name);
    entry["type"] = string(env, entries[i].is_directory ? "directory" : "file");
    entry["size"] = number(env, entries[i].size);
    entry["mtimeMs"] = Napi::Number::New(env, static_cast<double>(entries[i].mtime_ms));
    array[i] = entry;
  }
  return array;
}

void encode_looked(Napi::Env env, CoreEvent& event, worker::WorkerGroup& group,
                   Napi::Object& object) {
  files::Looked& looked = event.looked;
  uint64_t held = looked.file && looked.file->in_memory() ? looked.file->bytes.size() : 0;
  uint64_t file = looked.file ? group.own_file(std::move(looked.file)) : 0;
  object["id"] = number(env, event.id);
  object["outcome"] = string(env, outcome_name(looked.outcome));
  object["file"] = number(env, file);
  object["size"] = number(env, looked.size);
  object["mtimeMs"] = Napi::Number::New(env, static_cast<double>(looked.mtime_ms));
  object["identity"] = Napi::BigInt::New(env, looked.identity);
  object["heldBytes"] = number(env, held);
  object["error"] = string(env, looked.error == 0 ? "" : files::errno_name(looked.error));
  object["entries"] = encode_entries(env, looked.entries);
  object["hasMore"] = Napi::Boolean::New(env, looked.has_more);
}

const char* outcome_name(files::Encoded::Outcome outcome) {
  switch (outcome) {
    case files::Encoded::Outcome::made: return "made";
    case files::Encoded::Outcome::useless: return "useless";
    case files::Encoded::Outcome::changed: return "changed";
    case files::Encoded::Outcome::failed: return "failed";
  }
  return "failed";
}

void encode_encoded(Napi::Env env, CoreEvent& event, worker::WorkerGroup& group,
                    Napi::Object& object) {
  files::Encoded& encoded = event.encoded;
  const files::File* made = encoded.file.get();
  object["id"] = number(env, event.id);
  object["outcome"] = string(env, outcome_name(encoded.outcome));
  object["size"] = number(env, made != nullptr ? made->size : 0);
  object["heldBytes"] = number(env, made != nullptr ? made->held_bytes() : 0);
  object["hasDescriptor"] = Napi::Boolean::New(env, made != nullptr && !made->in_memory());
  object["error"] = string(env, encoded.error == 0 ? "" : files::errno_name(encoded.error));
  object["file"] = number(env, made != nullptr ? group.own_file(std::move(encoded.file)) : 0);
}

Napi::Array encode_ids(Napi::Env env, const std::vector<uint64_t>& ids) {
  Napi::Array array = Napi::Array::New(env, ids.size());
  for (uint32_t i = 0; i < ids.size(); ++i) array[i] = number(env, ids[i]);
  return array;
}

template <typename Read>
Napi::Object encode_syscalls(Napi::Env env, Read&& read) {
  Napi::Object object = Napi::Object::New(env);
  for (size_t i = 0; i < sys::kCallCount; ++i) {
    uint64_t count = read(i);
    if (count > 0)
      object[std::string(sys::call_name(static_cast<sys::Call>(i)))] = number(env, count);
  }
  return object;
}

Napi::Object encode_engines(Napi::Env env, const worker::WorkerStats& stats) {
  Napi::Object engines = Napi::Object::New(env);
  for (size_t i = 0; i < transfer::kEngineCount; ++i) {
    Napi::Object engine = Napi::Object::New(env);
    engine["responses"] = number(env, stats.engines[i].responses.get());
    engine["bytes"] = number(env, stats.engines[i].bytes.get());
    engines[std::string(transfer::engine_name(static_cast<transfer::Engine>(i)))] = engine;
  }
  return engines;
}

Napi::Object encode_errors(Napi::Env env, const worker::WorkerStats& stats) {
  Napi::Object errors = Napi::Object::New(env);
  for (size_t i = 0; i < stats.errors.size(); ++i) {
    uint64_t count = stats.errors[i].get();
    if (count > 0)
      errors[std::string(error_info(static_cast<ErrorCode>(i)).name)] = number(env, count);
  }
  return errors;
}

Napi::Object encode_statuses(Napi::Env env, const worker::WorkerStats& stats) {
  Napi::Object statuses = Napi::Object::New(env);
  for (uint32_t status = 0; status < stats.statuses.size(); ++status) {
    uint64_t count = stats.statuses[status].get();
    if (count > 0) statuses[std::to_string(status)] = number(env, count);
  }
  return statuses;
}

Napi::Object encode_pipes(Napi::Env env, const transfer::PipeCounts& pipes) {
  Napi::Object object = Napi::Object::New(env);
  object["open"] = number(env, pipes.open.get());
  object["made"] = number(env, pipes.made.get());
  object["refused"] = number(env, pipes.refused.get());
  return object;
}

Napi::Object encode_hooks(Napi::Env env, const worker::WorkerStats& stats) {
  Napi::Object object = Napi::Object::New(env);
  object["asked"] = number(env, stats.hooks_asked.get());
  object["open"] = number(env, stats.hooks_open.get());
  object["remembered"] = number(env, stats.hooks_remembered.get());
  object["limited"] = number(env, stats.hooks_limited.get());
  object["denied"] = number(env, stats.hooks_denied.get());
  return object;
}

/// Connections by what they wait for; a forwarded request says that in more detail.
Napi::Object encode_blocked(Napi::Env env, const worker::Worker& worker) {
  Napi::Object object = Napi::Object::New(env);
  const auto& states = worker.stats().states;
  for (size_t i = 0; i < states.size(); ++i) {
    const auto state = static_cast<worker::State>(i);
    if (state == worker::State::closed || state == worker::State::proxying) continue;
    object[worker::blocked_on(state)] = number(env, states[i].get());
  }
  const auto& exchanges = worker.exchange_states();
  for (size_t i = 0; i < exchanges.size(); ++i) {
    const auto state = static_cast<proxy::ExchangeState>(i);
    if (state == proxy::ExchangeState::choosing || state == proxy::ExchangeState::ended) continue;
    object[proxy::blocked_on(state)] = number(env, exchanges[i].get());
  }
  return object;
}

Napi::Object encode_mirrors(Napi::Env env, const proxy::MirrorCounts& counts) {
  auto outcome = [&](proxy::MirrorOutcome which) {
    return number(env, counts.outcomes[static_cast<size_t>(which)].get());
  };
  using Outcome = proxy::MirrorOutcome;
  Napi::Object object = Napi::Object::New(env);
  object["sent"] = outcome(Outcome::sent);
  object["refused"] = outcome(Outcome::refused);
  object["failed"] = outcome(Outcome::failed);
  object["timedOut"] = outcome(Outcome::timed_out);
  object["behind"] = outcome(Outcome::behind);
  object["limited"] = outcome(Outcome::limited);
  object["unavailable"] = outcome(Outcome::unavailable);
  object["aborted"] = outcome(Outcome::aborted);
  object["inFlight"] = number(env, counts.in_flight.get());
  object["waitingBytes"] = number(env, counts.waiting.get());
  object["bytes"] = number(env, counts.bytes.get());
  object["teedBytes"] = number(env, counts.teed.get());
  return object;
}

Napi::Object encode_worker(Napi::Env env, const worker::Worker& worker) {
  const worker::WorkerStats& stats = worker.stats();
  Napi::Object object = Napi::Object::New(env);
  object["accepted"] = number(env, stats.accepted.get());
  object["connections"] = number(env, stats.connections.get());
  object["refused"] = number(env, stats.refused.get());
  object["requests"] = number(env, stats.requests.get());
  object["bytesIn"] = number(env, stats.bytes_in.get());
  object["bytesOut"] = number(env, stats.bytes_out.get());
  object["questions"] = number(env, stats.questions.get());
  object["remembered"] = number(env, stats.remembered.get());
  object["answers"] = number(env, stats.answers.get());
  object["parked"] = number(env, stats.parked.get());
  object["turns"] = number(env, stats.turns.get());
  object["hooks"] = encode_hooks(env, stats);
  object["turnTimes"] = HistogramSum(stats.turn_us).encode(env);
  object["blockedOn"] = encode_blocked(env, worker);
  object["mirrors"] = encode_mirrors(env, worker.mirror_counts());
  object["pipes"] = encode_pipes(env, worker.pipe_counts());
  Napi::Object tls = Napi::Object::New(env);
  tls["underWay"] = number(env, stats.shaking.get());
  tls["handshakes"] = number(env, stats.handshakes.get());
  tls["resumed"] = number(env, stats.resumed.get());
  tls["kernel"] = number(env, stats.kernel_tls.get());
  tls["putOff"] = number(env, stats.handshakes_put_off.get());
  object["tls"] = tls;
  object["engines"] = encode_engines(env, stats);
  object["syscalls"] = encode_syscalls(
      env, [&stats](size_t i) { return stats.syscalls.calls[i].load(std::memory_order_relaxed); });
  object["errors"] = encode_errors(env, stats);
  object["statuses"] = encode_statuses(env, stats);
  return object;
}

const char* circuit_name(proxy::Circuit circuit) {
  switch (circuit) {
    case proxy::Circuit::closed: return "closed";
    case proxy::Circuit::open: return "open";
    case proxy::Circuit::half_open: break;
  }
  return "half-open";
}

Napi::Array encode_upstreams(Napi::Env env, const worker::WorkerGroup& group) {
  Napi::Array upstreams = Napi::Array::New(env);
  const int64_t now_us = sys::now_us();
  for (uint32_t i = 0; i < group.targets().size(); ++i) {
    Napi::Array targets = Napi::Array::New(env);
    for (const proxy::TargetEntry& entry : group.targets().current(i)->entries) {
      const proxy::Target& target = *entry.target;
      Napi::Object object = Napi::Object::New(env);
      object["id"] = number(env, target.id);
      object["active"] = number(env, target.active.load());
      object["connections"] = number(env, target.connections.load());
      object["requests"] = number(env, target.requests.load());
      object["connects"] = number(env, target.connects.load());
      object["failures"] = number(env, target.failures.load());
      object["retries"] = number(env, target.retries.load());
      const proxy::Circuit circuit = target.circuit(now_us);
      object["ejected"] = Napi::Boolean::New(env, circuit != proxy::Circuit::closed);
      object["circuit"] = Napi::String::New(env, circuit_name(circuit));
      targets[targets.Length()] = object;
    }
    Napi::Object upstream = Napi::Object::New(env);
    upstream["targets"] = targets;
    upstream["queued"] = number(env, group.queued(i));
    upstreams[i] = upstream;
  }
  return upstreams;
}

Napi::Array encode_channels(Napi::Env env, const worker::WorkerGroup& group) {
  Napi::Array channels = Napi::Array::New(env);
  const auto& named = group.snapshot().channels;
  for (uint32_t i = 0; i < named.size(); ++i) {
    const worker::HubChannel* channel = group.channels().find(i);
    if (channel == nullptr) {
      channels[i] = env.Null();
      continue;
    }
    const worker::ChannelCounts& counts = channel->counts;
    Napi::Object object = Napi::Object::New(env);
    object["name"] = string(env, named[i].name);
    object["clients"] = number(env, counts.clients.load(std::memory_order_relaxed));
    object["published"] = number(env, counts.published.load(std::memory_order_relaxed));
    object["skipped"] = number(env, counts.skipped.load(std::memory_order_relaxed));
    object["cut"] = number(env, counts.cut.load(std::memory_order_relaxed));
    object["connections"] = number(env, counts.connections.load(std::memory_order_relaxed));
    object["opened"] = number(env, counts.opened.load(std::memory_order_relaxed));
    object["reconnects"] = number(env, counts.reconnects.load(std::memory_order_relaxed));
    channels[i] = object;
  }
  return channels;
}

}  // namespace

Napi::Object encode_event(Napi::Env env, CoreEvent& event, worker::WorkerGroup& group) {
  using Kind = CoreEvent::Kind;
  Napi::Object object = Napi::Object::New(env);
  switch (event.kind) {
    case Kind::question:
      object["type"] = string(env, "question");
      object["worker"] = number(env, event.worker);
      object["id"] = number(env, event.id);
      object["route"] = number(env, event.route);
      object["path"] = string(env, event.text);
      break;
    case Kind::looked:
      object["type"] = string(env, "looked");
      encode_looked(env, event, group, object);
      break;
    case Kind::encoded:
      object["type"] = string(env, "encoded");
      encode_encoded(env, event, group, object);
      break;
    case Kind::touched:
    case Kind::stale:
      object["type"] = string(env, event.kind == Kind::touched ? "touched" : "stale");
      object["answers"] = encode_ids(env, event.answers);
      break;
    case Kind::fault:
      object["type"] = string(env, "fault");
      object["worker"] = number(env, event.worker);
      object["code"] = string(env, event.code);
      object["message"] = string(env, event.text);
      break;
    case Kind::adopted:
    case Kind::retired:
      object["type"] = string(env, event.kind == Kind::adopted ? "adopted" : "retired");
      object["generation"] = number(env, event.id);
      break;
    case Kind::ended: object["type"] = string(env, "ended"); break;
  }
  return object;
}

Napi::Object encode_endpoint(Napi::Env env, const net::Endpoint& endpoint) {
  Napi::Object object = Napi::Object::New(env);
  if (endpoint.is_unix()) {
    object["kind"] = string(env, "unix");
    object["path"] = string(env, endpoint.path);
  } else {
    object["kind"] = string(env, "tcp");
    object["host"] = string(env, endpoint.host);
    object["port"] = number(env, endpoint.port);
  }
  return object;
}

Napi::Object encode_stats(Napi::Env env, const worker::WorkerGroup& group) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Array workers = Napi::Array::New(env, group.workers().size());
  for (uint32_t i = 0; i < group.workers().size(); ++i) {
    workers[i] = encode_worker(env, *group.workers()[i]);
  }
  object["workers"] = workers;
  object["traffic"] = encode_traffic(env, group);
  object["upstreams"] = encode_upstreams(env, group);
  object["channels"] = encode_channels(env, group);
  Napi::Object files = Napi::Object::New(env);
  const files::FileCounts& counts = group.file_counts();
  files["descriptors"] = Napi::Number::New(env, static_cast<double>(counts.descriptors.load()));
  files["heldBytes"] = Napi::Number::New(env, static_cast<double>(counts.held_bytes.load()));
  object["files"] = files;
  Napi::Object watched = Napi::Object::New(env);
  const files::FreshnessCounts freshness = group.freshness_counts();
  watched["folders"] = number(env, freshness.folders);
  watched["paths"] = number(env, freshness.watches);
  watched["changes"] = number(env, freshness.changes);
  object["watched"] = watched;
  Napi::Object access_log = Napi::Object::New(env);
  const log::WriterCounts lines = group.log_counts();
  access_log["lines"] = number(env, lines.lines);
  access_log["bytes"] = number(env, lines.bytes);
  access_log["dropped"] = number(env, lines.dropped);
  object["accessLog"] = access_log;
  Napi::Object io = Napi::Object::New(env);
  std::array<uint64_t, sys::kCallCount> calls = group.io().syscalls();
  io["threads"] = number(env, group.io().threads());
  io["done"] = number(env, group.io().done());
  io["waiting"] = number(env, group.io().waiting());
  io["syscalls"] = encode_syscalls(env, [&calls](size_t i) { return calls[i]; });
  object["io"] = io;
  return object;
}

Napi::Array encode_tls_problems(Napi::Env env, const std::vector<net::TlsProblem>& problems) {
  Napi::Array array = Napi::Array::New(env);
  for (const net::TlsProblem& problem : problems) {
    Napi::Object object = Napi::Object::New(env);
    object["option"] = string(env, problem.option);
    object["file"] = string(env, problem.file);
    object["reason"] = string(env, problem.reason);
    array[array.Length()] = object;
  }
  return array;
}

Napi::Array encode_tls_facts(Napi::Env env, const std::vector<net::TlsFacts>& facts) {
  Napi::Array array = Napi::Array::New(env);
  for (const net::TlsFacts& fact : facts) {
    Napi::Object object = Napi::Object::New(env);
    object["name"] = string(env, fact.name);
    object["expires"] = Napi::Number::New(env, static_cast<double>(fact.expires));
    object["ocspExpires"] = Napi::Number::New(env, static_cast<double>(fact.ocsp_expires));
    object["ocspProblem"] = string(env, fact.ocsp_problem);
    array[array.Length()] = object;
  }
  return array;
}

Napi::Array encode_capabilities(Napi::Env env) {
  Napi::Array array = Napi::Array::New(env);
  for (const net::Capability& capability : net::capabilities()) {
    Napi::Object object = Napi::Object::New(env);
    object["name"] = string(env, capability.name);
    object["available"] = Napi::Boolean::New(env, capability.available);
    object["error"] = string(env, capability.error == 0 ? "" : files::errno_name(capability.error));
    object["detail"] = string(env, capability.detail);
    array[array.Length()] = object;
  }
  return array;
}

}  // namespace sluice::binding
