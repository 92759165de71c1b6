// Parses Range fields. Every position is a 64-bit number that may be larger than that in the text:
// it saturates, since a position beyond any file is valid and merely lies outside.
#include "http/range.h"

#include <algorithm>
#include <limits>

#include "http/chars.h"

namespace sluice::http {
namespace {

constexpr uint64_t kBeyond = std::numeric_limits<uint64_t>::max();

/// One range-spec (RFC 9110 §14.1.1) before it is held against a size.
struct Spec {
  bool suffix = false;
  uint64_t first = 0;  ///< or the length of a suffix
  uint64_t last = kBeyond;
};

/// 1*DIGIT, saturating.
bool parse_position(std::string_view text, uint64_t& position) {
  if (text.empty() || !is_all(kDigit, text)) return false;
  uint64_t value = 0;
  for (char c : text) {
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (value > (kBeyond - digit) / 10) {
      position = kBeyond;
      return true;
    }
    value = value * 10 + digit;
  }
  position = value;
  return true;
}

bool parse_spec(std::string_view text, Spec& spec) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = text.substr(dash + 1);
  if (first.empty()) {
    spec.suffix = true;
    return parse_position(last, spec.first);
  }
  if (!parse_position(first, spec.first)) return false;
  if (!last.empty() && !parse_position(last, spec.last)) return false;
  // A last position before the first makes the whole field invalid (RFC 9110 §14.1.1).
  return spec.first <= spec.last;
}

/// The bytes of `spec` that exist; false when there are none (RFC 9110 §14.1.2).
bool resolve(const Spec& spec, uint64_t size, ByteRange& range) {
  if (size == 0) return false;
  if (spec.suffix) {
    if (spec.first == 0) return false;
    range = {spec.first < size ? size - spec.first : 0, size - 1};
    return true;
  }
  if (spec.first >= size) return false;
  range = {spec.first, spec.last < size ? spec.last : size - 1};
  return true;
}

/// Overlapping or adjacent. Positions are below a size, so `+ 1` cannot overflow.
bool touch(const ByteRange& a, const ByteRange& b) {
  return a.first <= b.last + 1 && b.first <= a.last + 1;
}

/// Adds `range`, taking in every range that it touches. The union stands where the first of them
/// stood, so that the client's order survives (RFC 9110 §15.3.7.2). Those in the set never touch
/// one another, so what the union touches is what `range` touches.
void add(RangeSet& set, ByteRange range) {
  constexpr size_t kNowhere = kMaxRanges;
  size_t place = kNowhere;
  size_t kept = 0;
  for (size_t i = 0; i < set.count; ++i) {
    const ByteRange other = set.ranges[i];
    if (!touch(other, range)) {
      set.ranges[kept++] = other;
      continue;
    }
    range.first = std::min(range.first, other.first);
    range.last = std::max(range.last, other.last);
    if (place == kNowhere) place = kept++;
  }
  if (place == kNowhere) place = kept++;
  set.ranges[place] = range;
  set.count = kept;
}

}  // namespace

RangeSet parse_range(std::string_view value, uint64_t size) {
  RangeSet set;
  const size_t equals = value.find('=');
  // Names of units ignore case; another unit than bytes is not for us (RFC 9110 §14.1, §14.2).
  if (equals == std::string_view::npos) return set;
  if (!equals_ignoring_case(value.substr(0, equals), "bytes")) return set;
  std::string_view rest = value.substr(equals + 1);
  std::string_view element;
  size_t asked = 0;
  bool of_nothing = false;
  while (next_list_element(rest, element)) {
    if (element.empty()) continue;
    Spec spec;
    ByteRange range;
    if (++asked > kMaxRanges || !parse_spec(element, spec)) return RangeSet();
    if (resolve(spec, size, range)) add(set, range);
    of_nothing = of_nothing || (size == 0 && spec.suffix && spec.first > 0);
  }
  // The last n bytes of an empty representation are satisfiable (RFC 9110 §14.1.2), but no
  // Content-Range can say so: the whole, which is nothing, is sent instead.
  if (asked == 0 || of_nothing) return set;
  set.kind = set.count > 0 ? RangeSet::Kind::satisfiable : RangeSet::Kind::unsatisfiable;
  return set;
}

}  // namespace sluice::http
