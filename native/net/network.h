// A range of addresses, as 'trustedProxies' names them: "10.0.0.0/8". Plain data, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/address_counts.h"

namespace sluice::net {

/// IPv4 ones are mapped into IPv6, as to_key() does with addresses.
struct Network {
  AddressKey first{};  ///< bits beyond the prefix are zero
  uint8_t bits = 0;    ///< of the 128
  bool contains(const AddressKey& address) const;
};

/// "address/bits"; false when it is no such text.
bool parse_network(std::string_view text, Network& result);

}  // namespace sluice::net
