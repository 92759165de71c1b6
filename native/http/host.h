// The authority of a request: uri-host [ ":" port ] (RFC 3986 §3.2, RFC 9110 §7.2), as it stands in
// a Host field, in an absolute-form target and in CONNECT. Bytes only, any thread, no allocation.
#pragma once

#include <string_view>

namespace sluice::http {

struct Authority {
  std::string_view host;  ///< case kept; an IPv6 address with its brackets
  std::string_view port;  ///< digits, at most 65535; empty when absent or nothing after the colon
};

/// Splits and checks `text`; false when it is no authority that an http URI can have: userinfo, an
/// empty host, a character that needs escaping, a bad port or a bad IPv6 address.
bool parse_authority(std::string_view text, Authority& authority);

/// IPv6address (RFC 3986 §3.2.2) without brackets and without a zone.
bool is_ipv6_address(std::string_view text);

}  // namespace sluice::http
