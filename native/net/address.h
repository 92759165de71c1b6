// Socket addresses: what a listener is told to bind, what it really bound, who connected.
// Plain data, any thread.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/address_counts.h"

namespace sluice::net {

/// A listener's address: TCP (host, port) or a unix socket (path).
struct Endpoint {
  std::string host;  ///< numeric IPv4 or IPv6 address, without brackets
  uint16_t port = 0;
  std::string path;  ///< not empty: a unix socket
  bool is_unix() const { return !path.empty(); }
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// 0, or -EINVAL when host is no numeric address, -ENAMETOOLONG when the unix path does not fit.
int to_socket_address(const Endpoint& endpoint, SocketAddress& result);

/// The inverse, for TCP addresses.
Endpoint to_endpoint(const sockaddr_storage& storage);

/// 0 for unix sockets.
uint16_t port_of(const sockaddr_storage& storage);

/// IPv4 mapped into IPv6; all zero for unix sockets.
AddressKey to_key(const sockaddr_storage& storage);

/// A numeric address, IPv4 or IPv6 without brackets and zone; false when `text` is none.
bool parse_address(std::string_view text, AddressKey& key);

/// The most that write_address() writes.
inline constexpr size_t kAddressBytes = 48;
/// Writes the address as text, "unix:" for a unix socket; returns its length. No NUL.
size_t write_address(const AddressKey& key, char* out);

}  // namespace sluice::net
