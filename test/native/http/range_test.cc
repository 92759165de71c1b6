// Range fields: which bytes they ask for, when they are ignored, and that no number overflows.
#include "http/range.h"

#include <cstdint>
#include <string>

#include "testing.h"

namespace {

using sluice::http::kMaxRanges;
using sluice::http::parse_range;
using sluice::http::RangeSet;

constexpr uint64_t kMax = UINT64_MAX;

/// "0-1,5-9", "ignore" or "unsatisfiable".
std::string ranges(std::string_view value, uint64_t size) {
  const RangeSet set = parse_range(value, size);
  if (set.kind == RangeSet::Kind::ignore) return "ignore";
  if (set.kind == RangeSet::Kind::unsatisfiable) return "unsatisfiable";
  std::string text;
  for (size_t i = 0; i < set.count; ++i) {
    const auto& range = set.ranges[i];
    CHECK(range.first <= range.last);
    CHECK(range.last < size);
    if (i > 0) text += ',';
    text += std::to_string(range.first) + '-' + std::to_string(range.last);
  }
  return text;
}

struct Case {
  const char* value;
  uint64_t size;
  const char* wanted;
};

void check_all(std::initializer_list<Case> cases) {
  for (const Case& one : cases) {
    const testing::Context context(std::string(one.value) + " of " + std::to_string(one.size));
    CHECK_EQ(ranges(one.value, one.size), one.wanted);
  }
}

}  // namespace

TEST(one_range_names_its_bytes) {
  check_all({
      {"bytes=0-0", 10, "0-0"},
      {"bytes=2-5", 10, "2-5"},
      {"bytes=5-", 10, "5-9"},
      {"bytes=0-", 10, "0-9"},
      {"bytes=9-", 10, "9-9"},
      {"bytes=0-99", 10, "0-9"},
      {"bytes=-3", 10, "7-9"},
      {"bytes=-10", 10, "0-9"},
      {"bytes=-99", 10, "0-9"},
      {"BYTES=1-2", 10, "1-2"},
      {"bytes= 1-2 ", 10, "1-2"},
      {"bytes=,1-2,,", 10, "1-2"},
      {"bytes=01-002", 10, "1-2"},
  });
}

TEST(ranges_outside_are_dropped_and_all_outside_is_unsatisfiable) {
  check_all({
      {"bytes=10-", 10, "unsatisfiable"},
      {"bytes=10-11", 10, "unsatisfiable"},
      {"bytes=-0", 10, "unsatisfiable"},
      {"bytes=10-,20-30,-0", 10, "unsatisfiable"},
      {"bytes=10-,2-3", 10, "2-3"},
      {"bytes=0-", 0, "unsatisfiable"},
      {"bytes=0-0", 0, "unsatisfiable"},
      {"bytes=-0", 0, "unsatisfiable"},
      // Satisfiable, but nothing that a Content-Range could name.
      {"bytes=-1", 0, "ignore"},
      {"bytes=0-,-1", 0, "ignore"},
  });
}

TEST(fields_that_are_no_byte_ranges_are_ignored) {
  for (const char* value :
       {"",           "bytes",       "bytes=",     "bytes=,",       "bytes=a",     "bytes=1",
        "bytes=-",    "bytes=1-2-3", "bytes=2-1",  "bytes=1-2,2-1", "bytes=0-1,x", "bytes=1 -2",
        "bytes=1- 2", "bytes=+1-2",  "bytes=1-+2", "bytes=--1",     "bytes=0x1-2", "bytes=1-a",
        "items=0-1",  "bytes =0-1",  " bytes=0-1", "=0-1",          "bytes=0-1;",  "bytes=\"0-1\"",
        "bytes:0-1",  "none"}) {
    const testing::Context context(value);
    CHECK_EQ(ranges(value, 10), "ignore");
  }
}

TEST(ranges_that_touch_become_one_in_the_order_asked_for) {
  check_all({
      {"bytes=0-1,5-6", 10, "0-1,5-6"},
      {"bytes=5-6,0-1", 10, "5-6,0-1"},
      {"bytes=0-4,2-6", 10, "0-6"},
      {"bytes=0-1,2-3", 10, "0-3"},
      {"bytes=2-3,0-1", 10, "0-3"},
      {"bytes=0-9,3-4", 10, "0-9"},
      {"bytes=3-4,0-", 10, "0-9"},
      {"bytes=8-8,0-0,4-4", 10, "8-8,0-0,4-4"},
      {"bytes=8-8,0-0,4-4,1-3", 10, "8-8,0-4"},
      {"bytes=8-8,0-0,4-4,5-7", 10, "4-8,0-0"},
      {"bytes=0-0,9-9,4-4,1-8", 10, "0-9"},
      {"bytes=0-0,2-2,4-4,6-6,3-3", 10, "0-0,2-4,6-6"},
      {"bytes=-1,0-0,-2", 10, "8-9,0-0"},
      {"bytes=0-0,0-0,0-0", 10, "0-0"},
  });
}

TEST(ranges_reach_beyond_four_gigabytes_and_never_overflow) {
  const uint64_t five_gib = 5368709120;
  check_all({
      {"bytes=4294967296-4294967297", five_gib, "4294967296-4294967297"},
      {"bytes=-1", five_gib, "5368709119-5368709119"},
      {"bytes=5368709119-", five_gib, "5368709119-5368709119"},
      {"bytes=0-18446744073709551615", 10, "0-9"},
      {"bytes=0-18446744073709551616", 10, "0-9"},
      {"bytes=0-99999999999999999999999999", 10, "0-9"},
      {"bytes=18446744073709551615-", 10, "unsatisfiable"},
      {"bytes=18446744073709551616-", 10, "unsatisfiable"},
      {"bytes=18446744073709551616-18446744073709551617", 10, "unsatisfiable"},
      {"bytes=-18446744073709551616", 10, "0-9"},
      {"bytes=-18446744073709551615", 10, "0-9"},
      // 2^64 must not come out as 0.
      {"bytes=18446744073709551616-5", 10, "ignore"},
      {"bytes=0-", kMax, "0-18446744073709551614"},
      {"bytes=18446744073709551614-,0-0", kMax, "18446744073709551614-18446744073709551614,0-0"},
      {"bytes=0-,18446744073709551614-", kMax, "0-18446744073709551614"},
      {"bytes=-1,-18446744073709551614", kMax, "1-18446744073709551614"},
  });
}

TEST(ranges_are_bounded_in_number) {
  std::string value = "bytes=";
  std::string wanted;
  for (size_t i = 0; i < kMaxRanges; ++i) {
    const std::string at = std::to_string(i * 2);
    value += (i > 0 ? "," : "") + at + "-" + at;
    wanted += (i > 0 ? "," : "") + at + "-" + at;
  }
  CHECK_EQ(ranges(value, 1000), wanted);
  CHECK_EQ(ranges(value + ",999-", 1000), "ignore");
  // Ranges that coalesce or lie outside count as well.
  std::string same = "bytes=0-0";
  for (size_t i = 0; i < kMaxRanges; ++i) same += ",0-0";
  CHECK_EQ(ranges(same, 1000), "ignore");
  std::string outside = "bytes=0-0";
  for (size_t i = 0; i < kMaxRanges; ++i) outside += ",2000-";
  CHECK_EQ(ranges(outside, 1000), "ignore");
}

TEST(ranges_have_lengths) {
  CHECK_EQ((sluice::http::ByteRange{0, 0}.length()), 1u);
  CHECK_EQ((sluice::http::ByteRange{5, 9}.length()), 5u);
}
