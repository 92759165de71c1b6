// Events and statistics as plain JavaScript objects of the shapes in src/native/interface.ts.
// JavaScript's thread, inside a handle scope.
#pragma once

#include <napi.h>

#include "net/capabilities.h"
#include "worker/worker_group.h"

namespace sluice::binding {

/// `group` takes over the file of a `looked` event.
Napi::Object encode_event(Napi::Env env, worker::CoreEvent& event, worker::WorkerGroup& group);
Napi::Object encode_endpoint(Napi::Env env, const net::Endpoint& endpoint);
Napi::Object encode_stats(Napi::Env env, const worker::WorkerGroup& group);
/// { option, file, reason } for each.
Napi::Array encode_tls_facts(Napi::Env env, const std::vector<net::TlsFacts>& facts);
Napi::Array encode_tls_problems(Napi::Env env, const std::vector<net::TlsProblem>& problems);

Napi::Array encode_capabilities(Napi::Env env);

}  // namespace sluice::binding
