// What a connection keeps while it is sent what is published on a channel. The worker's thread.
#pragma once

#include <cstdint>
#include <string>

#include "log/lines.h"
#include "route/channel.h"
#include "transfer/transfer.h"
#include "worker/generation.h"
#include "worker/pace.h"

namespace sluice::worker {

struct Streaming {
  uint32_t channel = 0;
  route::Format format = route::Format::sse;
  bool skips = true;
  bool is_chunked = true;
  bool is_leaving = false;  ///< its configuration has no time left
  bool is_ending = false;   ///< no further message is begun
  bool is_blocked = false;  ///< the socket is full
  int64_t heartbeat_ms = 0;
  int64_t sent_ms = 0;  ///< when the last byte went out
  uint64_t next = 0;    ///< id of the message that comes next; 0: the first that there is
  size_t slot = 0;      ///< at the desk
  std::string pending;  ///< goes out before the message
  transfer::Transfer message;
  uint64_t bytes = 0;                                  ///< sent, without the head
  transfer::Engine engine = transfer::Engine::memory;  ///< that moved the last message
  Pace pace;                                           ///< of the client, while the socket is full
  uint32_t route = 0;
  Ref<Generation> generation;  ///< that it is served with
  log::Text text;              ///< of the access log: what the head said
  log::Begun begun;
};

}  // namespace sluice::worker
