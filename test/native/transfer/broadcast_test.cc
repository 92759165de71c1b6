// Messages for many: how they are written in each format, where they are kept, and the ring of the
// newest.
#include "transfer/broadcast.h"

#include "core/limits.h"
#include "net/sys.h"
#include "testing.h"

using namespace sluice;
using route::Format;
using transfer::format_message;

namespace {

/// The bytes that a wire stands for.
std::string bytes_of(const transfer::Wire& wire) {
  if (wire.source->in_memory()) return wire.source->bytes.substr(wire.offset, wire.size);
  std::string bytes(wire.size, '\0');
  const auto at = static_cast<off_t>(wire.offset);
  CHECK_EQ(sys::pread(wire.source->fd, bytes.data(), bytes.size(), at),
           static_cast<ssize_t>(bytes.size()));
  return bytes;
}

}  // namespace

TEST(broadcast_formats) {
  CHECK_EQ(format_message(Format::raw, 7, {"a\nb", "x"}), "a\nb");
  CHECK_EQ(format_message(Format::ndjson, 7, {"a\r\nb", ""}), "a  b\n");
  CHECK_EQ(format_message(Format::sse, 7, {"a\nb", "x"}), "id: 7\nevent: x\ndata: a\ndata: b\n\n");
  CHECK_EQ(format_message(Format::sse, 7, {"", ""}), "id: 7\ndata: \n\n");
  CHECK_EQ(format_message(Format::sse, 7, {"a\r\rb\r\n", ""}),
           "id: 7\ndata: a\ndata: \ndata: b\ndata: \n\n");
}

TEST(broadcast_small_in_memory_large_in_pages) {
  transfer::MessageMaker maker(1u << 2, false);
  const Ref<const transfer::Message> small = maker.make(1, {"abc", ""});
  CHECK_EQ(bytes_of(small->wires[2]), "3\r\nabc\r\n");
  CHECK(small->wires[2].source->in_memory());
  CHECK_EQ(small->wires[2].before, 3u);
  CHECK(!small->wires[0].source);
  const std::string first(kBroadcastFileBytes, 'a'), second(kBroadcastFileBytes + 5, 'b');
  const Ref<const transfer::Message> large = maker.make(2, {first, ""});
  const Ref<const transfer::Message> next = maker.make(3, {second, ""});
  CHECK(!large->wires[2].source->in_memory());
  CHECK(large->wires[2].source.get() == next->wires[2].source.get());
  CHECK_EQ(next->wires[2].offset % 4096, 0u);
  CHECK_EQ(bytes_of(large->wires[2]), "4000\r\n" + first + "\r\n");
  CHECK_EQ(bytes_of(next->wires[2]), "4005\r\n" + second + "\r\n");
}

TEST(broadcast_copies_stay_in_memory) {
  transfer::MessageMaker maker(1u << 2, true);
  const auto large = maker.make(1, {std::string(100'000, 'x'), ""});
  CHECK(large->wires[2].source->in_memory());
}

TEST(broadcast_nothing_is_not_the_last_chunk) {
  transfer::MessageMaker maker(1u << 2 | 1u, false);
  const auto message = maker.make(1, {"", ""});
  CHECK(!message->wires[2].source);
  CHECK(message->wires[0].source);
}

TEST(broadcast_ring_keeps_the_newest) {
  transfer::MessageMaker maker(1u << 2, false);
  transfer::Ring ring(3, 1'000);
  CHECK(ring.empty());
  CHECK(ring.find(1) == nullptr);
  for (uint64_t id = 10; id < 15; ++id) ring.add(maker.make(id, {"x", ""}));
  CHECK_EQ(ring.oldest(), 12u);
  CHECK_EQ(ring.newest(), 14u);
  CHECK(ring.find(11) == nullptr);
  CHECK_EQ(ring.find(13)->id, 13u);
  // One that is larger than all of it is kept alone.
  ring.add(maker.make(15, {std::string(5'000, 'x'), ""}));
  CHECK_EQ(ring.oldest(), 15u);
}
