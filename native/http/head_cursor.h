// What the pieces of the head parsers pass along: where they are in the bytes, and how a step
// ended. A step answers ErrorCode::none (go on), kNeedMore, or an error. Any thread, no allocation.
//
// Steps judge bytes strictly in order and look at no byte before all earlier ones were judged, so
// that a head which is wrong yields the same error however it was cut into pieces.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/error.h"

namespace sluice::http {

/// The step ran out of input. Never leaves the parsers: parse results have a status for it.
inline constexpr ErrorCode kNeedMore = ErrorCode::count_;

struct HeadCursor {
  const char* at;
  const char* end;

  bool empty() const { return at == end; }
  size_t left() const { return static_cast<size_t>(end - at); }
};

/// The cursor must stand at CRLF, which is taken. `otherwise` is the error for any other byte than
/// CR or LF. A bare CR and a bare LF are errors of their own (RFC 9112 §2.2: a recipient may take
/// a lone LF for a line end, and two recipients who differ about that can be played off).
inline ErrorCode take_line_end(HeadCursor& in, ErrorCode otherwise) {
  if (in.empty()) return kNeedMore;
  if (*in.at == '\n') return ErrorCode::bad_line_ending;
  if (*in.at != '\r') return otherwise;
  if (in.left() < 2) return kNeedMore;
  if (in.at[1] != '\n') return ErrorCode::bad_line_ending;
  in.at += 2;
  return ErrorCode::none;
}

/// The error for a line that ends where more was due: CRLF there makes it `incomplete`, every other
/// byte `otherwise`. Takes nothing.
inline ErrorCode line_end_error(HeadCursor in, ErrorCode incomplete, ErrorCode otherwise) {
  const ErrorCode end = take_line_end(in, otherwise);
  return end == ErrorCode::none ? incomplete : end;
}

}  // namespace sluice::http
