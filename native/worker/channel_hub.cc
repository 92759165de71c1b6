// Ids go on from the time of the start, so that those of a gateway before are never newer.
#include "worker/channel_hub.h"

#include <utility>

#include "net/sys.h"

namespace sluice::worker {

ChannelHub::ChannelHub(const std::vector<route::Channel>& channels, bool copy_only, Tell tell)
    : tell_(std::move(tell)) {
  for (const route::Channel& channel : channels) {
    channels_.push_back(std::make_unique<Channel>(channel.formats, copy_only));
    channels_.back()->last_id = static_cast<uint64_t>(sys::wall_clock_us());
  }
}

uint64_t ChannelHub::publish(uint32_t channel, const transfer::Publication& publication) {
  Channel& to = *channels_[channel];
  const std::lock_guard lock(to.mutex);
  const Ref<const transfer::Message> message = to.maker.make(++to.last_id, publication);
  to.counts.published.fetch_add(1, std::memory_order_relaxed);
  tell_(channel, message);
  return message->id;
}

}  // namespace sluice::worker
