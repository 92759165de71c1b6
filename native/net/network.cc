// Parsing and comparing ranges of addresses. Bits behind the prefix do not matter: "10.1.2.3/8" is
// 10.0.0.0/8. No allocation but for the text; any thread.
#include "net/network.h"

#include <charconv>
#include <string>

#include "net/address.h"

namespace sluice::net {
namespace {

constexpr unsigned kMappedBits = 96;  // ahead of an IPv4 address that is mapped into IPv6

AddressKey masked(const AddressKey& address, unsigned bits) {
  const uint64_t high = bits >= 64 ? ~0ULL : bits == 0 ? 0 : ~0ULL << (64 - bits);
  const uint64_t low = bits >= 128 ? ~0ULL : bits <= 64 ? 0 : ~0ULL << (128 - bits);
  return {address.high & high, address.low & low};
}

}  // namespace

bool Network::contains(const AddressKey& address) const {
  // All zero stands for a unix socket, which is in no network.
  return address != AddressKey{} && masked(address, bits) == first;
}

bool parse_network(std::string_view text, Network& result) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  SocketAddress address;
  if (to_socket_address({std::string(text.substr(0, slash)), 0, ""}, address) < 0) return false;
  const bool is_v4 = address.storage.ss_family == AF_INET;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  if (bits > (is_v4 ? 32U : 128U)) return false;
  if (is_v4) bits += kMappedBits;
  result.bits = static_cast<uint8_t>(bits);
  result.first = masked(to_key(address.storage), bits);
  return true;
}

}  // namespace sluice::net
