// Where messages for channels arrive, on any thread, and go to all workers in one order. The only
// lock that a worker takes for channels is here, and only to publish what somebody posted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "route/channel.h"
#include "transfer/broadcast.h"

namespace sluice::worker {

/// Of one channel, over all workers. Any thread.
struct ChannelCounts {
  std::atomic<uint64_t> published{0};
  std::atomic<uint64_t> clients{0};  ///< now
  std::atomic<uint64_t> skipped{0};  ///< messages that slow clients did not get
  std::atomic<uint64_t> cut{0};      ///< clients that were disconnected for being slow
};

class ChannelHub {
 public:
  using Tell = std::function<void(uint32_t channel, const Ref<const transfer::Message>&)>;

  /// `tell` hands a message to every worker; called in the order of messages, under our lock.
  ChannelHub(const std::vector<route::Channel>& channels, bool copy_only, Tell tell);

  /// The message's id.
  uint64_t publish(uint32_t channel, const transfer::Publication& publication);
  size_t size() const { return channels_.size(); }
  ChannelCounts& counts(uint32_t channel) { return channels_[channel]->counts; }

 private:
  struct Channel {
    Channel(uint8_t formats, bool copy_only) : maker(formats, copy_only) {}
    std::mutex mutex;
    transfer::MessageMaker maker;
    uint64_t last_id = 0;
    ChannelCounts counts;
  };

  const Tell tell_;
  std::vector<std::unique_ptr<Channel>> channels_;
};

}  // namespace sluice::worker
