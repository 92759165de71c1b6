// A worker's part in feeds: who reads which, and what its connections learn of it. News come in the
// order in which the worker that reads has told them.
#include <algorithm>

#include "worker/worker.h"

namespace sluice::worker {

using Kind = FeedNews::Kind;

FeedPlace::~FeedPlace() { channel_->leave_audience(); }

void Worker::open_feed(ChannelDesk& desk, uint64_t epoch) {
  // The generation of now where it has the channel: an older one must not be kept.
  const uint32_t number = desk.hub->number();
  const bool is_current = number < channels_.size() && channels_[number] == desk.hub;
  Ref<Generation> generation = is_current ? generation_ : serving();
  desk.feed = std::make_unique<Feed>(*this, desk.hub, epoch, std::move(generation));
  desk.feed->begin();
}

/// Null when this worker does not read it (any more).
Feed* Worker::feed_of(const HubChannel& channel) {
  if (channel.number() >= desks_.size() || !desks_[channel.number()]) return nullptr;
  const ChannelDesk& desk = *desks_[channel.number()];
  return desk.hub.get() == &channel ? desk.feed.get() : nullptr;
}

void Worker::run_feed(const std::shared_ptr<HubChannel>& channel) {
  if (Feed* feed = feed_of(*channel)) feed->run();
}

void Worker::leave_feed(const std::shared_ptr<HubChannel>& channel) {
  if (Feed* feed = feed_of(*channel)) feed->on_empty();
}

/// It is over; the next one may be there already.
void Worker::remove_feed(const std::shared_ptr<HubChannel>& channel) {
  const Feed* feed = feed_of(*channel);
  if (feed != nullptr && feed->is_over()) desks_[channel->number()]->feed.reset();
}

void Worker::adopt_feeds(const Ref<Generation>& next, const HubChannels& channels) {
  for (size_t i = 0; i < desks_.size(); ++i) {
    if (!desks_[i] || !desks_[i]->feed) continue;
    if (i < channels.size() && channels[i] == desks_[i]->hub) desks_[i]->feed->adopt(next);
  }
}

void Worker::resume_for_feed(ChannelDesk& desk, uint64_t epoch, ErrorCode error) {
  std::vector<ChannelDesk::Waiting> still;
  for (const ChannelDesk::Waiting& each : std::exchange(desk.waiting, {})) {
    if (each.epoch > epoch) {
      still.push_back(each);
      continue;
    }
    const auto found = waiting_.find(each.ticket);
    if (found == waiting_.end()) continue;
    const Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    waiting.connection->feed_ready(error, waiting.generation);
  }
  // Whoever was handled again may wait once more.
  desk.waiting.insert(desk.waiting.end(), still.begin(), still.end());
}

void Worker::hear(const std::shared_ptr<HubChannel>& channel, const FeedNews& news) {
  ChannelDesk& desk = desk_of(channel);
  // What one that is over has to tell may come after the first news of the next, from elsewhere.
  const bool is_current = news.epoch >= desk.epoch;
  if (is_current) desk.epoch = news.epoch;
  if (news.kind == Kind::pieces) {
    desk.ring.limit(channel->buffer_messages(), channel->buffer_bytes());
    for (const auto& message : news.messages) desk.ring.add(message);
    for (Connection* listener : desk.listeners) listener->on_message();
    return;
  }
  if (is_current) desk.head = news.head;  // none unless it has opened
  switch (news.kind) {
    case Kind::opened:
    case Kind::failed: return resume_for_feed(desk, news.epoch, news.error);
    case Kind::closed:
      if (is_current) desk.ring.clear();
      // They have gone.
      return resume_for_feed(desk, news.epoch, ErrorCode::upstream_closed);
    default: break;
  }
  const uint64_t last = desk.ring.empty() ? 0 : desk.ring.newest();
  // Some of them close, which changes the list.
  const std::vector<Connection*> listeners = desk.listeners;
  for (Connection* listener : listeners) listener->on_feed_end(news.epoch, last, news.error);
  resume_for_feed(desk, news.epoch,
                  news.error != ErrorCode::none ? news.error : ErrorCode::upstream_closed);
}

}  // namespace sluice::worker
