// The four forms of a request-target (RFC 9112 §3.2), split into authority, path and query.
// Bytes only, any thread, no allocation.
//
// Characters: visible ASCII but '"', '#', '<' and '>'. RFC 3986 also excludes '\', '^', '`', '{',
// '|', '}'; browsers send those unescaped (URL Standard, path and query percent-encode sets), so
// they pass, with one exception: '\' in a path, which some servers take for a slash. A '#' begins
// a fragment, which no client may send (RFC 9110 §7.1).
#pragma once

#include "core/error.h"
#include "http/request_head.h"

namespace sluice::http {

/// Fills path, query, path_is_plain and, when the target has an authority, host and port of `head`
/// from its method and target. The target's characters were already checked against kTarget.
/// `path` views the target, but for "/" and "*" that stand for an absolute-form's empty path.
ErrorCode split_target(RequestHead& head);

}  // namespace sluice::http
