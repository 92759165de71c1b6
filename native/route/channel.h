// Channels as the configuration has them: messages that are published to whoever is connected.
// Plain data, immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sluice::route {

/// How messages follow each other.
enum class Format : uint8_t { sse, ndjson, raw };
inline constexpr size_t kFormats = 3;

/// Where pieces end.
enum class Cut : uint8_t {
  event,   ///< an empty line ends a server-sent event
  line,    ///< '\n'
  marker,  ///< a piece begins with a marker
  bytes    ///< anywhere
};

struct Feed;

/// What the routes of one name have in common.
struct Channel {
  std::string name;              ///< empty: a hole
  uint8_t formats = 0;           ///< bits of Format
  uint64_t buffer_bytes = 0;     ///< of the newest messages, kept for history and for slow clients
  uint32_t buffer_messages = 0;  ///< likewise
  /// An upstream's stream is what is sent; null: what is published.
  std::shared_ptr<const Feed> feed;
};

/// Sends what is published on a channel.
struct ChannelAction {
  uint32_t channel = 0;  ///< index in the snapshot
  Format format = Format::sse;
  bool skips = true;           ///< who falls behind is taken to the newest message, else cut off
  uint32_t history = 0;        ///< messages that a newcomer gets first, if they are still there
  int64_t heartbeat_ms = 0;    ///< of SSE; 0: none
  std::string head;            ///< status line and fields
  std::string token;           ///< who may publish by POST; empty: nobody
  uint64_t message_bytes = 0;  ///< of what is posted
  bool is_feed = false;        ///< it sends what comes from an upstream; then `format` is raw
  bool is_strict = false;      ///< of a feed: no client gets a piece that is not whole
  uint64_t history_bytes = 0;  ///< of a feed, instead of `history`; 0: none
};

}  // namespace sluice::route
