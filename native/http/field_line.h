// One field line of a head or trailer section: name, colon, value, CRLF. What both head parsers
// share; inlined into their loops. Bytes only, any thread.
#pragma once

#include <string_view>

#include "http/chars.h"
#include "http/fields.h"
#include "http/head_cursor.h"
#include "http/request_head.h"
#include "http/scan.h"

namespace sluice::http {

/// Takes the line at the cursor, which is not empty. On `none` `field` is filled and the cursor
/// stands behind the line.
inline ErrorCode take_field_line(HeadCursor& in, Field& field) {
  // A line that begins with white space continues the one before (obs-fold, RFC 9112 §5.2) or hides
  // from those who take it for that (§2.2).
  if (is_white_space(*in.at)) return ErrorCode::folded_field;
  // field-name = token, and no white space before the colon (RFC 9112 §5.1).
  const char* const colon = skip_name(in.at, in.end);
  if (colon == in.end) return kNeedMore;
  if (*colon != ':' || colon == in.at) {
    constexpr ErrorCode kWrong = ErrorCode::bad_field_name;
    return line_end_error({colon, in.end}, kWrong, kWrong);
  }
  field.name = std::string_view(in.at, static_cast<size_t>(colon - in.at));
  // Control characters are refused, not replaced (RFC 9110 §5.5).
  const char* begin = colon + 1;
  const char* stop = skip_field_content(begin, in.end);
  in.at = stop;
  const ErrorCode error = take_line_end(in, ErrorCode::bad_field_value);
  if (error != ErrorCode::none) return error;
  while (begin != stop && is_white_space(*begin)) ++begin;
  while (begin != stop && is_white_space(stop[-1])) --stop;
  field.value = std::string_view(begin, static_cast<size_t>(stop - begin));
  field.id = field_id(field.name);
  return ErrorCode::none;
}

}  // namespace sluice::http
