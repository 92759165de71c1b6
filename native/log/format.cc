// JSON: every field writes '"name":value,' and the last comma becomes the end of the object. Values
// longer than their bound are cut: a line has an end.
#include "log/format.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/limits.h"
#include "net/address.h"

namespace sluice::log {
namespace {

constexpr std::array<std::string_view, kFieldCount> kNames = {
#define X(name) #name,
    SLUICE_LOG_FIELDS(X)
#undef X
};

constexpr int64_t kSecondUs = 1'000'000;
constexpr size_t kMostNumber = 20;  // 2^64 - 1
/// The most that a line has beside its texts: names, marks, numbers, address, time.
constexpr size_t kMostFixed = 1024;

char* put_text(char* out, std::string_view text) { return copy_short(out, text); }

/// A literal: its size is known, so that it is copied by a few moves.
template <size_t kSize>
char* put(char* out, const char (&text)[kSize]) {
  std::memcpy(out, text, kSize - 1);
  return out + kSize - 1;
}

char* put_number(char* out, uint64_t value) {
  return std::to_chars(out, out + kMostNumber, value).ptr;
}

uint64_t elapsed(const Record& record) {
  return static_cast<uint64_t>(std::max<int64_t>(record.ended_us - record.started_us, 0));
}

std::string second_text(Style style, int64_t second) {
  time_t wanted = second;
  tm parts{};
  gmtime_r(&wanted, &parts);
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto two = [](int value) {
    return std::string{static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
  };
  const std::string year = std::to_string(1900 + parts.tm_year), day = two(parts.tm_mday);
  const std::string clock = two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec);
  if (style == Style::json) return year + "-" + two(parts.tm_mon + 1) + "-" + day + "T" + clock;
  return day + "/" + kMonths[parts.tm_mon] + "/" + year + ":" + clock + " +0000";
}

std::vector<std::string> escaped(Style style, std::vector<std::string> texts) {
  for (std::string& text : texts) {
    const std::string_view kept = std::string_view(text).substr(0, kLogRouteBytes);
    std::string room(kWorstEscape * kept.size(), ' ');
    room.resize(static_cast<size_t>(escape(style, kept, room.data()) - room.data()));
    text = std::move(room);
  }
  return texts;
}

}  // namespace

std::string_view field_name(Field field) { return kNames[static_cast<size_t>(field)]; }

std::optional<Field> field_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Field>(found - kNames.begin());
}

Format::Format(const Settings& settings, std::vector<std::string> routes)
    : style_(settings.style),
      redact_(settings.redact),
      routes_(escaped(settings.style, std::move(routes))) {
  for (const Field field : settings.fields) wanted_ |= bit(field);
}

void Format::name_routes(std::vector<std::string> routes) {
  routes_ = escaped(style_, std::move(routes));
}

void Format::write(const Record& record, uint32_t worker, Text& text) {
  const int64_t second = record.wall_us / kSecondUs;
  if (second != second_) {
    const std::string text = second_text(style_, second);
    second_ = second;
    second_size_ = std::min(text.size(), sizeof second_text_);
    std::memcpy(second_text_, text.data(), second_size_);
  }
  if (client_size_ == 0 || record.client != client_) {
    client_ = record.client;
    client_size_ = net::write_address(client_, client_text_);
  }
  const RecordTexts texts(record);
  char* const room = text.room(kMostFixed + route_of(record).size() + kWorstEscape * texts.bytes());
  text.ends_at(style_ == Style::json ? put_json(record, texts, worker, room)
                                     : put_combined(record, texts, room));
}

char* Format::put_combined(const Record& record, const RecordTexts& texts, char* out) const {
  const auto quoted = [](char* at, std::string_view value, auto&& write) {
    at = put(at, " \"");
    return put(value.empty() ? put(at, "-") : write(value, at), "\"");
  };
  const auto plain = [this](std::string_view value, char* at) { return escape(style_, value, at); };
  const auto redacted = [this](std::string_view value, char* at) {
    return escape_redacted(style_, value, redact_, at);
  };
  out = put_second(put(put_client(out), " - - ["));
  out = put(out, "] \"");
  if (record.is_parsed) out = put(plain(texts[Record::method], out), " ");
  out = redacted(texts[Record::target], out);
  if (record.is_parsed) {
    out = record.minor_version == 0 ? put(out, " HTTP/1.0") : put(out, " HTTP/1.1");
  }
  out = record.status == 0 ? put(out, "\" 000 ")
                           : put(put_number(put(out, "\" "), record.status), " ");
  out = record.bytes == 0 ? put(out, "-") : put_number(out, record.bytes);
  out = quoted(out, texts[Record::referer], redacted);
  out = quoted(out, texts[Record::agent], plain);
  out = put(put_number(put(out, " "), elapsed(record)), " ");
  return put(put_text(out, record.engine.empty() ? "-" : record.engine), "\n");
}

char* Format::put_json(const Record& record, const RecordTexts& texts, uint32_t worker,
                       char* out) const {
  out = put(out, "{");
  if (wants(Field::time)) out = put_time(record, out);
  if (wants(Field::client)) {
    out = put(put_client(put(out, "\"client\":\"")), "\",");
  }
  out = put_request(record, texts, out);
  if (wants(Field::worker)) out = put(put_number(put(out, "\"worker\":"), worker), ",");
  if (const std::string_view route = route_of(record); wants(Field::route) && !route.empty()) {
    out = put(put_text(put(out, "\"route\":\""), route), "\",");
  }
  out = put_outcome(record, put_fields(texts, out));
  if (record.has_upstream) out = put_upstream(record, texts, out);
  if (out[-1] == ',') --out;
  return put(out, "}\n");
}

// Both copy their whole room, which takes a few moves, and count what is theirs.

char* Format::put_second(char* out) const {
  std::memcpy(out, second_text_, sizeof second_text_);
  return out + second_size_;
}

char* Format::put_client(char* out) const {
  std::memcpy(out, client_text_, sizeof client_text_);
  return out + client_size_;
}

char* Format::put_time(const Record& record, char* out) const {
  out = put_second(put(out, "\"time\":\""));
  const auto milliseconds = static_cast<unsigned>(record.wall_us % kSecondUs / 1'000);
  const char digits[] = {'.', static_cast<char>('0' + milliseconds / 100),
                         static_cast<char>('0' + milliseconds / 10 % 10),
                         static_cast<char>('0' + milliseconds % 10)};
  return put(put_text(out, {digits, sizeof digits}), "Z\",");
}

char* Format::put_request(const Record& record, const RecordTexts& texts, char* out) const {
  const std::string_view target = texts[Record::target];
  if (!record.is_parsed) {
    if (!wants(Field::target) || target.empty()) return out;
    out = escape_redacted(style_, target, redact_, put(out, "\"request\":\""));
    return put(out, "\",");
  }
  if (wants(Field::method)) {
    out = put(escape(style_, texts[Record::method], put(out, "\"method\":\"")), "\",");
  }
  if (wants(Field::host) && !texts[Record::host].empty()) {
    out = escape(style_, texts[Record::host], put(out, "\"host\":\""));
    const std::string_view port = texts[Record::port];
    if (!port.empty()) out = escape(style_, port, put(out, ":"));
    out = put(out, "\",");
  }
  if (wants(Field::target)) {
    out = escape_redacted(style_, target, redact_, put(out, "\"target\":\""));
    out = put(out, "\",");
  }
  if (!wants(Field::protocol)) return out;
  return record.minor_version == 0 ? put(out, "\"protocol\":\"HTTP/1.0\",")
                                   : put(out, "\"protocol\":\"HTTP/1.1\",");
}

/// What is copied from header fields, which are often missing.
char* Format::put_fields(const RecordTexts& texts, char* out) const {
  if (wants(Field::referer) && !texts[Record::referer].empty()) {
    out = put(out, "\"referer\":\"");
    out = put(escape_redacted(style_, texts[Record::referer], redact_, out), "\",");
  }
  if (wants(Field::userAgent) && !texts[Record::agent].empty()) {
    out = put(escape(style_, texts[Record::agent], put(out, "\"userAgent\":\"")), "\",");
  }
  if (wants(Field::requestId) && !texts[Record::request_id].empty()) {
    out = put(escape(style_, texts[Record::request_id], put(out, "\"requestId\":\"")), "\",");
  }
  return out;
}

char* Format::put_outcome(const Record& record, char* out) const {
  if (wants(Field::status)) out = put(put_number(put(out, "\"status\":"), record.status), ",");
  if (wants(Field::bytes)) out = put(put_number(put(out, "\"bytes\":"), record.bytes), ",");
  if (wants(Field::durationUs)) {
    out = put(put_number(put(out, "\"durationUs\":"), elapsed(record)), ",");
  }
  if (wants(Field::engine) && !record.engine.empty()) {
    out = put(put_text(put(out, "\"engine\":\""), record.engine), "\",");
  }
  if (wants(Field::error) && record.error != ErrorCode::none) {
    out = put(put_text(put(out, "\"error\":\""), error_info(record.error).name), "\",");
  }
  return out;
}

char* Format::put_upstream(const Record& record, const RecordTexts& texts, char* out) const {
  const auto number = [this](Field field, int64_t value, char* at) {
    if (!wants(field) || value < 0) return at;
    at = put_text(put(at, "\""), field_name(field));
    return put(put_number(put(at, "\":"), static_cast<uint64_t>(value)), ",");
  };
  if (wants(Field::upstream) && !texts[Record::upstream].empty()) {
    out = put(escape(style_, texts[Record::upstream], put(out, "\"upstream\":\"")), "\",");
  }
  out = number(Field::upstreamConnectUs, record.connect_us, out);
  out = number(Field::upstreamFirstByteUs, record.first_byte_us, out);
  out = number(Field::upstreamUs, record.total_us, out);
  return number(Field::retries, record.retries == 0 ? -1 : int64_t{record.retries}, out);
}

}  // namespace sluice::log
