// The PROXY protocol, versions 1 and 2 (haproxy.org, doc/proxy-protocol.txt): who a connection
// really is from, told by the load balancer in front ahead of everything else. Bytes only, any
// thread, no allocation but for what is built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/address_counts.h"

namespace sluice::http {

/// The longest header that is understood: version 1 has 107 bytes, version 2 a length field whose
/// TLVs are skipped up to this.
inline constexpr size_t kMaxProxyHeader = 4096;

/// One end of a connection.
struct ProxyEnd {
  AddressKey address;
  uint16_t port = 0;
};

struct ProxyHeader {
  enum class Status : uint8_t { ok, need_more, error };
  Status status = Status::need_more;
  size_t consumed = 0;       ///< when ok
  bool has_address = false;  ///< false: LOCAL, UNKNOWN or a family that is no IP: keep the peer's
  ProxyEnd source, destination;
};

/// Parses the header at the start of `input`, of either version.
ProxyHeader parse_proxy_header(std::string_view input);

/// Appends a header of `version` 1 or 2. Both ends all zero (unix sockets): "UNKNOWN" or LOCAL.
void append_proxy_header(int version, const ProxyEnd& source, const ProxyEnd& destination,
                         std::string& out);

}  // namespace sluice::http
