// The walk over X-Forwarded-For. Several fields are one list (RFC 9110 §5.3), so the last field's
// last element is the nearest hop.
#include "proxy/client_address.h"

#include <algorithm>
#include <string_view>

#include "http/chars.h"
#include "net/address.h"

namespace sluice::proxy {
namespace {

/// ":80", or nothing.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  const bool fits = text.size() >= 2 && text.size() <= 6;
  return fits && text[0] == ':' && http::is_all(http::kDigit, text.substr(1));
}

/// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80", "2001:db8::1".
bool parse_hop(std::string_view text, AddressKey& key) {
  if (!text.empty() && text[0] == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !is_port(text.substr(end + 1))) return false;
    return net::parse_address(text.substr(1, end - 1), key);
  }
  const size_t colon = text.find(':');
  const bool has_port =
      colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
  if (has_port && !is_port(text.substr(colon))) return false;
  return net::parse_address(has_port ? text.substr(0, colon) : text, key);
}

/// Takes the last element off a comma-separated list; false when none is left.
bool take_last(std::string_view& rest, std::string_view& element) {
  if (rest.data() == nullptr) return false;
  const size_t comma = rest.rfind(',');
  const bool is_first = comma == std::string_view::npos;
  element = http::trim_white_space(is_first ? rest : rest.substr(comma + 1));
  rest = is_first ? std::string_view() : rest.substr(0, comma);
  return true;
}

}  // namespace

bool is_trusted(const AddressKey& address, const std::vector<net::Network>& trusted) {
  return std::ranges::any_of(
      trusted, [&address](const net::Network& network) { return network.contains(address); });
}

AddressKey client_of(const http::RequestHead& head, const AddressKey& peer,
                     const std::vector<net::Network>& trusted) {
  AddressKey client = peer;
  if (head.find(http::FieldId::x_forwarded_for).data() == nullptr) return client;
  for (size_t i = head.field_count; i-- > 0;) {
    if (head.fields[i].id != http::FieldId::x_forwarded_for) continue;
    std::string_view rest = head.fields[i].value;
    std::string_view element;
    while (take_last(rest, element)) {
      AddressKey hop;
      if (!parse_hop(element, hop)) return client;
      client = hop;
      if (!is_trusted(hop, trusted)) return client;
    }
  }
  return client;
}

}  // namespace sluice::proxy
