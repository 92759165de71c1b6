// One to many: messages that are made once and sent to every client of a channel, by whichever
// worker it belongs to. A message is immutable and shared by reference count: its sender's bytes
// are copied into it once, small ones into memory, larger ones into pages of a memfd that sendfile
// hands out and that are never written again (docs/ZERO-COPY.md). Made on any thread; a ring
// belongs to one worker.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "core/ref.h"
#include "core/source.h"
#include "route/channel.h"
#include "transfer/piece_cutter.h"

namespace sluice::transfer {

/// Bytes of a source as they go over the wire, a chunk of the chunked coding.
struct Wire {
  Ref<const Source> source;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t before = 0;  ///< of those, the chunk's size line, which HTTP/1.0 does not get
};

struct Message : Counted<Message> {
  uint64_t id = 0;
  uint64_t bytes = 0;  ///< what it weighs in a ring
  /// Of a stream that was cut into pieces: a reader can begin with it; nothing of the piece follows
  /// it (docs/RELAY.md). Other messages are whole.
  bool begins = true, ends = true;
  std::string event_id;  ///< that the event in it has, as the upstream wrote it
  std::array<Wire, route::kFormats> wires;
};

/// What is published.
struct Publication {
  std::string bytes;
  std::string event;  ///< of SSE; empty: none
};

/// Turns publications into messages. One thread at a time.
class MessageMaker {
 public:
  /// `formats`: bits of route::Format that are wanted. `copy_only`: all stays in memory.
  MessageMaker(uint8_t formats, bool copy_only);
  ~MessageMaker();
  MessageMaker(const MessageMaker&) = delete;
  MessageMaker& operator=(const MessageMaker&) = delete;

  /// Messages from now on are made for these, too.
  void add_formats(uint8_t formats) { formats_ |= formats; }
  Ref<const Message> make(uint64_t id, const Publication& publication);
  /// Bytes that every client gets as they are, in the wire of Format::raw.
  Ref<const Message> make_piece(uint64_t id, const PieceCutter::Part& part);

 private:
  class Pages;
  Wire keep(std::string wire);
  Wire frame(std::string_view payload);

  uint8_t formats_;
  bool copy_only_;
  Ref<Pages> pages_;  ///< where the next large message goes
};

/// The payload of a publication in a format, without the chunk around it.
std::string format_message(route::Format format, uint64_t id, const Publication& publication);

/// The newest messages of a channel, in the order of their ids, which have no gaps.
class Ring {
 public:
  Ring(size_t messages, uint64_t bytes) : most_messages_(messages), most_bytes_(bytes) {}
  /// From the next message on.
  void limit(size_t messages, uint64_t bytes) {
    most_messages_ = messages;
    most_bytes_ = bytes;
  }
  void add(Ref<const Message> message);
  /// What comes next has the id that it would have had.
  void clear() {
    messages_.clear();
    bytes_ = 0;
  }
  bool empty() const { return messages_.empty(); }
  uint64_t oldest() const { return messages_.front()->id; }
  uint64_t newest() const { return messages_.back()->id; }
  /// Null when it is not there (any more).
  const Message* find(uint64_t id) const;

 private:
  size_t most_messages_;
  uint64_t most_bytes_;
  std::deque<Ref<const Message>> messages_;
  uint64_t bytes_ = 0;
};

}  // namespace sluice::transfer
