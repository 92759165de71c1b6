// The request line: method SP request-target SP HTTP-version CRLF (RFC 9112 §3).
// Bytes only, any thread, no allocation.
#pragma once

#include <cstddef>

#include "http/head_cursor.h"
#include "http/request_head.h"

namespace sluice::http {

/// Longer methods are refused: no registered one has more than 18 characters (RFC 9110 §9.1 lets a
/// server refuse what is longer than any method it knows), and a bound means that input which is no
/// HTTP at all is found out early.
inline constexpr size_t kMaxMethodBytes = 32;

/// Takes one request line, after at most one empty line (RFC 9112 §2.2), and fills method, target,
/// path, query, minor_version and, when the target has an authority, host and port of `head`.
ErrorCode parse_request_line(HeadCursor& in, size_t target_limit, RequestHead& head);

}  // namespace sluice::http
