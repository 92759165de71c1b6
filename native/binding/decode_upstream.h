// Decoding of upstreams and their targets, at start and whenever TypeScript replaces the targets.
// JavaScript's thread; checks again what TypeScript has validated.
#pragma once

#include <vector>

#include "binding/reader.h"
#include "route/upstream.h"

namespace sluice::binding {

/// NativeListener: where to listen, or where to connect.
net::Endpoint decode_endpoint(const Reader& endpoint);
route::Upstream decode_upstream(const Reader& upstream);
std::vector<route::TargetConfig> decode_targets(const Reader& targets);

}  // namespace sluice::binding
