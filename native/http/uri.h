// Paths of request-targets (RFC 3986): percent-decoding exactly once and the checks that make a
// decoded path safe to look up. Bytes only, any thread, no allocation.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::http {

/// Why a path cannot name a file. Every reason but `ok` is answered 404 by file routes.
enum class PathCheck : unsigned char {
  ok,
  bad_escape,     ///< '%' without two hex digits
  encoded_slash,  ///< %2F
  backslash,      ///< '\' or %5C
  control,        ///< a control character or NUL, plain or encoded
  empty_segment,  ///< "//"
  not_utf8        ///< not valid UTF-8 after decoding (no overlong forms, no surrogates)
};

struct DecodedPath {
  PathCheck check = PathCheck::ok;
  std::string_view text;  ///< decoded; views the input when nothing had to change, else `buffer`
};

/// Decodes `path` (a request path or a part of one, as received). `buffer` has at least path.size()
/// bytes of room. Dot segments were already refused by the request parser.
DecodedPath decode_path(std::string_view path, char* buffer);

/// Whether `path` has a segment that is "." or "..", plain or with any dot percent-encoded.
bool has_dot_segment(std::string_view path);

}  // namespace sluice::http
