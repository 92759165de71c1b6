// Character classes of the grammars in RFC 9110 and RFC 3986: one 256-byte table, and the small
// functions on characters and lists that every parser here uses. Any thread, no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::http {

/// Bits of kCharClass.
enum CharClass : uint8_t {
  kToken = 1,         ///< tchar (RFC 9110 §5.6.2)
  kFieldContent = 2,  ///< HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5)
  kTarget = 4,        ///< may stand in a request-target, see target.h
  kRegName = 8,       ///< unreserved or sub-delims (RFC 3986 §3.2.2)
  kEntityTag = 16,    ///< etagc (RFC 9110 §8.8.3)
  kDigit = 32,
  kHexDigit = 64,
  kPathSpecial = 128  ///< not a character of a path that decode_path can hand back as it is
};

namespace detail {

constexpr bool is_one_of(unsigned char c, std::string_view set) {
  return set.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr uint8_t classes_of(unsigned char c) {
  const bool digit = c >= '0' && c <= '9';
  const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  const bool visible = c > 0x20 && c < 0x7f;
  const bool high = c >= 0x80;
  unsigned bits = 0;
  if (digit || letter || is_one_of(c, "!#$%&'*+-.^_`|~")) bits |= kToken;
  if (visible || high || c == ' ' || c == '\t') bits |= kFieldContent;
  if (visible && !is_one_of(c, "\"#<>")) bits |= kTarget;
  if (digit || letter || is_one_of(c, "-._~!$&'()*+,;=")) bits |= kRegName;
  if ((visible && c != '"') || high) bits |= kEntityTag;
  if (digit) bits |= kDigit;
  if (digit || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) bits |= kHexDigit;
  if (c < 0x20 || c >= 0x7f || is_one_of(c, "%/\\")) bits |= kPathSpecial;
  return static_cast<uint8_t>(bits);
}

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = classes_of(static_cast<unsigned char>(c));
  return table;
}

}  // namespace detail

inline constexpr std::array<uint8_t, 256> kCharClass = detail::make_classes();

constexpr bool is(CharClass wanted, char c) {
  return (kCharClass[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool is_all(CharClass wanted, std::string_view text) {
  for (char c : text) {
    if (!is(wanted, c)) return false;
  }
  return true;
}

/// OWS = *( SP / HTAB ) (RFC 9110 §5.6.3).
constexpr bool is_white_space(char c) { return c == ' ' || c == '\t'; }

constexpr std::string_view trim_white_space(std::string_view text) {
  while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
  return text;
}

/// 0 to 15, or -1 when `c` is no hexadecimal digit.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Whether two ASCII texts are equal but for the case of letters; `lower` has no upper case.
constexpr bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char folded = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (folded != lower[i]) return false;
  }
  return true;
}

/// Takes the next element off a comma-separated list (RFC 9110 §5.6.1), without its white space;
/// empty elements come out empty. Only for lists whose elements have no quoted commas.
/// False when the list is used up: `rest` starts as the whole value and ends as a null view.
constexpr bool next_list_element(std::string_view& rest, std::string_view& element) {
  if (rest.data() == nullptr) return false;
  const size_t comma = rest.find(',');
  if (comma == std::string_view::npos) {
    element = trim_white_space(rest);
    rest = std::string_view();
  } else {
    element = trim_white_space(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
  }
  return true;
}

}  // namespace sluice::http
