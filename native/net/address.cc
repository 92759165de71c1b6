// Conversions between text, sockaddr and keys. Numeric addresses only: names are resolved by
// TypeScript before they come here. Any thread, no allocation but the strings returned.
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace sluice::net {
namespace {

int to_unix_address(const std::string& path, SocketAddress& result) {
  auto* address = reinterpret_cast<sockaddr_un*>(&result.storage);
  if (path.size() >= sizeof address->sun_path) return -ENAMETOOLONG;
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, path.c_str(), path.size() + 1);
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return 0;
}

uint64_t load_big_endian(const unsigned char* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

int to_socket_address(const Endpoint& endpoint, SocketAddress& result) {
  result = SocketAddress();
  if (endpoint.is_unix()) return to_unix_address(endpoint.path, result);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  if (inet_pton(AF_INET, endpoint.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    result.length = sizeof *v4;
    return 0;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (inet_pton(AF_INET6, endpoint.host.c_str(), &v6->sin6_addr) != 1) return -EINVAL;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(endpoint.port);
  result.length = sizeof *v6;
  return 0;
}

Endpoint to_endpoint(const sockaddr_storage& storage) {
  Endpoint endpoint;
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    endpoint.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    endpoint.port = ntohs(v6.sin6_port);
  }
  endpoint.host = text;
  return endpoint;
}

uint16_t port_of(const sockaddr_storage& storage) {
  switch (storage.ss_family) {
    case AF_INET: return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
    case AF_INET6: return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
    default: return 0;
  }
}

bool parse_address(std::string_view text, AddressKey& key) {
  char copy[kAddressBytes];
  if (text.empty() || text.size() >= sizeof copy) return false;
  if (text.find('\0') != std::string_view::npos) return false;  // inet_pton would stop there
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  unsigned char bytes[16] = {};
  if (inet_pton(AF_INET, copy, bytes) == 1) {
    key = {0, 0xffff00000000ULL | load_big_endian(bytes) >> 32};
    return true;
  }
  if (inet_pton(AF_INET6, copy, bytes) != 1) return false;
  key = {load_big_endian(bytes), load_big_endian(bytes + 8)};
  return true;
}

AddressKey to_key(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    return {0, 0xffff00000000ULL | ntohl(v4.sin_addr.s_addr)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    const unsigned char* bytes = v6.sin6_addr.s6_addr;
    return {load_big_endian(bytes), load_big_endian(bytes + 8)};
  }
  return {};
}

size_t write_address(const AddressKey& key, char* out) {
  if (key == AddressKey{}) {
    std::memcpy(out, "unix:", 5);
    return 5;
  }
  if (key.high == 0 && key.low >> 32 == 0xffff) {
    char* at = out;
    for (int shift = 24; shift >= 0; shift -= 8) {
      at = std::to_chars(at, at + 3, key.low >> shift & 0xff).ptr;
      if (shift > 0) *at++ = '.';
    }
    return static_cast<size_t>(at - out);
  }
  in6_addr v6;
  for (int i = 0; i < 8; ++i) {
    v6.s6_addr[i] = static_cast<uint8_t>(key.high >> (56 - 8 * i));
    v6.s6_addr[8 + i] = static_cast<uint8_t>(key.low >> (56 - 8 * i));
  }
  inet_ntop(AF_INET6, &v6, out, kAddressBytes);
  return std::strlen(out);
}

}  // namespace sluice::net
