// Framing and connection fields of requests: whatever two recipients could frame differently is
// refused. Every input also runs at every split point (head_cases.h).
#include <string>

#include "head_cases.h"
#include "http/framing.h"

namespace {

using head_cases::Accepted;
using head_cases::check_refused;
using head_cases::with_fields;
using sluice::ErrorCode;
using sluice::http::Framing;

void refuse(std::string_view fields, ErrorCode error) { check_refused(with_fields(fields), error); }

std::string old_version(std::string_view fields) {
  return "GET / HTTP/1.0\r\n" + std::string(fields) + "\r\n";
}

}  // namespace

TEST(framing_is_none_without_fields) {
  const Accepted head(with_fields(""));
  CHECK_EQ(head->framing, Framing::none);
  CHECK_EQ(head->content_length, 0u);
}

TEST(content_length_is_digits) {
  const std::pair<const char*, uint64_t> lengths[] = {
      {"0", 0},
      {"1", 1},
      {"007", 7},
      {"4294967296", 4294967296u},
      {"9223372036854775807", 9223372036854775807u},
      {"00000000000000000000000000000000000012", 12},
  };
  for (const auto& [text, value] : lengths) {
    const Accepted head(with_fields("Content-Length: " + std::string(text) + " \r\n"));
    CHECK_EQ(head->framing, Framing::length);
    CHECK_EQ(head->content_length, value);
  }
}

TEST(content_length_refuses_all_else) {
  for (const char* text :
       {"", "-1", "+1", "0x10", "1 2", "1,1", "5, 5", "1.0", "1e3", "a", "9223372036854775808",
        "18446744073709551616", "99999999999999999999", "\"1\"", "1;", "1\xa0", "\xd9\xa1"}) {
    refuse("Content-Length: " + std::string(text) + "\r\n", ErrorCode::bad_content_length);
  }
  refuse("Content-Length: 1\r\nContent-Length: 2\r\n", ErrorCode::bad_content_length);
  refuse("Content-Length: 1\r\ncontent-length: 1\r\n", ErrorCode::bad_content_length);
}

TEST(transfer_encoding_is_chunked_and_nothing_else) {
  for (const char* text : {"chunked", "Chunked", "CHUNKED", " \tchunked\t "}) {
    const Accepted head(with_fields("Transfer-Encoding:" + std::string(text) + "\r\n"));
    CHECK_EQ(head->framing, Framing::chunked);
  }
  for (const char* text : {"gzip", "identity", "gzip, chunked", "gzip,chunked", "xchunked",
                           "chunkedx", "x;chunked", "gzip\r\nTransfer-Encoding: chunked"}) {
    refuse("Transfer-Encoding: " + std::string(text) + "\r\n", ErrorCode::unknown_transfer_coding);
  }
  for (const char* text :
       {"", ",", "chunked,", ",chunked", "chunked, chunked", "chunked, gzip", "chunked;a=b",
        "chunked ;a", "chunked chunked", "\"chunked\"", "chu\x80nked",
        "chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity",
        "chunked\r\nTransfer-Encoding:"}) {
    refuse("Transfer-Encoding: " + std::string(text) + "\r\n", ErrorCode::bad_transfer_encoding);
  }
  refuse(
      "Transfer-Encoding: \x0b"
      "chunked\r\n",
      ErrorCode::bad_field_value);
  refuse("Transfer-Encoding : chunked\r\n", ErrorCode::bad_field_name);
  refuse("Transfer-Encoding:\r\n chunked\r\n", ErrorCode::bad_transfer_encoding);
}

TEST(transfer_encoding_without_a_value_is_never_chunked) {
  bool chunked = false;
  CHECK_EQ(sluice::http::parse_transfer_encoding({}, chunked), ErrorCode::bad_transfer_encoding);
  CHECK(!chunked);
}

TEST(transfer_encoding_is_refused_in_http_1_0) {
  check_refused(old_version("Transfer-Encoding: chunked\r\n"), ErrorCode::bad_transfer_encoding);
}

TEST(framing_refuses_length_with_chunked) {
  refuse("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ErrorCode::length_with_chunked);
  refuse("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", ErrorCode::length_with_chunked);
  refuse("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 0\r\n",
         ErrorCode::length_with_chunked);
}

TEST(connection_persists_by_version_and_options) {
  const auto keeps = [](const std::string& input) { return Accepted(input)->keep_alive; };
  CHECK(keeps(with_fields("")));
  CHECK(!keeps(with_fields("Connection: close\r\n")));
  CHECK(!keeps(with_fields("Connection: CLOSE\r\n")));
  CHECK(!keeps(with_fields("Connection: x, ,close\t,\r\n")));
  CHECK(!keeps(with_fields("Connection: keep-alive\r\nConnection: close\r\n")));
  CHECK(!keeps(with_fields("Connection: close, keep-alive\r\n")));
  CHECK(keeps(with_fields("Connection: closed\r\n")));
  CHECK(keeps(with_fields("Connection: \"close\"\r\n")));
  CHECK(keeps(with_fields("Connection:\r\n")));
  CHECK(keeps(with_fields("Proxy-Connection: close\r\n")));
  CHECK(!keeps(old_version("")));
  CHECK(keeps(old_version("Connection: Keep-Alive\r\n")));
  CHECK(!keeps(old_version("Connection: keep-alive, close\r\n")));
  CHECK(!keeps(old_version("Keep-Alive: timeout=5\r\n")));
}

TEST(upgrade_needs_both_fields_and_http_1_1) {
  const auto upgrades = [](const std::string& input) { return Accepted(input)->has_upgrade; };
  CHECK(upgrades(with_fields("Connection: Upgrade\r\nUpgrade: websocket\r\n")));
  CHECK(upgrades(with_fields("Upgrade: x\r\nConnection: keep-alive, upgrade\r\n")));
  CHECK(!upgrades(with_fields("Upgrade: websocket\r\n")));
  CHECK(!upgrades(with_fields("Connection: upgrade\r\n")));
  CHECK(!upgrades(with_fields("Connection: upgrade\r\nUpgrade:\r\n")));
  CHECK(!upgrades(old_version("Connection: upgrade\r\nUpgrade: websocket\r\n")));
}

TEST(expect_is_100_continue_when_content_is_to_come) {
  const auto expects = [](const std::string& input) { return Accepted(input)->expect_continue; };
  CHECK(expects(with_fields("Expect: 100-continue\r\nContent-Length: 1\r\n")));
  CHECK(expects(with_fields("Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n")));
  CHECK(!expects(with_fields("Expect: 100-continue\r\n")));
  CHECK(!expects(with_fields("Expect: 100-continue\r\nContent-Length: 0\r\n")));
  CHECK(!expects(old_version("Expect: 100-continue\r\nContent-Length: 1\r\n")));
  for (const char* text : {"", "200-ok", "100-continue, x", "100-continued", "100-continue;a"}) {
    refuse("Expect: " + std::string(text) + "\r\n", ErrorCode::unsupported_expectation);
  }
}
