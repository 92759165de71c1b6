// The vectorised loops of the head parsers: find the first byte that ends a run. SSE2 is part of
// every x86-64, eight bytes at a time in plain integers serve the rest; wider registers were not
// worth a second code path for values of some fifty bytes. Never reads past `end`.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "http/chars.h"

#if defined(__SSE2__) && !defined(SLUICE_PORTABLE_SCAN)
#include <emmintrin.h>
#define SLUICE_SCAN_SSE2 1
#endif

namespace sluice::http {

/// First byte of [at, end) without the class, byte by byte.
inline const char* skip_class(CharClass wanted, const char* at, const char* end) {
  while (at != end && is(wanted, *at)) ++at;
  return at;
}

#if defined(SLUICE_SCAN_SSE2)

inline constexpr ptrdiff_t kScanBytes = 16;

namespace detail {

inline __m128i load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

inline __m128i equal(__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); }

inline unsigned mask_of(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }

/// Bit i: byte i cannot stand in a field value.
inline unsigned field_content_ends(const char* at) {
  const __m128i bytes = load(at);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i bad =
      _mm_or_si128(_mm_andnot_si128(equal(bytes, '\t'), control), equal(bytes, 0x7f));
  return mask_of(bad);
}

/// Bit i: byte i cannot stand in a request-target.
inline unsigned target_ends(const char* at) {
  const __m128i bytes = load(at);
  // The comparison is signed: bytes of 0x80 and more are below zero and fail it as well.
  const __m128i visible = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x20));
  // 0x22 and 0x23 are '"' and '#'; 0x3c and 0x3e are '<' and '>': one bit apart each.
  const __m128i quote = equal(_mm_and_si128(bytes, _mm_set1_epi8(~0x01)), 0x22);
  const __m128i angle = equal(_mm_and_si128(bytes, _mm_set1_epi8(~0x02)), 0x3c);
  const __m128i bad = _mm_or_si128(_mm_or_si128(quote, angle), equal(bytes, 0x7f));
  return mask_of(_mm_andnot_si128(bad, visible)) ^ 0xffffu;
}

/// Bit i: byte i is no letter, digit or '-'. All but a few field names consist of those.
inline unsigned usual_name_ends(const char* at) {
  const __m128i bytes = load(at);
  const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
  const __m128i from_a = _mm_sub_epi8(lower, _mm_set1_epi8('a'));
  const __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a);
  const __m128i from_0 = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
  const __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(from_0, _mm_set1_epi8(9)), from_0);
  return mask_of(_mm_or_si128(_mm_or_si128(letter, digit), equal(bytes, '-'))) ^ 0xffffu;
}

inline unsigned first_of_mask(unsigned mask) {
  return static_cast<unsigned>(std::countr_zero(mask));
}

}  // namespace detail

#else

inline constexpr ptrdiff_t kScanBytes = 8;

namespace detail {

inline constexpr uint64_t kOnes = 0x0101010101010101u;
inline constexpr uint64_t kHighBits = kOnes << 7;

inline uint64_t load(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

/// High bit of byte i: that byte of `word` is zero. Exact in every byte.
constexpr uint64_t zero_bytes(uint64_t word) {
  return ~(((word & ~kHighBits) + ~kHighBits) | word) & kHighBits;
}

constexpr uint64_t equal(uint64_t word, unsigned char c) { return zero_bytes(word ^ (kOnes * c)); }

/// High bit of byte i: that byte is below `bound` (at most 0x80). Exact in every byte.
constexpr uint64_t below(uint64_t word, unsigned char bound) {
  return ~(((word & ~kHighBits) + kOnes * (0x80u - bound)) | word) & kHighBits;
}

inline uint64_t field_content_ends(const char* at) {
  const uint64_t word = load(at);
  return (below(word, 0x20) & ~equal(word, '\t')) | equal(word, 0x7f);
}

inline uint64_t target_ends(const char* at) {
  const uint64_t word = load(at);
  const uint64_t quote = equal(word & ~kOnes, 0x22);
  const uint64_t angle = equal(word & ~(kOnes << 1), 0x3c);
  return below(word, 0x21) | (word & kHighBits) | equal(word, 0x7f) | quote | angle;
}

inline unsigned first_of_mask(uint64_t mask) {
  return static_cast<unsigned>(std::countr_zero(mask)) / 8;
}

}  // namespace detail

#endif

/// First byte of [at, end) that is not HTAB, SP, VCHAR or obs-text; `end` when there is none.
inline const char* skip_field_content(const char* at, const char* end) {
  while (end - at >= kScanBytes) {
    if (const auto mask = detail::field_content_ends(at)) return at + detail::first_of_mask(mask);
    at += kScanBytes;
  }
  return skip_class(kFieldContent, at, end);
}

/// First byte of [at, end) that cannot stand in a request-target; `end` when there is none.
inline const char* skip_target(const char* at, const char* end) {
  while (end - at >= kScanBytes) {
    if (const auto mask = detail::target_ends(at)) return at + detail::first_of_mask(mask);
    at += kScanBytes;
  }
  return skip_class(kTarget, at, end);
}

/// First byte of [at, end) that is not of a token; `end` when there is none.
inline const char* skip_name(const char* at, const char* end) {
#if defined(SLUICE_SCAN_SSE2)
  while (end - at >= kScanBytes) {
    const unsigned mask = detail::usual_name_ends(at);
    if (mask == 0) {
      at += kScanBytes;
      continue;
    }
    at += detail::first_of_mask(mask);
    break;
  }
#endif
  return skip_class(kToken, at, end);
}

}  // namespace sluice::http
