// Short on purpose: it runs between two requests, where most of its code is not in the processor's
// caches.
#include "log/record_maker.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/limits.h"

namespace sluice::log {
namespace {

std::string_view first_line(std::string_view bytes) {
  // An empty line before the request line is none of it (RFC 9112 §2.2).
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  return bytes.substr(0, bytes.find_first_of("\r\n"));
}

/// How much of each text is kept.
constexpr std::array<uint16_t, Record::parts_> kMost = {
    kLogMethodBytes, kLogHostBytes, 8, kLogTargetBytes, kLogFieldBytes, kLogFieldBytes,
    kLogHostBytes,   kLogHostBytes,
};

}  // namespace

Begun begin_record(const Request& request, int64_t wall_us, Text& text) {
  std::array<std::string_view, Record::parts_> texts;
  if (request.head == nullptr) {
    texts[Record::target] = first_line(request.bytes);
  } else {
    const http::RequestHead& head = *request.head;
    texts[Record::method] = head.method_text;
    texts[Record::host] = head.host;
    texts[Record::port] = head.port;
    texts[Record::target] = head.target;
    texts[Record::referer] = head.find(http::FieldId::referer);
    texts[Record::agent] = head.find(http::FieldId::user_agent);
    texts[Record::request_id] =
        request.id.empty() ? head.find(http::FieldId::x_request_id) : request.id;
  }
  // No more room than it takes: it may be kept for as long as an upstream takes to answer.
  size_t size = sizeof(Record);
  for (size_t part = 0; part < Record::parts_; ++part) {
    texts[part] = texts[part].substr(0, kMost[part]);
    size += texts[part].size();
  }
  size = Record::padded(size);
  const size_t begin = text.size();
  char* const room = text.room(size);
  auto* record = new (room) Record;
  record->route = request.route;
  record->is_parsed = request.head != nullptr;
  record->minor_version = request.head == nullptr ? 0 : request.head->minor_version;
  record->client = request.client;
  record->wall_us = wall_us;
  char* at = room + sizeof(Record);
  for (size_t part = 0; part < Record::parts_; ++part) {
    record->lengths[part] = static_cast<uint16_t>(texts[part].size());
    at = copy_short(at, texts[part]);
  }
  text.ends_at(room + size);  // the next one begins aligned
  return {begin, text.size()};
}

size_t end_record(std::string_view begun, const Outcome& outcome, char* out) {
  std::memcpy(out, begun.data(), begun.size());
  auto* record = reinterpret_cast<Record*>(out);
  size_t size = begun.size();
  record->status = outcome.status;
  record->error = outcome.error;
  record->bytes = outcome.bytes;
  record->started_us = outcome.started_us;
  record->ended_us = outcome.ended_us;
  record->engine = outcome.engine;
  record->has_upstream = outcome.upstream != nullptr;
  if (outcome.upstream != nullptr) {
    const Upstream& upstream = *outcome.upstream;
    record->retries = upstream.retries;
    record->connect_us = upstream.connect_us;
    record->first_byte_us = upstream.first_byte_us;
    record->total_us = upstream.total_us;
    const std::string_view target = upstream.target.substr(0, kLogHostBytes);
    const RecordTexts texts(*record);
    size = sizeof(Record) + texts.bytes();
    std::memcpy(out + size, target.data(), target.size());
    record->lengths[Record::upstream] = static_cast<uint16_t>(target.size());
    size = Record::padded(size + target.size());
  }
  record->size = static_cast<uint32_t>(size);
  return size;
}

}  // namespace sluice::log
