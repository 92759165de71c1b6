// What route keys mean, one rule a test: which key wins, what '*' and parameters catch, which keys
// are refused, which methods a 405 names. The model in route_model_test.cc covers the combinations.
#include "route/route_table.h"

#include <string>
#include <vector>

#include "testing.h"

namespace {

using sluice::route::AddResult;
using sluice::route::kNoRoute;
using sluice::route::Match;
using sluice::route::RouteTable;

struct Key {
  const char* method;
  const char* host;
  const char* path;
};

/// Routes are numbered in order.
RouteTable table_of(const std::vector<Key>& keys) {
  RouteTable table;
  uint32_t route = 0;
  for (const Key& key : keys) {
    const AddResult added = table.add(route++, key.method, key.host, key.path);
    CHECK_EQ(added.problem, "");
    CHECK(added.ok);
  }
  table.finish();
  return table;
}

Match match(const RouteTable& table, std::string_view path, std::string_view method = "GET",
            std::string_view host = "example.com") {
  Match result;
  table.match(method, host, path, result);
  return result;
}

uint32_t route_of(const RouteTable& table, std::string_view path, std::string_view method = "GET",
                  std::string_view host = "example.com") {
  return match(table, path, method, host).route;
}

std::string problem_of(const std::vector<Key>& keys) {
  RouteTable table;
  uint32_t route = 0;
  for (const Key& key : keys) {
    AddResult added = table.add(route++, key.method, key.host, key.path);
    if (!added.ok) return added.problem;
  }
  return "";
}

std::string allow_of(const RouteTable& table, std::string_view path, std::string_view method) {
  const Match result = match(table, path, method);
  CHECK_EQ(result.route, kNoRoute);
  std::string text;
  if (result.allow == nullptr) return "none";
  for (const std::string_view name : *result.allow)
    text += (text.empty() ? "" : " ") + std::string(name);
  return text;
}

TEST(literal_wins_over_parameter_and_parameter_over_rest) {
  const RouteTable table = table_of(
      {{"", "", "/*"}, {"", "", "/:name"}, {"", "", "/a"}, {"", "", "/:x/b"}, {"", "", "/a/*"}});
  CHECK_EQ(route_of(table, "/a"), 2);
  CHECK_EQ(route_of(table, "/z"), 1);
  CHECK_EQ(route_of(table, "/z/z"), 0);
  CHECK_EQ(route_of(table, "/z/b"), 3);
  CHECK_EQ(route_of(table, "/a/b"), 4);  // the first segment decides
}

TEST(lookup_turns_back_from_a_literal_that_leads_nowhere) {
  const RouteTable table = table_of({{"", "", "/a/b/c"}, {"", "", "/:x/b/d"}, {"", "", "/a/:y/e"}});
  CHECK_EQ(route_of(table, "/a/b/c"), 0);
  CHECK_EQ(route_of(table, "/a/b/d"), 1);
  const Match found = match(table, "/a/b/e");
  CHECK_EQ(found.route, 2);
  CHECK_EQ(found.param_count, 1);
  CHECK_EQ(found.params[0], "b");
  const Match none = match(table, "/a/b/f");
  CHECK_EQ(none.route, kNoRoute);
  CHECK_EQ(none.param_count, 0);
}

TEST(rest_is_what_follows_with_its_slash) {
  const RouteTable table = table_of({{"", "", "/docs/*"}, {"", "", "/"}});
  CHECK_EQ(match(table, "/docs").rest, "");
  CHECK_EQ(match(table, "/docs").route, 0);
  CHECK_EQ(match(table, "/docs/").rest, "/");
  CHECK_EQ(match(table, "/docs/a//b/").rest, "/a//b/");
  CHECK_EQ(match(table, "/docs/%41").rest, "/%41");
  CHECK_EQ(route_of(table, "/"), 1);
  CHECK_EQ(match(table, "/").rest, "");
  const RouteTable all = table_of({{"", "", "/*"}});
  CHECK_EQ(match(all, "/").rest, "/");
  CHECK_EQ(match(all, "/a").rest, "/a");
}

TEST(prefixes_match_whole_segments) {
  const RouteTable table = table_of({{"", "", "/files/*"}, {"", "", "/exact"}});
  CHECK_EQ(route_of(table, "/filesystem"), kNoRoute);
  CHECK_EQ(route_of(table, "/file"), kNoRoute);
  CHECK_EQ(route_of(table, "/exact/"), kNoRoute);
  CHECK_EQ(route_of(table, "/exact"), 1);
}

TEST(trailing_slash_is_a_path_of_its_own) {
  const RouteTable table = table_of({{"", "", "/a"}, {"", "", "/a/"}, {"", "", "/b/:x"}});
  CHECK_EQ(route_of(table, "/a"), 0);
  CHECK_EQ(route_of(table, "/a/"), 1);
  CHECK_EQ(route_of(table, "/b/"), kNoRoute);  // a parameter is never empty
}

TEST(segments_are_compared_decoded_and_a_decoded_slash_splits_nothing) {
  const RouteTable table =
      table_of({{"", "", "/caf\xc3\xa9/x"}, {"", "", "/100%/*"}, {"", "", "/:p"}});
  CHECK_EQ(route_of(table, "/caf%C3%a9/x"), 0);
  CHECK_EQ(route_of(table, "/%63af\xc3\xa9/%78"), 0);
  CHECK_EQ(route_of(table, "/100%25/y"), 1);
  CHECK_EQ(route_of(table, "/100%/y"), 1);
  CHECK_EQ(match(table, "/caf%C3%A9%2Fx").route, 2);
  CHECK_EQ(match(table, "/caf%C3%A9%2Fx").params[0], "caf%C3%A9%2Fx");  // as received
}

TEST(exact_host_wins_over_longer_wildcard_over_shorter_over_any) {
  const RouteTable table = table_of({{"", "", "/*"},
                                     {"", "*.com", "/*"},
                                     {"", "*.example.com", "/*"},
                                     {"", "www.example.com", "/only"},
                                     {"", "[::1]", "/*"}});
  CHECK_EQ(route_of(table, "/only", "GET", "www.example.com"), 3);
  CHECK_EQ(route_of(table, "/only", "GET", "WWW.Example.COM."), 3);
  CHECK_EQ(route_of(table, "/x", "GET", "www.example.com"), 2);  // the host has no such path
  CHECK_EQ(route_of(table, "/x", "GET", "a.b.example.com"), 2);
  CHECK_EQ(route_of(table, "/x", "GET", "example.com"), 1);  // one label at least before it
  CHECK_EQ(route_of(table, "/x", "GET", "notexample.com"), 1);
  CHECK_EQ(route_of(table, "/x", "GET", "example.org"), 0);
  CHECK_EQ(route_of(table, "/x", "GET", ".example.com"), 1);
  CHECK_EQ(route_of(table, "/x", "GET", "[::1]"), 4);
  CHECK_EQ(route_of(table, "/x", "GET", ""), 0);
  CHECK_EQ(route_of(table, "/x", "GET", std::string(3'000, 'a') + ".com"), 0);
}

TEST(host_counts_before_path) {
  const RouteTable table = table_of({{"", "", "/very/exact/path"}, {"", "example.com", "/*"}});
  CHECK_EQ(route_of(table, "/very/exact/path"), 1);
  CHECK_EQ(route_of(table, "/very/exact/path", "GET", "other"), 0);
}

TEST(method_named_wins_over_any_but_counts_after_the_path) {
  const RouteTable table = table_of({{"", "", "/a"},
                                     {"POST", "", "/a"},
                                     {"GET", "", "/*"},
                                     {"PUT", "", "/b/*"},
                                     {"", "", "/b/c"}});
  CHECK_EQ(route_of(table, "/a", "POST"), 1);
  CHECK_EQ(route_of(table, "/a", "GET"), 0);
  CHECK_EQ(route_of(table, "/a", "BREW"), 0);
  CHECK_EQ(route_of(table, "/b/c", "PUT"), 4);
}

TEST(pattern_that_does_not_take_the_method_hides_nothing) {
  const RouteTable table = table_of({{"POST", "example.com", "/a"}, {"GET", "", "/*"}});
  CHECK_EQ(route_of(table, "/a", "POST"), 0);
  CHECK_EQ(route_of(table, "/a", "GET"), 1);
}

TEST(head_goes_to_get_unless_it_has_a_route_of_its_own) {
  const RouteTable table =
      table_of({{"GET", "", "/a"}, {"GET", "", "/b"}, {"HEAD", "", "/b"}, {"", "", "/a"}});
  CHECK_EQ(route_of(table, "/a", "HEAD"), 0);
  CHECK_EQ(route_of(table, "/b", "HEAD"), 2);
  CHECK_EQ(route_of(table, "/b", "GET"), 1);
}

TEST(allow_names_the_methods_of_all_patterns_that_match) {
  const RouteTable table = table_of(
      {{"POST", "", "/a"}, {"GET", "", "/:x"}, {"DELETE", "example.com", "/*"}, {"PUT", "", "/b"}});
  CHECK_EQ(allow_of(table, "/a", "PATCH"), "DELETE GET HEAD POST");
  CHECK_EQ(allow_of(table, "/c", "PATCH"), "DELETE GET HEAD");
  CHECK_EQ(allow_of(table, "/b", "get"), "DELETE GET HEAD PUT");  // methods are case-sensitive
  const RouteTable other = table_of({{"GET", "", "/a"}});
  CHECK_EQ(allow_of(other, "/b", "GET"), "none");
  CHECK_EQ(allow_of(other, "/a", "POST"), "GET HEAD");
}

TEST(allow_stays_bounded_with_absurdly_many_unions) {
  RouteTable table;
  std::string path;
  for (uint32_t i = 0; i < 40; ++i) {
    const std::string method = "M" + std::to_string(i);
    CHECK(table.add(i, method, "", path + "/*").ok);
    path += "/a";
  }
  table.finish();
  const Match found = match(table, path, "GET");
  CHECK_EQ(found.route, kNoRoute);
  REQUIRE(found.allow != nullptr);
  CHECK_EQ(found.allow->front(), "M39");  // at least the most specific one's
}

TEST(keys_that_tie_are_refused_naming_both) {
  const std::string problem =
      problem_of({{"GET", "a.com", "/x/:id/*"}, {"GET", "a.com", "/x/:name/*"}});
  CHECK(problem.find("'GET a.com/x/:id/*'") != problem.npos);
  CHECK(problem.find("'GET a.com/x/:name/*'") != problem.npos);
  CHECK_EQ(
      problem_of({{"GET", "", "/x"}, {"", "", "/x"}, {"GET", "a.com", "/x"}, {"GET", "", "/x/"}}),
      "");
}

TEST(malformed_keys_are_refused) {
  for (const char* path :
       {"", "a", "*", "/a*", "/*/a", "/a//b", "/:", "/:1", "/:a-b", "/:a/:a", "/..", "/a/./b"}) {
    const testing::Context context(path);
    CHECK(problem_of({{"", "", path}}) != "");
  }
  for (const char* host :
       {"A.com", "a.com:80", "*.", "*", "a..b", ".a", "a.", "*.*.a", "a b", "a*"}) {
    const testing::Context context(host);
    CHECK(problem_of({{"", host, "/"}}) != "");
  }
  for (const char* method : {"get", "G T", "GET,"}) {
    const testing::Context context(method);
    CHECK(problem_of({{method, "", "/"}}) != "");
  }
}

TEST(bounds_of_segments_parameters_and_methods_hold) {
  std::string path;
  for (size_t i = 0; i < sluice::route::kMaxSegments; ++i) path += "/a";
  const RouteTable table = table_of({{"", "", "/*"}, {"", "", path.c_str()}});
  CHECK_EQ(route_of(table, path), 1);
  CHECK_EQ(route_of(table, path + "/a"), kNoRoute);
  CHECK(problem_of({{"", "", (path + "/a").c_str()}}) != "");
  std::string params;
  for (size_t i = 0; i < sluice::route::kMaxParams; ++i) params += "/:p" + std::to_string(i);
  const RouteTable full = table_of({{"", "", params.c_str()}});
  CHECK_EQ(match(full, "/0/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15").params[15], "15");
  CHECK_EQ(full.param_names(0).size(), 16);
  CHECK_EQ(full.param_names(0)[15], "p15");
  CHECK(full.param_names(77).empty());
  CHECK(problem_of({{"", "", (params + "/:more").c_str()}}) != "");
}

TEST(asterisk_form_and_empty_paths_have_no_route) {
  const RouteTable table = table_of({{"", "", "/*"}});
  CHECK_EQ(route_of(table, "*", "OPTIONS"), kNoRoute);
  CHECK_EQ(route_of(table, ""), kNoRoute);
  CHECK(match(table, "*").allow == nullptr);
}

}  // namespace
