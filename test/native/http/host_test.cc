// Host and other authorities: what an http URI can have as its authority, and nothing else.
#include "http/host.h"

#include <string>

#include "head_cases.h"

namespace {

using head_cases::Accepted;
using head_cases::check_refused;
using sluice::ErrorCode;
using sluice::http::Authority;
using sluice::http::is_ipv6_address;
using sluice::http::parse_authority;

std::string with_host(std::string_view host) {
  return "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
}

struct Good {
  std::string_view text;
  std::string_view host;
  std::string_view port;
};

}  // namespace

TEST(host_splits_into_host_and_port) {
  const Good cases[] = {
      {"a", "a", ""},
      {"Example.COM", "Example.COM", ""},
      {"example.com:80", "example.com", "80"},
      {"example.com:", "example.com", ""},
      {"example.com.:65535", "example.com.", "65535"},
      {"127.0.0.1:8080", "127.0.0.1", "8080"},
      {"256.1.1.1", "256.1.1.1", ""},
      {"[::1]", "[::1]", ""},
      {"[2001:db8::1]:443", "[2001:db8::1]", "443"},
      {"xn--bcher-kva.example:0", "xn--bcher-kva.example", "0"},
      {"under_score-~.example", "under_score-~.example", ""},
      {"a!$&'()*+,;=b", "a!$&'()*+,;=b", ""},
      {"a%20b", "a%20b", ""},
      {"a:00080", "a", "00080"},
  };
  for (const Good& one : cases) {
    Authority authority;
    CHECK(parse_authority(one.text, authority));
    CHECK_EQ(authority.host, one.host);
    CHECK_EQ(authority.port, one.port);
    const Accepted head(with_host(one.text));
    CHECK_EQ(head->host, one.host);
    CHECK_EQ(head->port, one.port);
  }
}

TEST(host_refuses_what_no_http_uri_has) {
  for (const char* text : {"",
                           ":",
                           ":80",
                           "a:b",
                           "a:-1",
                           "a:65536",
                           "a:000080",
                           "a:80:80",
                           "a b",
                           "a/b",
                           "a?b",
                           "a#b",
                           "a@b",
                           "user@a",
                           "user:p@a:80",
                           "http://a",
                           "a\\b",
                           "[",
                           "]",
                           "[]",
                           "[::1",
                           "::1",
                           "[::1]a",
                           "[::1]80",
                           "[[::1]]",
                           "[::1%25eth0]",
                           "[v1.a]",
                           "[127.0.0.1]",
                           "a%2",
                           "a%",
                           "a%zz",
                           "a\"b",
                           "a<b",
                           "a^b",
                           "a`b",
                           "a{b}",
                           "a|b",
                           "\xc3\xa4.example",
                           "a\x80",
                           "a, b",
                           "a\tb",
                           "*:*"}) {
    check_refused(with_host(text), ErrorCode::bad_host);
  }
}

TEST(host_is_read_no_further_than_it_goes) {
  Authority authority;
  const std::string_view text = "a%2f:80";
  CHECK(!parse_authority(text.substr(0, 3), authority));
  CHECK(!parse_authority(text.substr(0, 2), authority));
  CHECK(parse_authority(text.substr(0, 6), authority));
  CHECK_EQ(authority.port, "8");
}

TEST(host_is_there_once) {
  check_refused("GET / HTTP/1.1\r\n\r\n", ErrorCode::missing_host);
  check_refused("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", ErrorCode::missing_host);
  check_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", ErrorCode::bad_host);
  check_refused("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n", ErrorCode::bad_host);
  check_refused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", ErrorCode::bad_host);
  check_refused("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", ErrorCode::bad_host);
  CHECK_EQ(Accepted("GET / HTTP/1.0\r\n\r\n")->host, "");
  CHECK_EQ(Accepted("GET / HTTP/1.0\r\nHost: a:1\r\n\r\n")->port, "1");
}

TEST(ipv6_address_follows_the_grammar) {
  for (const char* text :
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8",
        "1:2:3:4:5:6:1.2.3.4", "::1.2.3.4", "::ffff:255.255.255.255", "64:ff9b::0.0.0.0",
        "ABCD:ef01::", "1:2:3:4:5::1.2.3.4"}) {
    const testing::Context context(text);
    CHECK(is_ipv6_address(text));
  }
  for (const char* text : {"",
                           ":",
                           ":::",
                           "1",
                           "1:",
                           ":1",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1::",
                           "1::2::3",
                           "12345::",
                           "g::",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "1.2.3.4",
                           "::1.2.3",
                           "::1.2.3.256",
                           "::1.2.3.04",
                           "::1.2.3.4.5",
                           "::1.2.3.4:1",
                           "1.2.3.4::",
                           "::1 ",
                           "::%eth0",
                           "1:2:3:4:5:6::1.2.3.4:",
                           "0:0:0:0:0:0:0:0:",
                           "::-1"}) {
    const testing::Context context(text);
    CHECK(!is_ipv6_address(text));
  }
}
