// What a forwarded response costs before its first byte goes on: parsing the head, and deciding
// which of its fields pass.
#include <string_view>

#include "benchmark.h"
#include "http/hop_by_hop.h"
#include "http/response_parser.h"

namespace {

using namespace sluice::http;

/// 9 fields.
constexpr std::string_view kUsual =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.26.2\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 1024\r\n"
    "Connection: keep-alive\r\n"
    "Keep-Alive: timeout=5\r\n"
    "Cache-Control: no-cache, private\r\n"
    "Set-Cookie: session=012345678901234; Path=/; HttpOnly\r\n"
    "X-Powered-By: Express\r\n"
    "\r\n";

/// What load generators are answered.
constexpr std::string_view kShort = "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n";

ResponseHead head;

ParseResult parse(std::string_view input) {
  return parse_response(input, 0, HeadLimits(), false, head);
}

}  // namespace

BENCHMARK(response_9_fields, kUsual.size()) {
  for (size_t i = 0; i < times; ++i) benchmark::keep(parse(kUsual));
}

BENCHMARK(response_short, kShort.size()) {
  for (size_t i = 0; i < times; ++i) benchmark::keep(parse(kShort));
}

BENCHMARK(response_9_fields_chosen, kUsual.size()) {
  parse(kUsual);
  for (size_t i = 0; i < times; ++i) {
    const HopByHop hop(head);
    size_t passing = 0;
    for (size_t at = 0; at < head.field_count; ++at) passing += hop.forwards(head.fields[at]);
    benchmark::keep(passing);
  }
}
