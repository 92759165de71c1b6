// Records become lines: every field, every style, whatever is missing.
#include "log/format.h"

#include <memory>
#include <string>

#include "core/limits.h"
#include "http/request_parser.h"
#include "log/record_maker.h"
#include "testing.h"

namespace {

using namespace sluice;

log::Settings settings(log::Style style) {
  log::Settings made;
  made.style = style;
  for (size_t i = 0; i < log::kFieldCount; ++i) made.fields.push_back(static_cast<log::Field>(i));
  return made;
}

struct Room {
  alignas(log::Record::kAlignment) char bytes[log::kMostRecord];
};

std::string line_of(const log::Settings& settings, const log::Request& request,
                    const log::Outcome& outcome) {
  log::Text begun, text;
  const log::Begun at = log::begin_record(request, 784'111'777'123'456, begun);
  auto room = std::make_unique<Room>();
  const size_t size = log::end_record(begun.part(at.begin, at.end), outcome, room->bytes);
  CHECK(size <= log::kMostRecord);
  CHECK_EQ(size % log::Record::kAlignment, 0u);
  log::Format format(settings, {"/a\"", "/b"});
  format.write(*reinterpret_cast<const log::Record*>(room->bytes), 3, text);
  return std::string(text.part(0, text.size()));
}

std::string parsed_line(const log::Settings& settings, const std::string& bytes,
                        const log::Outcome& outcome) {
  auto head = std::make_unique<http::RequestHead>();
  const http::HeadLimits limits{1 << 20, 1 << 18, 100};
  CHECK(http::parse_request(bytes, 0, limits, *head).status == http::ParseStatus::ok);
  log::Request request;
  request.head = head.get();
  request.client = {0, 0xffff'0a01'02ff};
  request.route = 0;
  return line_of(settings, request, outcome);
}

log::Outcome fine() {
  log::Outcome outcome;
  outcome.status = 206;
  outcome.bytes = 1'000'000'000'000;
  outcome.started_us = 100;
  outcome.ended_us = 142;
  outcome.engine = "sendfile";
  return outcome;
}

const std::string kWhole =
    "GET /x?y HTTP/1.0\r\nHost: h:81\r\nReferer: r\r\nUser-Agent: u\"\r\nX-Request-Id: i\r\n\r\n";

}  // namespace

TEST(log_line_with_every_field) {
  log::Outcome outcome = fine();
  outcome.error = ErrorCode::client_gone;
  log::Upstream upstream{"http://up:1", 10, 20, 30, 2};
  outcome.upstream = &upstream;
  CHECK_EQ(parsed_line(settings(log::Style::json), kWhole, outcome),
           "{\"time\":\"1994-11-06T08:49:37.123Z\",\"client\":\"10.1.2.255\",\"method\":\"GET\","
           "\"host\":\"h:81\",\"target\":\"/x?y\",\"protocol\":\"HTTP/1.0\",\"worker\":3,"
           "\"route\":\"/a\\\"\",\"referer\":\"r\",\"userAgent\":\"u\\\"\",\"requestId\":\"i\","
           "\"status\":206,\"bytes\":1000000000000,\"durationUs\":42,\"engine\":\"sendfile\","
           "\"error\":\"client-gone\",\"upstream\":\"http://up:1\",\"upstreamConnectUs\":10,"
           "\"upstreamFirstByteUs\":20,\"upstreamUs\":30,\"retries\":2}\n");
  CHECK_EQ(parsed_line(settings(log::Style::combined), kWhole, outcome),
           "10.1.2.255 - - [06/Nov/1994:08:49:37 +0000] \"GET /x?y HTTP/1.0\" 206 1000000000000 "
           "\"r\" \"u\\\"\" 42 sendfile\n");
}

TEST(log_line_leaves_out_what_is_missing) {
  log::Request request;
  request.client = {0x2001'0db8'0000'0000, 1};
  const std::string nothing = line_of(settings(log::Style::json), request, {});
  CHECK_EQ(nothing,
           "{\"time\":\"1994-11-06T08:49:37.123Z\",\"client\":\"2001:db8::1\","
           "\"worker\":3,\"status\":0,\"bytes\":0,\"durationUs\":0}\n");
  request.bytes = "\r\nG\x01T /?a\r\nHost";
  request.client = {};
  CHECK_EQ(line_of(settings(log::Style::combined), request, {}),
           "unix: - - [06/Nov/1994:08:49:37 +0000] \"G\\x01T /?a\" 000 - \"-\" \"-\" 0 -\n");
  log::Settings only = settings(log::Style::json);
  only.fields = {log::Field::target, log::Field::route};
  CHECK_EQ(line_of(only, request, {}), "{\"request\":\"G\\u0001T /?a\"}\n");
  only.fields = {log::Field::route};
  CHECK_EQ(line_of(only, request, {}), "{}\n");
}

TEST(log_line_of_the_longest_values) {
  const std::string many(100'000, '"');
  log::Outcome outcome = fine();
  log::Upstream upstream{many, 1, 1, 1, 1};
  outcome.upstream = &upstream;
  const std::string request =
      "GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\nHost: " + std::string(300, 'h') +
      "\r\nReferer: " + many + "\r\nUser-Agent: " + many + "\r\nX-Request-Id: " + many + "\r\n\r\n";
  const std::string line = parsed_line(settings(log::Style::json), request, outcome);
  CHECK(line.size() < 16'384);
  CHECK(line.ends_with("}\n"));
  CHECK(line.find("/" + std::string(kLogTargetBytes - 1, 'x') + "\"") != std::string::npos);
}

TEST(log_fields_have_distinct_names) {
  for (size_t i = 0; i < log::kFieldCount; ++i) {
    const auto field = static_cast<log::Field>(i);
    CHECK(log::field_named(log::field_name(field)) == field);
  }
  CHECK(!log::field_named("nothing"));
  CHECK(!log::field_named(""));
}
