// What the next hop is told of who asked.
#include "http/forwarded.h"

#include <string>

#include "head_cases.h"

namespace {

using head_cases::Accepted;
using head_cases::with_fields;
using sluice::http::append_forwarded;
using sluice::http::append_via;
using sluice::http::append_x_forwarded;
using sluice::http::Hop;

const std::string kClaims =
    "X-Forwarded-For: 203.0.113.7\r\nx-forwarded-for: 203.0.113.8, 198.51.100.1\r\n"
    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example\r\nX-Forwarded-Port: 8443\r\n"
    "Forwarded: for=203.0.113.7;proto=https\r\nForwarded: for=\"[2001:db8::9]:4711\"\r\n";

Hop hop_of(std::string_view client) {
  Hop hop;
  hop.client = client;
  hop.host = "www.example.com";
  return hop;
}

std::string x_forwarded(const Hop& hop, const std::string& fields = "") {
  std::string out;
  append_x_forwarded(*Accepted(with_fields(fields)), hop, out);
  return out;
}

std::string forwarded(const Hop& hop, const std::string& fields = "") {
  std::string out;
  append_forwarded(*Accepted(with_fields(fields)), hop, out);
  return out;
}

std::string via(const std::string& input) {
  std::string out;
  append_via(*Accepted(input), out);
  return out;
}

}  // namespace

TEST(x_forwarded_tells_address_scheme_host_and_port) {
  CHECK_EQ(x_forwarded(hop_of("192.0.2.1")),
           "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
           "X-Forwarded-Host: www.example.com\r\nX-Forwarded-Port: 80\r\n");
  Hop hop = hop_of("2001:db8::1");
  hop.is_secure = true;
  CHECK_EQ(x_forwarded(hop),
           "X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: https\r\n"
           "X-Forwarded-Host: www.example.com\r\nX-Forwarded-Port: 443\r\n");
}

TEST(x_forwarded_port_is_that_of_the_listener_unless_the_host_names_one) {
  Hop hop = hop_of("192.0.2.1");
  hop.local_port = 8080;
  CHECK(x_forwarded(hop).ends_with("X-Forwarded-Port: 8080\r\n"));
  hop.port = "81";
  CHECK(x_forwarded(hop).ends_with("X-Forwarded-Port: 81\r\n"));
}

TEST(x_forwarded_host_is_what_the_client_wrote_with_its_port) {
  Hop hop = hop_of("192.0.2.1");
  hop.port = "8080";
  CHECK_EQ(x_forwarded(hop),
           "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
           "X-Forwarded-Host: www.example.com:8080\r\nX-Forwarded-Port: 8080\r\n");
  hop.host = {};
  hop.port = {};
  CHECK_EQ(x_forwarded(hop),
           "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n");
}

TEST(claims_are_continued_when_the_peer_is_trusted_and_replaced_otherwise) {
  Hop hop = hop_of("10.0.0.1");
  CHECK_EQ(x_forwarded(hop, kClaims), x_forwarded(hop));
  CHECK_EQ(forwarded(hop, kClaims), forwarded(hop));
  hop.is_peer_trusted = true;
  CHECK_EQ(x_forwarded(hop, kClaims),
           "X-Forwarded-For: 203.0.113.7, 203.0.113.8, 198.51.100.1, 10.0.0.1\r\n"
           "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example\r\n"
           "X-Forwarded-Port: 8443\r\n");
  CHECK_EQ(forwarded(hop, kClaims),
           "Forwarded: for=203.0.113.7;proto=https, for=\"[2001:db8::9]:4711\", "
           "for=10.0.0.1;host=\"www.example.com\";proto=http\r\n");
  // What a trusted peer does not say is ours to say.
  CHECK_EQ(x_forwarded(hop), x_forwarded(hop_of("10.0.0.1")));
  CHECK_EQ(x_forwarded(hop, "X-Forwarded-For:\r\nX-Forwarded-Proto:\r\n"),
           x_forwarded(hop_of("10.0.0.1")));
}

TEST(forwarded_quotes_what_is_no_token) {
  Hop hop = hop_of("2001:db8::1");
  hop.is_secure = true;
  hop.port = "8443";
  CHECK_EQ(forwarded(hop),
           "Forwarded: for=\"[2001:db8::1]\";host=\"www.example.com:8443\";proto=https\r\n");
  hop = hop_of("unix:");
  hop.host = "[::1]";
  CHECK_EQ(forwarded(hop), "Forwarded: for=unknown;host=\"[::1]\";proto=http\r\n");
  hop.host = {};
  CHECK_EQ(forwarded(hop), "Forwarded: for=unknown;proto=http\r\n");
}

TEST(via_grows_at_its_end_whoever_sent_it) {
  CHECK_EQ(via(with_fields("")), "Via: 1.1 sluice\r\n");
  CHECK_EQ(via(with_fields("Via: 1.0 fred\r\nvia: 1.1 p.example (x)\r\n")),
           "Via: 1.0 fred, 1.1 p.example (x), 1.1 sluice\r\n");
  CHECK_EQ(via("GET / HTTP/1.0\r\n\r\n"), "Via: 1.0 sluice\r\n");
}
