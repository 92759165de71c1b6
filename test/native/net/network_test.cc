// Ranges of addresses: what is one, and what is in it.
#include "net/network.h"

#include <string>

#include "net/address.h"
#include "testing.h"

namespace sluice::net {
namespace {

AddressKey key_of(const std::string& host) {
  SocketAddress address;
  to_socket_address({host, 0, ""}, address);
  return to_key(address.storage);
}

bool is_in(const char* network, const char* host) {
  Network parsed;
  return parse_network(network, parsed) && parsed.contains(key_of(host));
}

TEST(network_contains_what_shares_its_prefix) {
  CHECK(is_in("10.0.0.0/8", "10.255.1.2"));
  CHECK(!is_in("10.0.0.0/8", "11.0.0.0"));
  CHECK(is_in("10.1.2.3/8", "10.9.9.9"));
  CHECK(is_in("192.168.4.0/22", "192.168.7.255"));
  CHECK(!is_in("192.168.4.0/22", "192.168.8.0"));
  CHECK(is_in("127.0.0.1/32", "127.0.0.1"));
  CHECK(!is_in("127.0.0.1/32", "127.0.0.2"));
  CHECK(is_in("0.0.0.0/0", "8.8.8.8"));
  CHECK(!is_in("0.0.0.0/0", "2001:db8::1"));
  CHECK(is_in("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK(!is_in("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(is_in("2001:db8:0:1::/64", "2001:db8:0:1:ffff::"));
  CHECK(!is_in("2001:db8:0:1::/64", "2001:db8:0:2::"));
  CHECK(is_in("2001:db8::8/125", "2001:db8::f"));
  CHECK(!is_in("2001:db8::8/125", "2001:db8::10"));
  CHECK(is_in("::1/128", "::1"));
}

TEST(network_of_mapped_addresses_is_the_ipv4_one) {
  CHECK(is_in("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK(is_in("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST(network_never_contains_a_unix_socket) {
  Network all;
  CHECK(parse_network("::/0", all));
  CHECK(!all.contains(AddressKey{}));
  CHECK(all.contains(key_of("2001:db8::1")));
}

TEST(network_text_that_is_none) {
  Network network;
  for (const char* text : {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0/8",
                           "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/8/8", "host/8", "10.0.0.0/ 8"}) {
    CHECK(!parse_network(text, network));
  }
}

}  // namespace
}  // namespace sluice::net
