// Where messages for channels arrive, on any thread, and go to all workers in one order. The only
// lock that a worker takes for channels is here, and only to publish what somebody posted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
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

/// One name, through all generations of the configuration that have it. Any thread.
class HubChannel : public std::enable_shared_from_this<HubChannel> {
 public:
  using Tell = std::function<void(const std::shared_ptr<HubChannel>& channel,
                                  const Ref<const transfer::Message>&)>;

  /// `tell` hands a message to every worker; called in the order of messages, under our lock.
  HubChannel(uint32_t number, const route::Channel& channel, bool copy_only, const Tell& tell);

  /// The configuration goes on with these options. Formats that it had stay: clients of routes that
  /// have left may still be sent them.
  void adopt(const route::Channel& channel);
  /// The message's id.
  uint64_t publish(const transfer::Publication& publication);

  /// In route::Snapshot::channels, as long as anybody refers to it.
  uint32_t number() const { return number_; }
  uint32_t buffer_messages() const { return buffer_messages_.load(std::memory_order_relaxed); }
  uint64_t buffer_bytes() const { return buffer_bytes_.load(std::memory_order_relaxed); }

  ChannelCounts counts;

 private:
  const uint32_t number_;
  const Tell& tell_;
  std::atomic<uint32_t> buffer_messages_;
  std::atomic<uint64_t> buffer_bytes_;
  std::mutex mutex_;
  transfer::MessageMaker maker_;
  uint64_t last_id_;
};

/// By number; null: a hole.
using HubChannels = std::vector<std::shared_ptr<HubChannel>>;

/// All of a gateway, as they are now. The main thread only; workers have copies of all().
class ChannelHub {
 public:
  ChannelHub(bool copy_only, HubChannel::Tell tell)
      : copy_only_(copy_only), tell_(std::move(tell)) {}

  /// Goes on with the channels of another snapshot. Whoever has left may still be held by workers;
  /// its number is given to another name only when none of them does.
  void adopt(const std::vector<route::Channel>& channels);
  const HubChannels& all() const { return channels_; }
  /// Null: nobody has that number now.
  HubChannel* find(size_t number) const {
    return number < channels_.size() ? channels_[number].get() : nullptr;
  }

 private:
  const bool copy_only_;
  const HubChannel::Tell tell_;
  HubChannels channels_;
};

}  // namespace sluice::worker
