// What a client sent, made safe inside one quoted value of one line: nothing of a request can end
// the value or the line, or reach a terminal as a control character. Bytes only, any thread, no
// allocation. The caller has room for the worst case: kWorstEscape bytes for each byte of text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::log {

inline constexpr size_t kWorstEscape = 6;  ///< "\u00e9"

enum class Style : uint8_t {
  json,     ///< valid UTF-8 stays; other bytes of 0x80 and more become \u0080 to \u00ff
  combined  ///< everything but visible ASCII and spaces becomes \xhh, as Apache writes it
};

/// Writes `text`; returns the end of what was written.
char* escape(Style style, std::string_view text, char* out);

/// The same for a URL or a request line, with "***" for the values of query parameters that bear
/// one of `names` (lower case), whatever the case and percent-encoding of the name.
char* escape_redacted(Style style, std::string_view text, const std::vector<std::string>& names,
                      char* out);

}  // namespace sluice::log
