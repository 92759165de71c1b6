// Which fields pass to the next hop, and which trailers.
#include "http/hop_by_hop.h"

#include <string>

#include "head_cases.h"
#include "http/fields.h"
#include "http/response_parser.h"
#include "response_cases.h"

namespace {

using sluice::http::forwards_trailer;
using sluice::http::HopByHop;

/// Names of those that pass, each with a space behind it.
template <typename Head>
std::string passing(const Head& head) {
  const HopByHop hop(head);
  std::string names;
  for (size_t i = 0; i < head.field_count; ++i) {
    if (hop.forwards(head.fields[i])) names.append(head.fields[i].name).append(" ");
  }
  return names;
}

std::string of_request(std::string_view fields) {
  return passing(*head_cases::Accepted(head_cases::with_fields(fields)));
}

std::string of_response(std::string_view fields) {
  return passing(*response_cases::Accepted(response_cases::with_fields(fields)));
}

}  // namespace

TEST(fields_of_the_connection_do_not_pass) {
  CHECK_EQ(of_request("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n"
                      "TE: trailers\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nA: b\r\n"),
           "Host A ");
  CHECK_EQ(of_response("CONNECTION: Upgrade\r\nUPGRADE: x\r\nkeep-alive: max=1\r\nA: b\r\n"), "A ");
  CHECK_EQ(of_request("A: b\r\nAccept: c\r\nTrailer: d\r\n"), "Host A Accept Trailer ");
}

TEST(credentials_for_proxies_and_what_cgi_takes_for_one_do_not_pass) {
  CHECK_EQ(of_request("Proxy-Authorization: Basic eA==\r\nproxy: http://evil.example\r\n"
                      "Authorization: Basic eA==\r\nProxy-Other: x\r\n"),
           "Host Authorization Proxy-Other ");
  CHECK_EQ(of_response("Proxy-Authenticate: Basic\r\nWWW-Authenticate: Basic\r\n"),
           "WWW-Authenticate ");
}

TEST(fields_that_connection_names_do_not_pass) {
  CHECK_EQ(
      of_request("X-One: 1\r\nX-Two: 2\r\nConnection: close, x-ONE ,,\"X-Two\"\r\nX-One: 3\r\n"),
      "Host X-Two ");
  CHECK_EQ(of_request("Connection: a\r\nConnection: b\r\nA: 1\r\nB: 2\r\nAB: 3\r\n"), "Host AB ");
  CHECK_EQ(of_request("Connection: accept, user-agent\r\nAccept: 1\r\nUser-Agent: 2\r\nA: 3\r\n"),
           "Host A ");
  CHECK_EQ(of_response("X-Internal: 1\r\nServer: x\r\nConnection: x-internal\r\n"), "Server ");
  CHECK_EQ(of_request("Connection:\r\nA: b\r\n"), "Host A ");
}

TEST(fields_whose_loss_changes_the_message_pass_although_connection_names_them) {
  for (const char* name :
       {"Authorization", "Cookie", "X-Forwarded-For", "x-forwarded-custom", "Forwarded", "Range",
        "If-Match", "If-Unmodified-Since", "Content-Type", "Content-Encoding", "Cache-Control",
        "Origin", "Via", "X-Request-Id", "X-Real-IP", "Sec-WebSocket-Key"}) {
    const std::string fields =
        "Connection: " + std::string(name) + "\r\n" + std::string(name) + ": x\r\n";
    CHECK_EQ(of_request(fields), "Host " + std::string(name) + " ");
  }
  CHECK_EQ(of_request("Connection: host, content-length\r\nContent-Length: 1\r\n"),
           "Host Content-Length ");
  CHECK_EQ(of_response("Connection: set-cookie\r\nSet-Cookie: a=b\r\n"), "Set-Cookie ");
}

TEST(trailers_that_frame_route_or_authenticate_do_not_pass) {
  const auto passes = [](std::string_view name) {
    return forwards_trailer({name, "x", sluice::http::field_id(name)});
  };
  for (const char* name : {"Transfer-Encoding",
                           "Content-Length",
                           "Content-Type",
                           "Content-Encoding",
                           "Content-Range",
                           "Host",
                           "Trailer",
                           "TE",
                           "Connection",
                           "Upgrade",
                           "Keep-Alive",
                           "Authorization",
                           "Cookie",
                           "set-cookie",
                           "WWW-Authenticate",
                           "Proxy-Authorization",
                           "Cache-Control",
                           "Range",
                           "If-None-Match",
                           "Location",
                           "Date",
                           "Vary",
                           "Expect",
                           "X-Forwarded-For",
                           "Forwarded",
                           "Via",
                           "X-Accel-Redirect",
                           "Access-Control-Allow-Origin"}) {
    const testing::Context context(name);
    CHECK(!passes(name));
  }
  for (const char* name : {"grpc-status", "Server-Timing", "Digest", "Content-Digest",
                           "Content-MD5", "ETag", "X-Checksum"}) {
    const testing::Context context(name);
    CHECK(passes(name));
  }
}

TEST(connection_may_name_any_number_of_fields) {
  std::string options;
  for (int i = 0; i < 40; ++i) options += "x" + std::to_string(i) + ", ";
  CHECK_EQ(of_request("Connection: a\r\nConnection: " + options +
                      "cookie\r\nX0: a\r\nX39: b\r\nX40: c\r\nCookie: d\r\n"),
           "Host X40 Cookie ");
}
