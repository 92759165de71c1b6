// Heads of responses: status line, fields and limits; framing is in response_framing_test.cc.
// Every input also runs at every split point (response_cases.h).
#include "http/response_parser.h"

#include <string>

#include "response_cases.h"

namespace {

using response_cases::Accepted;
using response_cases::check_refused;
using response_cases::HeadLimits;
using response_cases::with_fields;
using sluice::ErrorCode;
using sluice::http::FieldId;

void refuse_line(std::string_view line) {
  check_refused(std::string(line) + "\r\n\r\n", ErrorCode::bad_status_line);
}

void refuse_fields(std::string_view fields) {
  check_refused(with_fields(fields), ErrorCode::bad_upstream_field);
}

}  // namespace

TEST(status_lines_have_version_status_and_perhaps_a_reason) {
  struct Case {
    const char* line;
    uint8_t minor_version;
    uint16_t status;
    const char* reason;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK", 1, 200, "OK"},
      {"HTTP/1.0 404 Not Found", 0, 404, "Not Found"},
      {"HTTP/1.1 200 ", 1, 200, ""},
      {"HTTP/1.1 200", 1, 200, ""},  // the space is due, but some leave it out
      {"HTTP/1.2 599 x", 2, 599, "x"},
      {"HTTP/1.1 200  two\tparts ", 1, 200, " two\tparts "},
      {"HTTP/1.1 200 caf\xc3\xa9 \xff", 1, 200, "caf\xc3\xa9 \xff"},
      {"HTTP/1.1 100 Continue", 1, 100, "Continue"},
      {"HTTP/1.1 299 Odd", 1, 299, "Odd"},
  };
  for (const Case& one : cases) {
    const Accepted head(std::string(one.line) + "\r\n\r\nrest");
    CHECK_EQ(head->status, one.status);
    CHECK_EQ(head->reason, one.reason);
    CHECK_EQ(head->minor_version, one.minor_version);
    CHECK_EQ(head.size(), std::string_view(one.line).size() + 4);
    CHECK_EQ(head->field_count, 0);
  }
}

TEST(status_lines_that_are_malformed_are_refused) {
  for (const char* line : {"",
                           " HTTP/1.1 200 OK",
                           "http/1.1 200 OK",
                           "HTTP/2.0 200 OK",
                           "HTTP/2 200 OK",
                           "HTTP/11 200 OK",
                           "HTTP/1.x 200 OK",
                           "HTTP/1. 200 OK",
                           "HTTP/1.10 200 OK",
                           "ICY 200 OK",
                           "HTTP/1.1  200 OK",
                           "HTTP/1.1\t200 OK",
                           "HTTP/1.1200 OK",
                           "HTTP/1.1 20 OK",
                           "HTTP/1.1 2000 OK",
                           "HTTP/1.1 099 OK",
                           "HTTP/1.1 000 OK",
                           "HTTP/1.1 600 OK",
                           "HTTP/1.1 999 OK",
                           "HTTP/1.1 +20 OK",
                           "HTTP/1.1 2x0 OK",
                           "HTTP/1.1 200\tOK",
                           "HTTP/1.1 200OK",
                           "HTTP/1.1",
                           "HTTP/1.1 ",
                           "HTTP/1.1 200 O\x01K",
                           "HTTP/1.1 200 O\x7fK",
                           "GET / HTTP/1.1",
                           "hello",
                           "<html>"}) {
    refuse_line(line);
  }
  check_refused(std::string_view("HTTP/1.1 200 a\0b\r\n\r\n", 20), ErrorCode::bad_status_line);
}

TEST(status_lines_that_cannot_come_right_are_refused_at_once) {
  for (const char* input : {"X", "h", "HTTP/2", "HTTP/1.1 2x", "HTTP/1.1  ", "HTTP/1.1x", "\r\n",
                            "HTTP/1.1 700", "HTTP/1.1 2000", "HTTP/1.1 200 \x01"}) {
    check_refused(input, ErrorCode::bad_status_line);
  }
}

TEST(line_ends_of_responses_are_crlf) {
  for (const char* input : {"HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\rX: y\r\n\r\n",
                            "HTTP/1.1 200 OK\r\r\n\r\n", "HTTP/1.1 200\n\r\n"}) {
    check_refused(input, ErrorCode::bad_status_line);
  }
  for (const char* input :
       {"HTTP/1.1 200 OK\r\n\n", "HTTP/1.1 200 OK\r\n\rx", "HTTP/1.1 200 OK\r\nA: b\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n"}) {
    check_refused(input, ErrorCode::bad_upstream_field);
  }
}

TEST(fields_of_responses_are_as_strict_as_those_of_requests) {
  for (const char* fields :
       {"A : b\r\n", ": b\r\n", "A\r\n", "A b: c\r\n", "A\t: b\r\n", " A: b\r\n", "\tA: b\r\n",
        "A: b\r\n folded\r\n", "A: b\r\n\tfolded\r\n", "A: \x01\r\n", "A: b\x7f\r\n",
        "A: b\x0b\r\n", "A(: b\r\n", "A\xc3: b\r\n", "\"A\": b\r\n"}) {
    refuse_fields(fields);
  }
  refuse_fields(std::string_view("A: b\0c\r\n", 8));
  refuse_fields(std::string_view("A\0: b\r\n", 7));
}

TEST(fields_of_responses_are_kept_in_order_with_their_case) {
  const Accepted head(
      with_fields("Server: x\r\nset-cookie: a=1; Path=/\r\nSet-Cookie:b=2\r\nEmpty:\r\n"
                  "SERVER: y\r\nX-Note: \t caf\xe9 \t\r\nX-Accel-Redirect: /a\r\n"));
  CHECK_EQ(head->field_count, 7);
  CHECK_EQ(head->fields[1].name, "set-cookie");
  CHECK_EQ(head->fields[1].value, "a=1; Path=/");
  CHECK_EQ(head->fields[2].value, "b=2");
  CHECK_EQ(head->fields[3].value, "");
  CHECK_EQ(head->fields[5].value, "caf\xe9");
  CHECK_EQ(head->find(FieldId::x_accel_redirect), "/a");
  CHECK(head->find(FieldId::date).data() == nullptr);
}

TEST(response_heads_over_a_limit_are_refused) {
  HeadLimits limits;
  limits.head_bytes = 100;
  const std::string longest = with_fields("A: " + std::string(100 - 24, 'x') + "\r\n");
  CHECK_EQ(longest.size(), 100u);
  CHECK_EQ(Accepted(longest + "rest", false, limits).size(), 100u);
  const std::string longer = with_fields("A: " + std::string(100 - 23, 'x') + "\r\n");
  check_refused(longer, ErrorCode::upstream_head_too_large, limits);
  check_refused("HTTP/1.1 200 " + std::string(100, 'x'), ErrorCode::upstream_head_too_large,
                limits);
  limits = {};
  limits.fields = 3;
  CHECK_EQ(Accepted(with_fields("A: 1\r\nA: 2\r\nA: 3\r\n"), false, limits)->field_count, 3);
  check_refused(with_fields("A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n"), ErrorCode::upstream_head_too_large,
                limits);
}

TEST(a_response_head_is_two_megabytes_of_nothing) {
  check_refused(with_fields("A: " + std::string(3000, 'x') + "\r\n"),
                ErrorCode::upstream_head_too_large, {2000, 0, 100});
  // Not at every split point: too many.
  sluice::http::ResponseHead head;
  const std::string large = "HTTP/1.1 200 OK\r\nA: " + std::string(2 << 20, 'x');
  CHECK_EQ(sluice::http::parse_response(large, 0, {}, false, head).error,
           ErrorCode::upstream_head_too_large);
}
