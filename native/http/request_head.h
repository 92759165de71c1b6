// A parsed HTTP/1.x request head: views into the bytes it was parsed from.
// One per worker, reused for every request; valid only as long as those bytes stay where they are:
// whoever parks a request keeps the bytes and parses again. Bytes only, no I/O, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "http/chars.h"

namespace sluice::http {

/// RFC 9110 §9.1 plus PATCH (RFC 5789); anything else is `other` and keeps its text.
enum class Method : uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  connect,
  options,
  trace,
  patch,
  other
};

/// Field names that the gateway itself looks at; every other field is `other`.
enum class FieldId : uint8_t {
  other,
  accept,
  accept_encoding,
  connection,
  content_length,
  cookie,
  date,
  expect,
  forwarded,
  host,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  keep_alive,
  proxy,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  range,
  referer,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  via,
  x_accel_redirect,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_request_id,
  count_
};

struct Field {
  std::string_view name;   ///< as received, case kept
  std::string_view value;  ///< without surrounding white space (RFC 9110 §5.5)
  FieldId id = FieldId::other;
};

/// How the body after the head is framed (RFC 9112 §6).
enum class Framing : uint8_t { none, length, chunked };

inline constexpr size_t kMaxFields = 256;  ///< hard bound of limits.headers

struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;  ///< as received
  /// Path of the target, as received. "*" for OPTIONS *, "/" for an absolute-form without one
  /// (those two may be static), empty for CONNECT.
  std::string_view path;
  std::string_view query;  ///< with its "?", empty when there is none
  /// Without port, case kept; empty for 1.0 without Host. Of an absolute-form target or CONNECT it
  /// is the target's, whatever Host says (RFC 9112 §3.2.2): forward this, never the Host field.
  std::string_view host;
  std::string_view port;  ///< digits after the host's colon, or empty
  uint8_t minor_version = 1;
  bool keep_alive = true;        ///< the connection may persist (RFC 9112 §9.3)
  bool expect_continue = false;  ///< Expect: 100-continue on 1.1, and content is to come
  bool has_upgrade = false;      ///< Upgrade and Connection: upgrade on 1.1
  bool path_is_plain = true;     ///< the path has no '%', no "//", so it needs no normalising
  Framing framing = Framing::none;
  uint64_t content_length = 0;  ///< bytes, when framing is `length`
  uint16_t field_count = 0;
  std::array<Field, kMaxFields> fields;
  /// 1 + index into `fields` of the first field with that id; 0: absent.
  std::array<uint16_t, static_cast<size_t>(FieldId::count_)> first_of{};

  /// First value of a known field; a null view (data() == nullptr) when absent.
  std::string_view find(FieldId id) const {
    uint16_t at = first_of[static_cast<size_t>(id)];
    return at == 0 ? std::string_view() : fields[at - 1u].value;
  }

  /// The same by name, in lower case, for fields without an id.
  std::string_view find(std::string_view lower_name) const {
    for (size_t i = 0; i < field_count; ++i) {
      if (equals_ignoring_case(fields[i].name, lower_name)) return fields[i].value;
    }
    return {};
  }
};

}  // namespace sluice::http
