// The fields that tell the next hop who asked: X-Forwarded-*, Forwarded (RFC 7239), Via
// (RFC 9110 §7.6.3). What came in them is only continued when the peer is trusted. Bytes only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/request_head.h"

namespace sluice::http {

/// The hop before us.
struct Hop {
  std::string_view client;  ///< "192.0.2.1", "2001:db8::1"; "unix" where there is no address
  std::string_view host;    ///< of the request, without port
  std::string_view port;    ///< of the request; digits, or empty
  uint16_t local_port = 0;  ///< that it connected to; 0: a unix socket, or unknown
  bool is_secure = false;
  bool is_peer_trusted = false;
  bool is_continued = false;  ///< X-Forwarded-For ends with `client` already
};

/// X-Forwarded-For, -Proto, -Host and -Port.
void append_x_forwarded(const RequestHead& head, const Hop& hop, std::string& out);
/// Forwarded: for=…;host=…;proto=…
void append_forwarded(const RequestHead& head, const Hop& hop, std::string& out);
/// Via: what was there, then us. For a RequestHead or a ResponseHead.
template <typename Head>
void append_via(const Head& head, std::string& out);

}  // namespace sluice::http
