// Decodes paths and finds dot segments. What is refused here is what two readers of one path could
// understand differently: the gateway must never look up, or let through to an upstream, another
// resource than the one it decided about.
#include "http/uri.h"

#include <cstdint>

#include "http/chars.h"

namespace sluice::http {
namespace {

/// Length of the well-formed UTF-8 sequence at the start of [at, end) whose lead byte is not ASCII,
/// or 0 (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t utf8_sequence(const char* at, const char* end) {
  const auto byte = [at](size_t i) { return static_cast<unsigned char>(at[i]); };
  const unsigned char lead = byte(0);
  size_t length;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (static_cast<size_t>(end - at) < length) return 0;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return length;
}

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (static_cast<unsigned char>(*at) < 0x80) {
      ++at;
      continue;
    }
    const size_t length = utf8_sequence(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

/// The character at `at`, decoded when it is an escape, and how many bytes stand for it.
struct Decoded {
  int value;  ///< 0 to 255; -1: '%' without two hex digits
  size_t bytes;
};

Decoded decode_at(std::string_view path, size_t at) {
  if (path[at] != '%') return {static_cast<unsigned char>(path[at]), 1};
  if (path.size() - at < 3) return {-1, 1};
  const int high = hex_value(path[at + 1]);
  const int low = hex_value(path[at + 2]);
  if (high < 0 || low < 0) return {-1, 1};
  return {high * 16 + low, 3};
}

PathCheck check_character(Decoded c, bool after_slash) {
  if (c.value < 0) return PathCheck::bad_escape;
  if (c.value == '/' && c.bytes > 1) return PathCheck::encoded_slash;
  if (c.value == '/' && after_slash) return PathCheck::empty_segment;
  if (c.value == '\\') return PathCheck::backslash;
  if (c.value < 0x20 || c.value == 0x7f) return PathCheck::control;
  return PathCheck::ok;
}

/// Whether a path needs no work: no escape, nothing to refuse, ASCII only.
bool is_plain(std::string_view path) {
  char previous = 0;
  for (char c : path) {
    if (is(kPathSpecial, c) && (c != '/' || previous == '/')) return false;
    previous = c;
  }
  return true;
}

}  // namespace

DecodedPath decode_path(std::string_view path, char* buffer) {
  if (is_plain(path)) return {PathCheck::ok, path};
  size_t length = 0;
  for (size_t at = 0; at < path.size();) {
    const Decoded c = decode_at(path, at);
    const bool after_slash = at > 0 && path[at - 1] == '/';
    const PathCheck check = check_character(c, after_slash);
    if (check != PathCheck::ok) return {check, {}};
    buffer[length++] = static_cast<char>(c.value);
    at += c.bytes;
  }
  const std::string_view text(buffer, length);
  if (!is_utf8(text)) return {PathCheck::not_utf8, {}};
  return {PathCheck::ok, text};
}

bool has_dot_segment(std::string_view path) {
  // RFC 3986 §3.3 and §5.2.4 know only '/'. Servers that decode first, or take '\' for a slash, or
  // cut parameters off at ';', would still find "..": their separators count as well.
  size_t dots = 0;
  bool only_dots = true;
  for (size_t at = 0; at < path.size();) {
    const Decoded c = decode_at(path, at);
    at += c.bytes;
    const bool separator = c.value == '/' || c.value == '\\' || c.value == ';';
    if (separator) {
      if (only_dots && (dots == 1 || dots == 2)) return true;
      dots = 0;
      only_dots = c.value != ';';
    } else if (c.value == '.') {
      ++dots;
    } else {
      only_dots = false;
    }
  }
  return only_dots && (dots == 1 || dots == 2);
}

}  // namespace sluice::http
