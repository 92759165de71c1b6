// One worker's part of a channel: the newest messages and who listens here. The worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transfer/broadcast.h"
#include "worker/channel_hub.h"
#include "worker/feed.h"

namespace sluice::worker {

class Connection;

class ChannelDesk {
 public:
  explicit ChannelDesk(std::shared_ptr<HubChannel> channel)
      : hub(std::move(channel)), ring(hub->buffer_messages(), hub->buffer_bytes()) {}

  void join(Connection& connection, size_t& slot) {
    slot = listeners.size();
    listeners.push_back(&connection);
  }
  /// Whose slot was the last one gets `slot`: the caller tells it so. Null: nobody.
  Connection* leave(size_t slot) {
    Connection* moved = listeners.back();
    const bool is_last = slot + 1 == listeners.size();
    listeners[slot] = moved;
    listeners.pop_back();
    return is_last ? nullptr : moved;
  }

  std::shared_ptr<HubChannel> hub;
  transfer::Ring ring;
  std::vector<Connection*> listeners;

  // Of a feed (worker/feed.h).
  struct Waiting {
    uint64_t ticket;
    uint64_t epoch;
  };
  std::vector<Waiting> waiting;  ///< for its upstream to answer; some may be gone
  uint64_t epoch = 0;            ///< of the newest feed that was heard of
  std::string head;              ///< of its answer; empty: there is none now
  std::unique_ptr<Feed> feed;    ///< read by this worker
};

}  // namespace sluice::worker
