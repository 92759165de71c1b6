// A name through several configurations: ids go on, options change, holes are nobody's.
#include "worker/channel_hub.h"

#include <string>
#include <vector>

#include "testing.h"

using namespace sluice;
using worker::ChannelHub;
using worker::HubChannel;
using worker::HubChannels;

namespace {

route::Channel named(const char* name, route::Format format, uint32_t messages = 10) {
  route::Channel channel;
  channel.name = name;
  channel.formats = static_cast<uint8_t>(1u << static_cast<unsigned>(format));
  channel.buffer_messages = messages;
  channel.buffer_bytes = 1000;
  return channel;
}

struct Told {
  std::shared_ptr<HubChannel> channel;
  Ref<const transfer::Message> message;
};

}  // namespace

TEST(channels_go_on_through_configurations) {
  std::vector<Told> told;
  worker::HubTells tells;
  tells.message = [&told](const auto& channel, const auto& message) {
    told.push_back({channel, message});
  };
  ChannelHub hub(true, std::move(tells));
  hub.adopt({named("a", route::Format::raw)});
  HubChannel* a = hub.find(0);
  const uint64_t first = a->publish({"one", ""});
  hub.adopt({named("a", route::Format::ndjson, 20), named("b", route::Format::raw)});
  CHECK(hub.find(0) == a);
  CHECK_EQ(a->buffer_messages(), uint32_t{20});
  CHECK_EQ(a->publish({"two", ""}), first + 1);
  CHECK_EQ(told.size(), size_t{2});
  const auto raw = static_cast<size_t>(route::Format::raw);
  const auto lines = static_cast<size_t>(route::Format::ndjson);
  CHECK(told[0].message->wires[raw].source.get() != nullptr);
  CHECK(told[0].message->wires[lines].source.get() == nullptr);
  CHECK(told[1].message->wires[raw].source.get() != nullptr);
  CHECK(told[1].message->wires[lines].source.get() != nullptr);
}

TEST(channels_of_one_number_are_others) {
  worker::HubTells tells;
  tells.message = [](const auto&, const auto&) {};
  ChannelHub hub(true, std::move(tells));
  hub.adopt({named("a", route::Format::raw), named("b", route::Format::raw)});
  const HubChannels before = hub.all();
  hub.adopt({route::Channel(), named("b", route::Format::raw)});
  CHECK(hub.find(0) == nullptr);
  CHECK(hub.find(1) == before[1].get());
  CHECK(hub.find(7) == nullptr);
  hub.adopt({named("c", route::Format::raw)});
  CHECK(hub.find(0) != nullptr);
  CHECK(hub.find(0) != before[0].get());
  CHECK(hub.find(1) == nullptr);
  CHECK(before[0]->publish({"late", ""}) > 0);
}
