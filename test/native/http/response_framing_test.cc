// Where the body of a response ends and whether its connection persists (RFC 9112 §6.3, §9.3).
// Every input also runs at every split point (response_cases.h).
#include <string>

#include "response_cases.h"

namespace {

using response_cases::Accepted;
using response_cases::check_refused;
using response_cases::ResponseFraming;
using response_cases::with_fields;
using sluice::ErrorCode;

constexpr ResponseFraming kNone = ResponseFraming::none;
constexpr ResponseFraming kLength = ResponseFraming::length;
constexpr ResponseFraming kChunked = ResponseFraming::chunked;
constexpr ResponseFraming kUntilClose = ResponseFraming::until_close;

void refuse(std::string_view fields) {
  check_refused(with_fields(fields), ErrorCode::bad_upstream_framing);
}

std::string with_status(std::string_view status, std::string_view fields) {
  return "HTTP/1.1 " + std::string(status) + " X\r\n" + std::string(fields) + "\r\n";
}

std::string old_version(std::string_view fields) {
  return "HTTP/1.0 200 OK\r\n" + std::string(fields) + "\r\n";
}

}  // namespace

TEST(response_framing_follows_status_and_fields) {
  struct Case {
    const char* status;
    const char* fields;
    ResponseFraming framing;
  };
  const Case cases[] = {
      {"200", "", kUntilClose},
      {"200", "Content-Length: 0\r\n", kLength},
      {"200", "Content-Length: 12\r\n", kLength},
      {"200", "Transfer-Encoding: chunked\r\n", kChunked},
      {"200", "transfer-encoding:\tCHUNKED \r\n", kChunked},
      {"205", "", kUntilClose},
      {"206", "Content-Length: 5\r\n", kLength},
      {"500", "Transfer-Encoding: chunked\r\n", kChunked},
      {"100", "", kNone},
      {"101", "", kNone},
      {"103", "Content-Length: 5\r\n", kNone},
      {"204", "", kNone},
      {"204", "Content-Length: 5\r\n", kNone},
      {"304", "", kNone},
      {"304", "Content-Length: 5\r\n", kNone},
      {"304", "Transfer-Encoding: chunked\r\n", kNone},
  };
  for (const Case& one : cases) {
    const std::string input = with_status(one.status, one.fields);
    CHECK_EQ(Accepted(input)->framing, one.framing);
    CHECK_EQ(Accepted(input, true)->framing, kNone);
  }
}

TEST(response_lengths_are_digits) {
  CHECK_EQ(Accepted(with_fields("Content-Length: 9223372036854775807\r\n"))->content_length,
           9223372036854775807u);
  CHECK_EQ(Accepted(with_fields("Content-Length: 0012\r\n"))->content_length, 12u);
  CHECK_EQ(Accepted(with_fields("Content-Length: 12\r\n"), true)->content_length, 12u);
  CHECK_EQ(Accepted(with_fields(""))->content_length, 0u);
  for (const char* text : {"", "-1", "+1", "0x10", "1 2", "5, 5", "1.0", "a", "\"1\"",
                           "9223372036854775808", "18446744073709551616", "1\xa0"}) {
    refuse("Content-Length: " + std::string(text) + "\r\n");
  }
}

TEST(response_framing_that_two_could_read_differently_is_refused) {
  refuse("Content-Length: 1\r\nContent-Length: 2\r\n");
  refuse("Content-Length: 1\r\ncontent-length: 1\r\n");
  refuse("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
  refuse("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 5\r\n");
  for (const char* text :
       {"", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "chunked;a=b",
        "xchunked", "chunkedx", ",chunked", "chunked,", "\"chunked\"",
        "chunked\r\nTransfer-Encoding: chunked", "gzip\r\nTransfer-Encoding: chunked"}) {
    refuse("Transfer-Encoding: " + std::string(text) + "\r\n");
  }
}

TEST(transfer_encoding_is_refused_where_it_cannot_be) {
  constexpr ErrorCode kWrong = ErrorCode::bad_upstream_framing;
  check_refused(old_version("Transfer-Encoding: chunked\r\n"), kWrong);
  for (const char* status : {"100", "101", "103", "204"}) {
    check_refused(with_status(status, "Transfer-Encoding: chunked\r\n"), kWrong);
  }
}

TEST(interim_responses_are_1xx_but_101) {
  for (const char* status : {"100", "102", "103", "199"}) {
    CHECK(Accepted(with_status(status, ""))->is_interim);
  }
  for (const char* status : {"101", "200", "304", "404"}) {
    CHECK(!Accepted(with_status(status, ""))->is_interim);
  }
}

TEST(upstream_connections_persist_by_version_options_and_framing) {
  const std::string length = "Content-Length: 1\r\n";
  const auto keeps = [](const std::string& input) { return Accepted(input)->keep_alive; };
  CHECK(keeps(with_fields(length)));
  CHECK(keeps(with_fields("Transfer-Encoding: chunked\r\n")));
  CHECK(keeps(with_status("204", "")));
  CHECK(!keeps(with_fields("")));  // ends with the connection
  CHECK(!keeps(with_fields(length + "Connection: close\r\n")));
  CHECK(!keeps(with_fields(length + "Connection: x, ,CLOSE\t,\r\n")));
  CHECK(!keeps(with_fields(length + "Connection: keep-alive\r\nConnection: close\r\n")));
  CHECK(keeps(with_fields(length + "Connection: closed\r\n")));
  CHECK(keeps(with_fields(length + "Connection:\r\n")));
  CHECK(!keeps(old_version(length)));
  CHECK(keeps(old_version(length + "Connection: Keep-Alive\r\n")));
  CHECK(!keeps(old_version("Connection: keep-alive\r\n")));
  CHECK(!keeps(old_version(length + "Keep-Alive: timeout=5\r\n")));
}

TEST(keep_alive_timeouts_are_read) {
  const std::pair<const char*, int32_t> cases[] = {
      {"timeout=5", 5},
      {"timeout=5, max=100", 5},
      {"max=100,TimeOut=60", 60},
      {"timeout=0", 0},
      {"timeout=007", 7},
      {"timeout=99999999999", 1'000'000},
      {"timeout=", -1},
      {"timeout", -1},
      {"timeout=-5", -1},
      {"timeout=5s", -1},
      {"timeout = 5", -1},
      {"timeout=99999999999999999999", -1},
      {"", -1},
      {"115", -1},
      {"timeout=9\r\nKeep-Alive: timeout=3", 3},
      {"timeout=3\r\nKeep-Alive: timeout=9", 3},
      {"timeout=3\r\nKeep-Alive: max=9", 3},
  };
  for (const auto& [value, seconds] : cases) {
    const Accepted head(with_fields("Keep-Alive: " + std::string(value) + "\r\n"));
    CHECK_EQ(head->keep_alive_timeout_s, seconds);
  }
  CHECK_EQ(Accepted(with_fields(""))->keep_alive_timeout_s, -1);
}

TEST(responses_upgrade_with_both_fields_in_http_1_1) {
  const std::string both = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
  CHECK(Accepted(with_status("101", both))->has_upgrade);
  CHECK(!Accepted(with_status("101", "Upgrade: websocket\r\n"))->has_upgrade);
  CHECK(!Accepted(with_status("101", "Connection: upgrade\r\n"))->has_upgrade);
  CHECK(!Accepted(with_status("101", "Connection: upgrade\r\nUpgrade:\r\n"))->has_upgrade);
  CHECK(!Accepted("HTTP/1.0 101 X\r\n" + both + "\r\n")->has_upgrade);
}
