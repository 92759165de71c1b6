// The one upstream stream behind relay() routes of a name, as the configuration has it. Plain data,
// immutable. In the core it is called a feed: relays are processes here (proxy/relay.h).
#pragma once

#include <cstdint>
#include <string>

#include "route/channel.h"
#include "route/upstream.h"

namespace sluice::route {

struct Feed {
  ProxyAction proxy;   ///< where it comes from: an upstream, its rules and patience
  std::string path;    ///< that is asked for, with a query if it has one
  std::string accept;  ///< value of Accept
  Cut cut = Cut::bytes;
  std::string marker;
  int64_t linger_ms = 0;  ///< how long it stays open without a client
  int64_t outage_ms = 0;  ///< how long clients are kept while the upstream is away
};

}  // namespace sluice::route
