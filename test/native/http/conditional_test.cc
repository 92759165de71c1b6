// Preconditions: the table of RFC 9110 §13.2.2 for all methods, entity-tags, dates and If-Range.
#include "http/conditional.h"

#include <string>

#include "head_cases.h"

namespace {

using sluice::http::etag_weak_equal;
using sluice::http::evaluate_preconditions;
using sluice::http::if_range_matches;
using sluice::http::Precondition;
using sluice::http::RequestHead;
using sluice::http::Validators;

constexpr int64_t kModified = 784111777;
constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr int64_t kNow = kModified + 1000;
constexpr Validators kStrong{"\"a\"", kModified};
constexpr Validators kWeak{"W/\"a\"", kModified};

/// A parsed head with its bytes.
class Request {
 public:
  Request(std::string_view method, std::string_view fields)
      : bytes_(std::string(method) + " /x HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n") {
    const auto result = sluice::http::parse_request(bytes_, 0, {}, head);
    CHECK_EQ(result.status, sluice::http::ParseStatus::ok);
  }
  RequestHead head;

 private:
  std::string bytes_;
};

std::string outcome(std::string_view method, const std::string& fields,
                    const Validators& validators = kStrong) {
  const Request request(method, fields);
  switch (evaluate_preconditions(request.head, validators, kNow)) {
    case Precondition::pass: return "pass";
    case Precondition::not_modified: return "304";
    default: return "412";
  }
}

std::string field(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + std::string(value) + "\r\n";
}

bool range_applies(const std::string& value, const Validators& validators = kStrong,
                   int64_t now_s = kNow) {
  const Request request("GET", field("If-Range", value));
  return if_range_matches(request.head, validators, now_s);
}

}  // namespace

TEST(preconditions_follow_the_order_of_the_rfc_for_every_method) {
  // Each field absent, holding or not holding; m and n are the tags of If-Match and If-None-Match.
  const std::string match[] = {"", field("If-Match", "\"a\""), field("If-Match", "\"b\"")};
  const std::string unmodified[] = {"", field("If-Unmodified-Since", kDate),
                                    field("If-Unmodified-Since", kBefore)};
  const std::string none_match[] = {"", field("If-None-Match", "\"b\""),
                                    field("If-None-Match", "\"a\"")};
  const std::string modified[] = {"", field("If-Modified-Since", kBefore),
                                  field("If-Modified-Since", kDate)};
  for (const char* method :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"}) {
    const std::string name = method;
    const bool reads = name == "GET" || name == "HEAD";
    const bool ignores = name == "OPTIONS" || name == "TRACE";
    for (int i = 0; i < 81; ++i) {
      const int m = i % 3, u = i / 3 % 3, n = i / 9 % 3, s = i / 27;
      std::string wanted = "pass";
      if (n == 2) wanted = reads ? "304" : "412";
      if (n == 0 && s == 2 && reads) wanted = "304";
      if (m == 2 || (m == 0 && u == 2)) wanted = "412";
      if (ignores) wanted = "pass";
      const std::string fields = modified[s] + none_match[n] + unmodified[u] + match[m];
      const testing::Context context(name + " " + fields);
      CHECK_EQ(outcome(name, fields), wanted);
    }
  }
  const std::string connect = "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nIf-Match: \"b\"\r\n\r\n";
  RequestHead head;
  sluice::http::parse_request(connect, 0, {}, head);
  CHECK_EQ(evaluate_preconditions(head, kStrong, kNow), Precondition::pass);
}

TEST(if_match_compares_strongly) {
  CHECK_EQ(outcome("PUT", field("If-Match", "\"a\""), kStrong), "pass");
  CHECK_EQ(outcome("PUT", field("If-Match", "W/\"a\""), kStrong), "412");
  CHECK_EQ(outcome("PUT", field("If-Match", "\"a\""), kWeak), "412");
  CHECK_EQ(outcome("PUT", field("If-Match", "W/\"a\""), kWeak), "412");
  CHECK_EQ(outcome("PUT", field("If-Match", "*"), kWeak), "pass");
  CHECK_EQ(outcome("PUT", field("If-Match", "*"), {}), "pass");
  CHECK_EQ(outcome("PUT", field("If-Match", "\"\""), {}), "412");
}

TEST(if_none_match_compares_weakly) {
  for (const Validators& validators : {kStrong, kWeak}) {
    CHECK_EQ(outcome("GET", field("If-None-Match", "\"a\""), validators), "304");
    CHECK_EQ(outcome("GET", field("If-None-Match", "W/\"a\""), validators), "304");
    CHECK_EQ(outcome("GET", field("If-None-Match", "\"b\""), validators), "pass");
  }
  CHECK_EQ(outcome("GET", field("If-None-Match", "*")), "304");
  CHECK_EQ(outcome("PUT", field("If-None-Match", "*")), "412");
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"a\""), {}), "pass");
}

TEST(entity_tags_come_in_lists_and_may_hold_commas) {
  const Validators comma{"\"x,y\"", -1};
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"q\", \"a\"")), "304");
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"q\",W/\"a\",\"r\"")), "304");
  CHECK_EQ(outcome("GET", field("If-None-Match", ", ,\"q\" ,\t\"a\" ,")), "304");
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"q\"") + field("If-None-Match", "\"a\"")),
           "304");
  CHECK_EQ(
      outcome("PUT", field("If-Match", "\"q\"") + field("X", "y") + field("If-Match", "\"a\"")),
      "pass");
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"x,y\""), comma), "304");
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"q\", \"x,y\""), comma), "304");
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"q,\"a\"")), "pass");
  CHECK_EQ(outcome("GET", field("If-None-Match", "\"\x80\xff!#~\""), {"\"\x80\xff!#~\"", -1}),
           "304");
}

TEST(malformed_entity_tags_match_nothing) {
  for (const char* value :
       {"", "a", "\"a", "a\"", "'a'", "w/\"a\"", "W\"a\"", "W/ \"a\"", "\"a\"x", "\"a\" \"b\"",
        "**", "*, \"b\"", "b, \"a\"", "\"a b\", \"a\"", "\"A\"", "\"a\tb\"", "W/W/\"a\"", "W/"}) {
    const testing::Context context(value);
    CHECK_EQ(outcome("GET", field("If-None-Match", value)), "pass");
    CHECK_EQ(outcome("PUT", field("If-Match", value)), "412");
  }
}

TEST(date_conditions_are_ignored_unless_they_are_one_date) {
  for (const char* value : {"", "0", "yesterday", "Sun, 06 Nov 1994 08:49:37",
                            "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"}) {
    CHECK_EQ(outcome("GET", field("If-Modified-Since", value)), "pass");
    CHECK_EQ(outcome("PUT", field("If-Unmodified-Since", value)), "pass");
  }
  const std::string two = field("If-Modified-Since", kDate) + field("If-Modified-Since", kDate);
  CHECK_EQ(outcome("GET", two), "pass");
  const std::string both =
      field("If-Unmodified-Since", kBefore) + field("If-Unmodified-Since", kBefore);
  CHECK_EQ(outcome("GET", both), "pass");
}

TEST(date_conditions_compare_in_all_forms) {
  CHECK_EQ(outcome("GET", field("If-Modified-Since", kAfter)), "304");
  CHECK_EQ(outcome("GET", field("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT")), "304");
  CHECK_EQ(outcome("GET", field("If-Modified-Since", "Sun Nov  6 08:49:36 1994")), "pass");
  CHECK_EQ(outcome("PUT", field("If-Unmodified-Since", kAfter)), "pass");
  CHECK_EQ(outcome("PUT", field("If-Unmodified-Since", "Sun Nov  6 08:49:36 1994")), "412");
  CHECK_EQ(outcome("GET", field("If-Modified-Since", kAfter), {"\"a\"", -1}), "pass");
  CHECK_EQ(outcome("PUT", field("If-Unmodified-Since", kBefore), {"\"a\"", -1}), "pass");
}

TEST(if_range_applies_by_strong_comparison_only) {
  CHECK(if_range_matches(Request("GET", "").head, kStrong, kNow));
  CHECK(range_applies("\"a\""));
  CHECK(!range_applies("\"b\""));
  CHECK(!range_applies("W/\"a\""));
  CHECK(!range_applies("\"a\"", kWeak));
  CHECK(!range_applies("W/\"a\"", kWeak));
  CHECK(!range_applies("\"a\", \"a\""));
  CHECK(!range_applies("\"a"));
  CHECK(!range_applies("a"));
  CHECK(!range_applies("*"));
  CHECK(!range_applies(""));
  CHECK(!range_applies("\"a\"", {}));
  const std::string two = field("If-Range", "\"a\"") + field("If-Range", "\"a\"");
  CHECK(!if_range_matches(Request("GET", two).head, kStrong, kNow));
}

TEST(if_range_takes_the_exact_date_of_a_file_that_has_settled) {
  CHECK(range_applies(kDate));
  CHECK(range_applies("Sun Nov  6 08:49:37 1994"));
  CHECK(!range_applies(kBefore));
  CHECK(!range_applies(kAfter));
  CHECK(!range_applies(kDate, kStrong, kModified));
  CHECK(!range_applies(kDate, kStrong, kModified + 1));
  CHECK(range_applies(kDate, kStrong, kModified + 2));
  CHECK(!range_applies(kDate, {"\"a\"", -1}));
}

TEST(entity_tags_compare_weakly) {
  CHECK(etag_weak_equal("\"a\"", "\"a\""));
  CHECK(etag_weak_equal("W/\"a\"", "\"a\""));
  CHECK(etag_weak_equal("\"a\"", "W/\"a\""));
  CHECK(etag_weak_equal("W/\"a\"", "W/\"a\""));
  CHECK(!etag_weak_equal("\"a\"", "\"b\""));
  CHECK(!etag_weak_equal("\"a\"", ""));
  CHECK(!etag_weak_equal("", ""));
}
