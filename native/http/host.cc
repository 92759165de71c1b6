// Checks authorities. Strict, since the host decides the route and the cache key here and again in
// whatever stands behind us: nothing that two readers could split differently gets through.
#include "http/host.h"

#include "http/chars.h"

namespace sluice::http {
namespace {

constexpr size_t kMaxGroups = 8;
constexpr size_t kMaxPortDigits = 5;
constexpr unsigned kMaxPort = 65535;

/// dec-octet (RFC 3986 §3.2.2): 0 to 255 without leading zeros. Takes it off `text`.
bool take_octet(std::string_view& text) {
  unsigned value = 0;
  size_t digits = 0;
  while (digits < text.size() && digits < 3 && is(kDigit, text[digits])) {
    value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
  }
  const bool leading_zero = digits > 1 && text[0] == '0';
  text.remove_prefix(digits);
  return digits > 0 && !leading_zero && value <= 255;
}

bool is_ipv4_address(std::string_view text) {
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (text.empty() || text[0] != '.') return false;
      text.remove_prefix(1);
    }
    if (!take_octet(text)) return false;
  }
  return text.empty();
}

/// Groups of `h16 *( ":" h16 )`, of which the last may be an IPv4 address (two groups) when
/// `with_ipv4`. False when malformed; an empty text has no groups.
bool count_groups(std::string_view text, bool with_ipv4, size_t& groups) {
  if (text.empty()) return true;
  while (true) {
    const size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && with_ipv4 && is_ipv4_address(group)) {
      groups += 2;
      return true;
    }
    if (group.empty() || group.size() > 4 || !is_all(kHexDigit, group)) return false;
    ++groups;
    if (last) return true;
    text.remove_prefix(colon + 1);
  }
}

/// reg-name (RFC 3986 §3.2.2), which includes every IPv4address; not empty, since an http URI
/// has a host (RFC 9110 §4.2.1).
bool is_registered_name(std::string_view text) {
  if (text.empty()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is(kRegName, text[i])) continue;
    const bool escape = text[i] == '%' && text.size() - i >= 3 && is(kHexDigit, text[i + 1]) &&
                        is(kHexDigit, text[i + 2]);
    if (!escape) return false;
    i += 2;
  }
  return true;
}

bool is_port(std::string_view text) {
  if (text.size() > kMaxPortDigits || !is_all(kDigit, text)) return false;
  unsigned value = 0;
  for (char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
  return value <= kMaxPort;
}

}  // namespace

bool is_ipv6_address(std::string_view text) {
  size_t groups = 0;
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    return !text.empty() && count_groups(text, true, groups) && groups == kMaxGroups;
  }
  // "::" stands for at least one group; a second one makes an empty group and is refused there.
  return count_groups(text.substr(0, gap), false, groups) &&
         count_groups(text.substr(gap + 2), true, groups) && groups < kMaxGroups;
}

bool parse_authority(std::string_view text, Authority& authority) {
  size_t host_end;
  if (!text.empty() && text[0] == '[') {
    // IP-literal. IPvFuture is refused: no such version exists, so nothing can be reached by it.
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    if (!is_ipv6_address(text.substr(1, bracket - 1))) return false;
    host_end = bracket + 1;
  } else {
    host_end = text.find(':');
    if (host_end == std::string_view::npos) host_end = text.size();
    // '@' is in no class here, so userinfo is refused (RFC 9110 §4.2.4).
    if (!is_registered_name(text.substr(0, host_end))) return false;
  }
  authority.host = text.substr(0, host_end);
  authority.port = std::string_view();
  if (host_end == text.size()) return true;
  if (text[host_end] != ':') return false;
  // port = *DIGIT: nothing after the colon is allowed and means the default (RFC 3986 §3.2.3).
  authority.port = text.substr(host_end + 1);
  return is_port(authority.port);
}

}  // namespace sluice::http
