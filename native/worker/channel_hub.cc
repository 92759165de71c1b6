// Ids go on from the time of the start, so that those of a gateway before are never newer.
#include "worker/channel_hub.h"

#include "net/sys.h"

namespace sluice::worker {

HubChannel::HubChannel(uint32_t number, const route::Channel& channel, bool copy_only,
                       const HubTells& tells)
    : number_(number),
      tells_(tells),
      feed_(channel.feed),
      buffer_messages_(channel.buffer_messages),
      buffer_bytes_(channel.buffer_bytes),
      maker_(channel.formats, copy_only),
      last_id_(static_cast<uint64_t>(sys::wall_clock_us())) {}

void HubChannel::adopt(const route::Channel& channel) {
  buffer_messages_.store(channel.buffer_messages, std::memory_order_relaxed);
  buffer_bytes_.store(channel.buffer_bytes, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  maker_.add_formats(channel.formats);
}

uint64_t HubChannel::publish(const transfer::Publication& publication) {
  const std::lock_guard lock(mutex_);
  const Ref<const transfer::Message> message = maker_.make(++last_id_, publication);
  counts.published.fetch_add(1, std::memory_order_relaxed);
  tells_.message(shared_from_this(), message);
  return message->id;
}

Ref<const transfer::Message> HubChannel::add_piece(const transfer::PieceCutter::Part& part) {
  const std::lock_guard lock(mutex_);
  counts.published.fetch_add(1, std::memory_order_relaxed);
  return maker_.make_piece(++last_id_, part);
}

void ChannelHub::adopt(const std::vector<route::Channel>& channels) {
  channels_.resize(channels.size());
  for (uint32_t i = 0; i < channels.size(); ++i) {
    if (channels[i].name.empty()) {
      channels_[i].reset();
    } else if (channels_[i]) {
      channels_[i]->adopt(channels[i]);
    } else {
      channels_[i] = std::make_shared<HubChannel>(i, channels[i], copy_only_, tells_);
    }
  }
}

}  // namespace sluice::worker
