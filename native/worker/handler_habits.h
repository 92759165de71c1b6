// What a worker has learned of handlers: an answer that comes as a stream, or is large, goes over
// the handlers' socket, and asking for it over the channel first would be a detour. Routes whose
// handler answers so go to the socket at once, but for a request now and then. The worker's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "core/limits.h"

namespace sluice::worker {

class HandlerHabits {
 public:
  /// Whether the next request of `route` asks over the channel.
  bool should_ask(uint32_t route) {
    if (route >= direct_.size() || direct_[route] == 0) return true;
    --direct_[route];
    return false;
  }
  /// The answer of its handler comes over the socket.
  void on_held(uint32_t route) {
    if (route >= direct_.size()) direct_.resize(route + 1);
    direct_[route] = kDirectHandlerRequests;
  }
  /// Routes are numbered anew.
  void forget() { direct_.clear(); }

 private:
  std::vector<uint8_t> direct_;  ///< by route: requests that go to the socket at once
};

}  // namespace sluice::worker
