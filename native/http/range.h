// The Range field (RFC 9110 §14): bytes ranges against a known size, bounded in number.
// Bytes only, any thread, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http {

inline constexpr size_t kMaxRanges = 32;  ///< more ranges than this and the field is ignored

/// Bytes [first, last], both inclusive.
struct ByteRange {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t length() const { return last - first + 1; }
};

struct RangeSet {
  enum class Kind : uint8_t { ignore, satisfiable, unsatisfiable };
  Kind kind = Kind::ignore;  ///< ignore: another unit, malformed, too many (§14.2)
  size_t count = 0;
  std::array<ByteRange, kMaxRanges> ranges;
};

/// Parses `value` of a Range field against a representation of `size` bytes. Ranges that lie
/// outside are dropped; overlapping or adjacent ones are coalesced, in the order in which the
/// client named them.
RangeSet parse_range(std::string_view value, uint64_t size);

}  // namespace sluice::http
