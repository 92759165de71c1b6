// What parsing one request head costs: whole, in two pieces, byte by byte, and with the long values
// that browsers send. One request of a file from memory costs some 8000 ns in all.
#include <string_view>

#include "benchmark.h"
#include "http/chunked_decoder.h"
#include "http/date.h"
#include "http/request_parser.h"

namespace {

using namespace sluice::http;

/// 326 bytes, 7 fields.
constexpr std::string_view kUsual =
    "GET /assets/app/main.css?v=31 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=012345678901234\r\n"
    "\r\n";
static_assert(kUsual.size() == 326);

/// What load generators send.
constexpr std::string_view kShort = "GET /1k.bin HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

RequestHead head;

ParseResult parse(std::string_view input, size_t seen) {
  return parse_request(input, seen, HeadLimits(), head);
}

}  // namespace

BENCHMARK(request_326_bytes_7_fields, kUsual.size()) {
  for (size_t i = 0; i < times; ++i) benchmark::keep(parse(kUsual, 0));
}

BENCHMARK(request_short, kShort.size()) {
  for (size_t i = 0; i < times; ++i) benchmark::keep(parse(kShort, 0));
}

BENCHMARK(request_326_bytes_in_two_pieces, kUsual.size()) {
  for (size_t i = 0; i < times; ++i) {
    benchmark::keep(parse(kUsual.substr(0, 200), 0));
    benchmark::keep(parse(kUsual, 200));
  }
}

BENCHMARK(request_326_bytes_byte_by_byte, kUsual.size()) {
  for (size_t i = 0; i < times; ++i) {
    for (size_t at = 1; at <= kUsual.size(); ++at) {
      benchmark::keep(parse(kUsual.substr(0, at), at - 1));
    }
  }
}

BENCHMARK(chunk_framing, 7) {
  for (size_t i = 0; i < times; ++i) {
    ChunkedDecoder decoder;
    benchmark::keep(decoder.next("10000\r\n"));
  }
}

BENCHMARK(date_formatted, kDateBytes) {
  char text[kDateBytes];
  for (size_t i = 0; i < times; ++i) {
    format_date(1790000000 + static_cast<int64_t>(i & 0xffff), text);
    benchmark::keep(text);
  }
}

BENCHMARK(date_parsed, kDateBytes) {
  for (size_t i = 0; i < times; ++i) {
    benchmark::keep(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", 1790000000));
  }
}
