// What a connection keeps while an upstream answers its request. The worker's thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "log/lines.h"
#include "proxy/exchange.h"
#include "worker/generation.h"
#include "worker/pace.h"

namespace sluice::worker {

/// A request that an upstream answers.
struct Forwarding {
  Forwarding(Ref<Generation> held, const route::ProxyAction& action, proxy::Upstreams& upstreams,
             proxy::Downstream& downstream, const proxy::ExchangeLimits& limits)
      : generation(std::move(held)), exchange(action, upstreams, downstream, limits) {}
  Ref<Generation> generation;  ///< whose action it is
  proxy::Exchange exchange;
  bool is_raw = false;  ///< of a listener, not of a route
  uint32_t route = 0;
  Pace pace;               ///< of the client, while the exchange waits for it
  bool is_upload = false;  ///< what pace counts: bytes that come, or that are acknowledged
  log::Text text;          ///< of the access log: what the head said
  log::Begun begun;
  std::string head;  ///< of the request, where the answer may be an instruction
};

}  // namespace sluice::worker
