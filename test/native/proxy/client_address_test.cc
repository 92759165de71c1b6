// Who a request is from when trusted proxies speak for somebody: the walk over X-Forwarded-For.
#include "proxy/client_address.h"

#include <string>

#include "http/request_parser.h"
#include "net/address.h"
#include "testing.h"

namespace {

using sluice::AddressKey;
using sluice::net::Network;

std::vector<Network> networks() {
  std::vector<Network> trusted;
  for (const char* text : {"10.0.0.0/8", "127.0.0.1/32", "2001:db8:1::/48"}) {
    Network network;
    CHECK(sluice::net::parse_network(text, network));
    trusted.push_back(network);
  }
  return trusted;
}

/// As text, when 10.0.0.1 asks with these fields.
std::string client_of(std::string_view fields) {
  const std::string input = "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
  sluice::http::RequestHead head;
  const auto result = sluice::http::parse_request(input, 0, {}, head);
  CHECK_EQ(result.status, sluice::http::ParseStatus::ok);
  AddressKey peer;
  CHECK(sluice::net::parse_address("10.0.0.1", peer));
  char text[sluice::net::kAddressBytes];
  const AddressKey client = sluice::proxy::client_of(head, peer, networks());
  return std::string(text, sluice::net::write_address(client, text));
}

std::string for_(std::string_view value) {
  return client_of("X-Forwarded-For: " + std::string(value) + "\r\n");
}

}  // namespace

TEST(the_client_is_the_last_that_is_not_trusted) {
  CHECK_EQ(client_of(""), "10.0.0.1");
  CHECK_EQ(for_("203.0.113.7"), "203.0.113.7");
  CHECK_EQ(for_("203.0.113.7, 10.1.1.1"), "203.0.113.7");
  CHECK_EQ(for_("1.2.3.4, 203.0.113.7,10.1.1.1 , 10.2.2.2"), "203.0.113.7");
  CHECK_EQ(for_("203.0.113.7, 2001:db8:1::5"), "203.0.113.7");
  CHECK_EQ(for_("203.0.113.7, 2001:db8:2::5"), "2001:db8:2::5");
  CHECK_EQ(for_("203.0.113.7, ::ffff:10.9.9.9"), "203.0.113.7");
  // All are proxies: the one that is farthest away.
  CHECK_EQ(for_("10.3.3.3, 10.2.2.2"), "10.3.3.3");
}

TEST(several_fields_are_one_list) {
  CHECK_EQ(client_of("X-Forwarded-For: 1.2.3.4\r\nA: b\r\nx-forwarded-for: 10.1.1.1\r\n"),
           "1.2.3.4");
  CHECK_EQ(client_of("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n"), "5.6.7.8");
}

TEST(addresses_may_have_ports_and_brackets) {
  CHECK_EQ(for_("203.0.113.7:4711"), "203.0.113.7");
  CHECK_EQ(for_("[2001:db8::7]"), "2001:db8::7");
  CHECK_EQ(for_("[2001:db8::7]:4711"), "2001:db8::7");
  CHECK_EQ(for_("2001:db8::7"), "2001:db8::7");
}

TEST(what_is_no_address_ends_the_walk) {
  for (const char* text : {"",
                           "unknown",
                           "_hidden",
                           "203.0.113",
                           "203.0.113.7.8",
                           "203.0.113.256",
                           "203.0.113.7:",
                           "203.0.113.7:x",
                           "203.0.113.7:123456",
                           "203.0.113.7 x",
                           "[2001:db8::7",
                           "[203.0.113.7]x",
                           "[2001:db8::7]4711",
                           "[2001:db8::7]:",
                           "2001:db8::7%eth0",
                           "fe80::1::2",
                           "\"203.0.113.7\"",
                           "for=203.0.113.7",
                           "0x7f.1",
                           "localhost",
                           "[]",
                           "\xff"}) {
    const testing::Context context(text);
    CHECK_EQ(for_(text), "10.0.0.1");
    CHECK_EQ(for_("203.0.113.9, " + std::string(text) + ", 10.5.5.5"), "10.5.5.5");
  }
}
