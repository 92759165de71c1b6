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
#include "worker/feed_seat.h"

namespace sluice::worker {

struct FeedNews;

/// Of one channel, over all workers. Any thread.
struct ChannelCounts {
  std::atomic<uint64_t> published{0};
  std::atomic<uint64_t> clients{0};  ///< now
  std::atomic<uint64_t> skipped{0};  ///< messages that slow clients did not get
  std::atomic<uint64_t> cut{0};      ///< clients that were disconnected for being slow
  // Of a feed.
  std::atomic<uint64_t> connections{0};  ///< to the upstream, that answer; now
  std::atomic<uint64_t> opened{0};       ///< answers that it began to read
  std::atomic<uint64_t> reconnects{0};   ///< tries after a stream had broken
};

/// How what happens on one thread reaches the workers.
struct HubTells {
  using Message = std::function<void(const std::shared_ptr<class HubChannel>& channel,
                                     const Ref<const transfer::Message>&)>;
  using News = std::function<void(const std::shared_ptr<class HubChannel>& channel,
                                  const std::shared_ptr<const FeedNews>&)>;
  using Empty =
      std::function<void(const std::shared_ptr<class HubChannel>& channel, uint32_t reader)>;
  Message message;  ///< to every worker
  News news;        ///< likewise
  Empty empty;      ///< to the worker that reads: its feed has no client
};

/// One name, through all generations of the configuration that have it. Any thread.
class HubChannel : public std::enable_shared_from_this<HubChannel> {
 public:
  /// tells.message is called in the order of messages, under our lock.
  HubChannel(uint32_t number, const route::Channel& channel, bool copy_only, const HubTells& tells);

  /// The configuration goes on with these options. Formats that it had stay: clients of routes that
  /// have left may still be sent them.
  void adopt(const route::Channel& channel);
  /// The message's id.
  uint64_t publish(const transfer::Publication& publication);

  // Of a feed (worker/feed.h); null: it is none.
  const std::shared_ptr<const route::Feed>& feed() const { return feed_; }
  FeedSeat& seat() { return seat_; }
  /// A piece as the next message. Whoever has the seat; the caller tells it.
  Ref<const transfer::Message> add_piece(const transfer::PieceCutter::Part& part);
  void tell(const std::shared_ptr<const FeedNews>& news) { tells_.news(shared_from_this(), news); }
  /// A client has left.
  void leave_audience() {
    const int64_t reader = seat_.leave();
    if (reader >= 0) tells_.empty(shared_from_this(), static_cast<uint32_t>(reader));
  }

  /// In route::Snapshot::channels, as long as anybody refers to it.
  uint32_t number() const { return number_; }
  uint32_t buffer_messages() const { return buffer_messages_.load(std::memory_order_relaxed); }
  uint64_t buffer_bytes() const { return buffer_bytes_.load(std::memory_order_relaxed); }

  ChannelCounts counts;

 private:
  const uint32_t number_;
  const HubTells& tells_;
  const std::shared_ptr<const route::Feed> feed_;
  FeedSeat seat_;
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
  ChannelHub(bool copy_only, HubTells tells) : copy_only_(copy_only), tells_(std::move(tells)) {}

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
  const HubTells tells_;
  HubChannels channels_;
};

}  // namespace sluice::worker
