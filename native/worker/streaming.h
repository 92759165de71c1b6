// What a connection keeps while it is sent what is published on a channel. The worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/error.h"
#include "log/lines.h"
#include "route/channel.h"
#include "transfer/transfer.h"
#include "worker/feed_news.h"
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
  // Of a feed, whose messages may be parts of pieces.
  bool is_placed = false;  ///< what comes next continues what it has
  bool is_strict = false;  ///< it gets no piece that is not whole
  bool is_within = false;  ///< it has not all of a piece; strict ones only
  bool is_over = false;    ///< nothing comes after message `last`
  uint64_t last = 0;
  ErrorCode end_error = ErrorCode::none;  ///< why; none: as it should be
  std::unique_ptr<FeedPlace> place;       ///< null: a channel
  Pace pace;                              ///< of the client, while the socket is full
  uint32_t route = 0;
  Ref<Generation> generation;  ///< that it is served with
  log::Text text;              ///< of the access log: what the head said
  log::Begun begun;
};

}  // namespace sluice::worker
