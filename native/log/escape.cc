// Eight bytes at a time while they need no escape, which is nearly always; byte by byte otherwise.
// What is valid UTF-8 is decided here and not trusted to have been checked: fields are opaque
// bytes.
#include "log/escape.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::log {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101u;
constexpr uint64_t kHighBits = kOnes << 7;

constexpr uint64_t has_zero(uint64_t word) { return (word - kOnes) & ~word & kHighBits; }

/// Not 0: a byte of `word` is a control, '"', '\', DEL, or not ASCII.
constexpr uint64_t needs_escape(uint64_t word) {
  const uint64_t below_space = (word - kOnes * 0x20) & ~word;
  return ((below_space | word) & kHighBits) | has_zero(word ^ (kOnes * '"')) |
         has_zero(word ^ (kOnes * '\\')) | has_zero(word ^ (kOnes * 0x7f));
}

constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool is_plain(char c) { return kPlain[static_cast<unsigned char>(c)]; }

constexpr char kHex[] = "0123456789abcdef";

/// Length of the UTF-8 sequence at `at` (RFC 3629), 0 when there is none. Controls beyond ASCII
/// count as none: U+009B begins a terminal's command like ESC does.
size_t utf8_length(const char* at, const char* end) {
  const auto byte = [at](size_t i) { return static_cast<unsigned char>(at[i]); };
  const unsigned first = byte(0);
  const size_t length = first < 0xc2   ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (length == 0 || static_cast<size_t>(end - at) < length) return 0;
  const unsigned second = byte(1);
  unsigned least = 0x80, most = 0xbf;
  if (first == 0xc2 || first == 0xe0) least = 0xa0;
  if (first == 0xf0) least = 0x90;
  if (first == 0xed) most = 0x9f;  // surrogates
  if (first == 0xf4) most = 0x8f;  // beyond U+10FFFF
  if (second < least || second > most) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_hex(char* out, std::string_view before, unsigned char c) {
  out = put(out, before);
  *out++ = kHex[c >> 4];
  *out++ = kHex[c & 0xf];
  return out;
}

char* escape_byte(Style style, unsigned char c, char* out) {
  switch (c) {
    case '"': return put(out, "\\\"");
    case '\\': return put(out, "\\\\");
    case '\t': return put(out, "\\t");
    case '\n': return put(out, "\\n");
    case '\r': return put(out, "\\r");
    default: return put_hex(out, style == Style::json ? "\\u00" : "\\x", c);
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// `name` as received is `wanted`, which is lower case, after percent-decoding.
bool is_named(std::string_view name, std::string_view wanted) {
  size_t at = 0;
  for (const char expected : wanted) {
    if (at >= name.size()) return false;
    char c = name[at++];
    if (c == '%' && name.size() - at >= 2) {
      const int high = hex_value(name[at]), low = hex_value(name[at + 1]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high << 4 | low);
        at += 2;
      }
    }
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    if (c != expected) return false;
  }
  return at == name.size();
}

template <typename Word>
Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

template <typename Word>
void store(char* at, Word word) {
  std::memcpy(at, &word, sizeof word);
}

#if defined(__SSE2__)
/// Sixteen bytes at a time while none needs an escape; how many it copied.
size_t copy_plain_wide(const char* at, size_t left, char* out) {
  size_t done = 0;
  for (; left - done >= 16; done += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + done));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + done), bytes);
    // Signed: what is not ASCII is below zero.
    const __m128i control = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const __m128i bad = _mm_or_si128(_mm_or_si128(control, quote), _mm_or_si128(backslash, del));
    if (_mm_movemask_epi8(bad) != 0) break;
  }
  return done;
}
#else
size_t copy_plain_wide(const char*, size_t, char*) { return 0; }
#endif

/// Copies what is left of a value that needs no escape, or its next eight bytes; how many it
/// copied. 0: look at every byte, since one needs an escape or there are only a few.
size_t copy_plain(const char* at, size_t left, char* out) {
  if (left >= 16) {
    if (const size_t copied = copy_plain_wide(at, left, out); copied > 0) return copied;
  }
  if (left >= 8) {
    const auto word = load<uint64_t>(at);
    store(out, word);
    if (needs_escape(word) != 0) return 0;
    if (left >= 16 || left == 8) return 8;
    // The rest with an overlap, so that no value ends byte by byte.
    const auto last = load<uint64_t>(at + left - 8);
    store(out + left - 8, last);
    return needs_escape(last) == 0 ? left : 8;
  }
  if (left < 4) return 0;
  const auto first = load<uint32_t>(at), last = load<uint32_t>(at + left - 4);
  store(out, first);
  store(out + left - 4, last);
  return needs_escape(uint64_t{first} | uint64_t{last} << 32) == 0 ? left : 0;
}

}  // namespace

char* escape(Style style, std::string_view text, char* out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const size_t left = static_cast<size_t>(end - at);
    const size_t plain = copy_plain(at, left, out);
    if (plain > 0) {
      at += plain;
      out += plain;
      continue;
    }
    // Up to and including the first that needs an escape, or what is left.
    while (at != end && is_plain(*at)) *out++ = *at++;
    if (at == end) break;
    const size_t sequence = style == Style::json ? utf8_length(at, end) : 0;
    if (sequence > 0) {
      out = put(out, {at, sequence});
      at += sequence;
    } else {
      out = escape_byte(style, static_cast<unsigned char>(*at++), out);
    }
  }
  return out;
}

char* escape_redacted(Style style, std::string_view text, const std::vector<std::string>& names,
                      char* out) {
  size_t at = text.find('?');
  if (names.empty() || at == std::string_view::npos) return escape(style, text, out);
  constexpr std::string_view kEnds = "&;# ?";
  size_t done = 0;  // what is written already
  while (at < text.size()) {
    const size_t begin = at + 1;
    at = std::min(text.find_first_of(kEnds, begin), text.size());
    const std::string_view parameter = text.substr(begin, at - begin);
    const size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = parameter.substr(0, equals);
    const auto is_it = [name](const std::string& wanted) { return is_named(name, wanted); };
    if (std::ranges::none_of(names, is_it)) continue;
    const size_t value = begin + equals + 1;
    out = put(escape(style, text.substr(done, value - done), out), "***");
    done = at;
  }
  return escape(style, text.substr(done), out);
}

}  // namespace sluice::log
