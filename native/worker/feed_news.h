// What the worker that reads a feed tells all workers, itself included, in one order with the
// messages. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "transfer/broadcast.h"

namespace sluice::worker {

class HubChannel;

struct FeedNews {
  enum class Kind : uint8_t {
    pieces,  ///< messages
    opened,  ///< the upstream answers: `head`
    failed,  ///< it does not: `error`. Who has a stream keeps it
    ended,   ///< the stream is over, as it should be
    broken,  ///< it is, and should not: `error`
    closed   ///< nobody was there any more
  };
  Kind kind = Kind::pieces;
  uint64_t epoch = 0;  ///< of FeedSeat
  std::vector<Ref<const transfer::Message>> messages;
  std::string head;  ///< status line and fields
  ErrorCode error = ErrorCode::none;
};

/// A client's place among those for whom a feed is read. The worker's thread.
class FeedPlace {
 public:
  FeedPlace(std::shared_ptr<HubChannel> channel, uint64_t epoch)
      : channel_(std::move(channel)), epoch_(epoch) {}
  ~FeedPlace();
  FeedPlace(const FeedPlace&) = delete;
  FeedPlace& operator=(const FeedPlace&) = delete;
  uint64_t epoch() const { return epoch_; }

 private:
  const std::shared_ptr<HubChannel> channel_;
  const uint64_t epoch_;
};

}  // namespace sluice::worker
