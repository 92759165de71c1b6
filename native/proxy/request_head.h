// The request as the target gets it: re-serialised from what was parsed, never copied raw. What
// must outlive the turn is taken out of the head here. Bytes only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/address_counts.h"
#include "http/request_head.h"
#include "route/route_table.h"
#include "route/upstream.h"

namespace sluice::proxy {

/// Who asked, and how.
struct Asker {
  std::string_view address;      ///< of the client, as text: "192.0.2.1", "2001:db8::1", "unix"
  AddressKey client;             ///< that it asks for, if it may say so: what `hash` looks at
  bool is_peer_trusted = false;  ///< what its X-Forwarded-* say is passed on
  bool is_continued = false;     ///< those say already that `address` asks
  bool is_secure = false;        ///< TLS
  uint16_t port = 0;             ///< that it connected to; 0: a unix socket
  std::string_view request_id;
  std::span<const std::string> reserved;  ///< names (lower case) that no client may send
  std::string_view subject_field;  ///< the name under which `subject` goes on; empty: it does not
  std::string_view subject;        ///< of the client's certificate
};

/// Whether a field's name stands for one of `reserved`, also for whoever reads '_' where we read
/// '-' (CGI, and what follows it).
bool is_reserved(std::string_view name, std::span<const std::string> reserved);

/// What of a request matters after its head is gone.
struct RequestShape {
  bool is_head = false;
  bool is_safe = false;        ///< RFC 9110 §9.2.1
  bool is_idempotent = false;  ///< RFC 9110 §9.2.2
  bool is_minor_0 = false;
  bool wants_upgrade = false;
  bool expects_continue = false;
  bool is_connect = false;
  http::Framing framing = http::Framing::none;
  uint64_t content_length = 0;
  size_t host_at = 0;  ///< where the Host value stands in the head, for a target that has its own
  size_t host_size = 0;
  bool names_target = false;  ///< that value is the target's, whichever gets the request
};

RequestShape shape_of(const http::RequestHead& head);

/// What the request is numbered with on its way, and in the log; empty: nothing.
std::string_view request_id_for(const http::RequestHead& head, const route::ProxyAction& action,
                                const Asker& asker);

/// Appends the head for a target whose authority is `authority`.
void append_request_head(const http::RequestHead& head, const route::Match& match,
                         const route::ProxyAction& action, const Asker& asker,
                         std::string_view authority, RequestShape& shape, std::string& out);

/// Likewise for a mirror: with kMirrorField, and without Expect, since nobody passes its 100 on.
/// `names_target`: its Host is `authority`, unless the route sets one.
void append_mirror_head(const http::RequestHead& head, const route::Match& match,
                        const route::ProxyAction& action, const Asker& asker,
                        std::string_view authority, bool names_target, std::string& out);

/// Marks copies: "sluice-mirror: 1".
inline constexpr std::string_view kMirrorField = "sluice-mirror";

/// What a target is chosen by: 0 when the request does not say.
uint64_t hash_of(const http::RequestHead& head, const route::Upstream& upstream,
                 const Asker& asker);

uint64_t hash_of(const AddressKey& client);

/// The value of a cookie in the request's Cookie fields; empty when it has none.
std::string_view cookie_value(const http::RequestHead& head, std::string_view name);

}  // namespace sluice::proxy
