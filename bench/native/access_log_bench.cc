// The access log: a worker's share, which is the record of a request, and the writing thread's,
// which is the line that it becomes.
#include <array>
#include <memory>

#include "benchmark.h"
#include "http/request_parser.h"
#include "log/escape.h"
#include "log/format.h"
#include "log/record_maker.h"

namespace {

using namespace sluice;

constexpr std::string_view kRequest =
    "GET /assets/app.js?v=17 HTTP/1.1\r\nHost: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: */*\r\nReferer: https://www.example.com/index.html\r\n\r\n";

log::Settings settings(log::Style style) {
  log::Settings made;
  made.style = style;
  for (size_t i = 0; i < log::kFieldCount; ++i) made.fields.push_back(static_cast<log::Field>(i));
  made.redact = {"token"};
  return made;
}

log::Request request(http::RequestHead& head) {
  http::parse_request(kRequest, 0, {}, head);
  log::Request made;
  made.head = &head;
  made.client = {0, 0xffff'7f00'0001};
  made.route = 0;
  return made;
}

log::Outcome outcome() {
  log::Outcome made;
  made.status = 200;
  made.bytes = 1024;
  made.ended_us = 31;
  made.engine = "memory";
  return made;
}

struct Room {
  alignas(log::Record::kAlignment) std::array<char, log::kMostRecord> bytes;
};

void lines(log::Style style, size_t times) {
  log::Format format(settings(style), {"/assets/*"});
  auto head = std::make_unique<http::RequestHead>();
  log::Text begun, text;
  const log::Begun at = log::begin_record(request(*head), 1'790'000'000'000'000, begun);
  Room room;
  log::end_record(begun.part(at.begin, at.end), outcome(), room.bytes.data());
  for (size_t i = 0; i < times; ++i) {
    text.clear();
    format.write(*reinterpret_cast<const log::Record*>(room.bytes.data()), 0, text);
    benchmark::keep(text);
  }
}

}  // namespace

BENCHMARK(log_record, 0) {
  auto head = std::make_unique<http::RequestHead>();
  const log::Request made = request(*head);
  log::Text begun;
  Room room;
  for (size_t i = 0; i < times; ++i) {
    begun.clear();
    const log::Begun at = log::begin_record(made, 1'790'000'000'000'000, begun);
    benchmark::keep(log::end_record(begun.part(at.begin, at.end), outcome(), room.bytes.data()));
    benchmark::keep(room);
  }
}

BENCHMARK(log_line_json, 0) { lines(log::Style::json, times); }
BENCHMARK(log_line_combined, 0) { lines(log::Style::combined, times); }

BENCHMARK(log_escape_82_bytes, 82) {
  const std::string_view text = kRequest.substr(70, 82);
  std::array<char, 1024> room;
  for (size_t i = 0; i < times; ++i) {
    benchmark::keep(*log::escape(log::Style::json, text, room.data()));
  }
}
