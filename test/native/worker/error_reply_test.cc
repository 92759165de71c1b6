// The responses that the core gives on its own: complete, for every error that has a status, and
// free of anything that a client sent.
#include "worker/error_reply.h"

#include <string>

#include "http/response_head.h"
#include "testing.h"

namespace {

using sluice::error_info;
using sluice::ErrorCode;
using sluice::ErrorInfo;
using sluice::worker::error_reply;

TEST(every_error_with_a_status_has_a_response_that_is_framed_right) {
  for (size_t i = 0; i < static_cast<size_t>(ErrorCode::count_); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const ErrorInfo& info = error_info(code);
    if (info.status == 0) continue;
    const testing::Context context{std::string(info.name)};
    const auto& reply = error_reply(code);
    std::string line;
    sluice::http::append_status_line(line, info.status);
    CHECK(reply.head.starts_with(line));
    CHECK(reply.head.ends_with("\r\n") && !reply.head.ends_with("\r\n\r\n"));
    REQUIRE(reply.body);
    const std::string& text = reply.body->bytes;
    const std::string length = "Content-Length: " + std::to_string(text.size()) + "\r\n";
    CHECK(reply.head.find(length) != std::string::npos);
    CHECK(text.starts_with(std::to_string(info.status)) && text.ends_with("\n"));
    CHECK(text.find(info.meaning) != std::string::npos);
    CHECK(reply.head.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
    CHECK_EQ(reply.head.find("Retry-After: ") != std::string::npos, info.status == 503);
  }
}

TEST(error_without_a_status_has_no_response) {
  CHECK(error_reply(ErrorCode::client_gone).head.empty());
  CHECK(!error_reply(ErrorCode::idle_timeout).body);
}

TEST(response_of_an_error_is_made_once) {
  CHECK_EQ(&error_reply(ErrorCode::no_route), &error_reply(ErrorCode::no_route));
}

}  // namespace
