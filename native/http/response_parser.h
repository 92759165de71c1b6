// The strict parser of HTTP/1.x response heads, as strict as the one for requests: a target that is
// understood differently by us and by somebody behind us can poison a cache or split a response.
// In place, no allocation; answers ok, need_more or error, and keeps no pointer past the call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/chars.h"
#include "http/request_head.h"
#include "http/request_parser.h"

namespace sluice::http {

/// How the end of a response's body is known (RFC 9112 §6.3).
enum class ResponseFraming : uint8_t { none, length, chunked, until_close };

/// A Keep-Alive: timeout of more seconds than this counts as this.
inline constexpr uint32_t kMaxKeepAliveTimeoutS = 1'000'000;

/// A parsed response head: views into the bytes it was parsed from.
struct ResponseHead {
  uint16_t status = 0;      ///< 100 to 599
  std::string_view reason;  ///< as received, may be empty
  uint8_t minor_version = 1;
  bool is_interim = false;   ///< 1xx but 101: the final head is still to come
  bool keep_alive = true;    ///< the connection may persist (RFC 9112 §9.3)
  bool has_upgrade = false;  ///< Upgrade and Connection: upgrade on 1.1
  ResponseFraming framing = ResponseFraming::none;
  uint64_t content_length = 0;        ///< bytes, when framing is `length`
  int32_t keep_alive_timeout_s = -1;  ///< the least Keep-Alive: timeout=N; -1: it says none
  uint16_t field_count = 0;
  std::array<Field, kMaxFields> fields;
  /// 1 + index into `fields` of the first field with that id; 0: absent.
  std::array<uint16_t, static_cast<size_t>(FieldId::count_)> first_of{};

  /// First value of a known field; a null view when absent.
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

/// Parses one response head at the start of `input`. `seen` is how many of its bytes an earlier
/// call already answered need_more for. `to_head`: it answers a HEAD request, so it has no body.
/// Of `limits`, head_bytes and fields count. On `ok` `head` has views into `input`.
ParseResult parse_response(std::string_view input, size_t seen, const HeadLimits& limits,
                           bool to_head, ResponseHead& head);

}  // namespace sluice::http
