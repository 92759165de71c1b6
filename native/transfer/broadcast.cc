// Making messages and keeping the newest. Larger ones follow each other in a file of pages that
// only grows; when it is full the next file is begun, and the last message in it lets it go.
#include "transfer/broadcast.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "http/chunked_encoder.h"
#include "net/sys.h"

namespace sluice::transfer {
namespace {

constexpr uint64_t kPage = 4096;

void append_lines(std::string& out, std::string_view name, std::string_view text) {
  for (;;) {
    // An event stream ends lines at CR, LF or both: none of them may break out of its field.
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    out.append(name).append(text.substr(0, end)).append("\n");
    if (end == text.size()) return;
    const bool is_pair = text.substr(end, 2) == "\r\n";
    text.remove_prefix(end + (is_pair ? 2 : 1));
  }
}

}  // namespace

std::string format_message(route::Format format, uint64_t id, const Publication& publication) {
  std::string out;
  switch (format) {
    case route::Format::raw: return publication.bytes;
    case route::Format::ndjson:
      out = publication.bytes;
      // One message is one line, whatever is in it.
      std::replace_if(
          out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
      return out.append("\n");
    case route::Format::sse:
      out.append("id: ").append(std::to_string(id)).append("\n");
      if (!publication.event.empty()) append_lines(out, "event: ", publication.event);
      append_lines(out, "data: ", publication.bytes);
      return out.append("\n");
  }
  return out;
}

/// A memfd that messages are appended to.
class MessageMaker::Pages final : public Source {
 public:
  explicit Pages(int descriptor) : Source(descriptor, {}) {
    warm_until_us.store(INT64_MAX, std::memory_order_relaxed);
  }
  ~Pages() override { sys::close(fd); }
  uint64_t end = 0;
};

MessageMaker::MessageMaker(uint8_t formats, bool copy_only)
    : formats_(formats), copy_only_(copy_only) {}

MessageMaker::~MessageMaker() = default;

Wire MessageMaker::keep(std::string wire) {
  Wire kept;
  kept.size = wire.size();
  if (wire.size() >= kBroadcastFileBytes && !copy_only_) {
    if (!pages_ || pages_->end >= kBroadcastPagesBytes) {
      const int fd = sys::memfd_create("sluice-messages", MFD_CLOEXEC);
      pages_ = fd < 0 ? Ref<Pages>() : make_ref<Pages>(fd);
    }
    if (pages_) {
      size_t written = 0;
      while (written < wire.size()) {
        const auto at = static_cast<off_t>(pages_->end + written);
        const ssize_t got =
            sys::pwrite(pages_->fd, wire.data() + written, wire.size() - written, at);
        if (got <= 0) break;
        written += static_cast<size_t>(got);
      }
      kept.offset = pages_->end;
      // Whole pages: a page that has been sent is never written again.
      pages_->end += (wire.size() + kPage - 1) / kPage * kPage;
      if (written == wire.size()) {
        kept.source = Ref<const Source>(pages_.get());
        return kept;
      }
    }
  }
  kept.offset = 0;
  kept.source = make_ref<const Source>(-1, std::move(wire));
  return kept;
}

/// The payload as a chunk.
Wire MessageMaker::frame(std::string_view payload) {
  std::array<char, http::kChunkLineRoom> room;
  const std::string_view line = http::chunk_line(payload.size(), room);
  std::string wire;
  wire.reserve(line.size() + payload.size() + http::kChunkEnd.size());
  wire.append(line).append(payload).append(http::kChunkEnd);
  Wire kept = keep(std::move(wire));
  kept.before = static_cast<uint32_t>(line.size());
  return kept;
}

Ref<const Message> MessageMaker::make_piece(uint64_t id, const PieceCutter::Part& part) {
  auto message = make_ref<Message>();
  message->id = id;
  message->begins = part.begins;
  message->ends = part.ends;
  message->event_id = part.id;
  Wire& wire = message->wires[static_cast<size_t>(route::Format::raw)];
  wire = frame(part.bytes);
  message->bytes = wire.size + sizeof(Message) + sizeof(Source) + part.id.size();
  return Ref<const Message>(message.get());
}

Ref<const Message> MessageMaker::make(uint64_t id, const Publication& publication) {
  auto message = make_ref<Message>();
  message->id = id;
  for (size_t i = 0; i < route::kFormats; ++i) {
    if ((formats_ & 1u << i) == 0) continue;
    const std::string payload = format_message(static_cast<route::Format>(i), id, publication);
    if (payload.empty()) continue;  // a chunk of nothing would be the last one
    message->wires[i] = frame(payload);
    message->bytes += message->wires[i].size;
  }
  return Ref<const Message>(message.get());
}

void Ring::add(Ref<const Message> message) {
  bytes_ += message->bytes;
  messages_.push_back(std::move(message));
  while (messages_.size() > 1 && (messages_.size() > most_messages_ || bytes_ > most_bytes_)) {
    bytes_ -= messages_.front()->bytes;
    messages_.pop_front();
  }
}

const Message* Ring::find(uint64_t id) const {
  if (messages_.empty() || id < oldest() || id > newest()) return nullptr;
  return messages_[id - oldest()].get();
}

}  // namespace sluice::transfer
