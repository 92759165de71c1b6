// The strict HTTP/1.x request parser: in place, no allocation, one pass over a complete head.
// It answers ok, need_more or error; it keeps no pointer past the call. Rejects whatever RFC 9112
// lets a server reject (DESIGN §6): bare CR or LF, obs-fold, white space before the colon, NUL,
// bad or repeated Host, both framings, differing lengths, dot segments. Any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/error.h"
#include "http/request_head.h"

namespace sluice::http {

enum class ParseStatus : uint8_t { ok, need_more, error };

/// Bounds of one head; 431 / 414 when exceeded.
struct HeadLimits {
  size_t head_bytes = 64 * 1024;
  size_t target_bytes = 8 * 1024;
  size_t fields = 100;  ///< ≤ kMaxFields
};

struct ParseResult {
  ParseStatus status = ParseStatus::need_more;
  ErrorCode error = ErrorCode::none;  ///< when status is error
  size_t consumed = 0;                ///< bytes of the head with its final CRLF, when ok
};

/// Parses one request head at the start of `input`. `seen` is how many of its bytes an earlier call
/// on the same head already answered need_more for (0 the first time), so that a head arriving byte
/// by byte costs linear time. At most one empty line (CRLF) before the request line is skipped
/// (RFC 9112 §2.2) and counted in `consumed`. A request line that is complete and wrong is an error
/// at once, even while the head is not complete, and so is input that cannot begin one.
/// On `ok` `head` is filled with views into `input`; otherwise its contents are unspecified.
ParseResult parse_request(std::string_view input, size_t seen, const HeadLimits& limits,
                          RequestHead& head);

}  // namespace sluice::http
