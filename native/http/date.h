// HTTP dates (RFC 9110 §5.6.7): IMF-fixdate out; all three forms in. Any thread, no allocation, no
// locale, no time zone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http {

inline constexpr size_t kDateBytes = 29;  ///< "Sun, 06 Nov 1994 08:49:37 GMT"

/// Writes exactly kDateBytes characters, no NUL. `seconds` since the epoch, years 1970 to 9999.
void format_date(int64_t seconds, char* out);

/// Parses IMF-fixdate, RFC 850 (two-digit years by the 50-year rule against `now_s`) and asctime.
/// -1 when it is none of them.
int64_t parse_date(std::string_view text, int64_t now_s);

}  // namespace sluice::http
