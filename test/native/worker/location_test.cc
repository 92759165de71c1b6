// Locations of redirects: what each variable becomes, and that no request can choose the host that
// the visitor is sent to. Paths come as the parser lets them through.
#include "worker/location.h"

#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.h"
#include "testing.h"

namespace {

using sluice::http::ParseStatus;
using sluice::http::RequestHead;
using sluice::route::Match;
using sluice::route::RedirectAction;
using sluice::route::RouteTable;
using sluice::route::TemplatePart;
using Kind = TemplatePart::Kind;

TemplatePart literal(std::string text) { return {Kind::literal, std::move(text), 0}; }
TemplatePart variable(Kind kind) { return {kind, "", 0}; }

struct Case {
  std::string_view pattern;
  std::string_view target;
  std::vector<TemplatePart> location;
  std::string_view wanted;
  bool keep_query = true;
};

/// The Location for a GET of `target`; "(refused)" when the parser does not let it through.
std::string location_of(const Case& each) {
  RouteTable table;
  CHECK(table.add(0, "", "", each.pattern).ok);
  table.finish();
  std::string request("GET ");
  request.append(each.target).append(" HTTP/1.1\r\nHost: here.example:81\r\n\r\n");
  RequestHead head;
  if (sluice::http::parse_request(request, 0, {}, head).status != ParseStatus::ok) {
    return "(refused)";
  }
  Match match;
  table.match("GET", head.host, head.path, match);
  CHECK_EQ(match.route, 0);
  RedirectAction action;
  action.location = each.location;
  action.keep_query = each.keep_query;
  return sluice::worker::make_location(action, head, match);
}

void check_all(const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    const testing::Context context(std::string(each.target));
    CHECK_EQ(location_of(each), each.wanted);
  }
}

TEST(location_takes_what_the_template_names) {
  const TemplatePart path = variable(Kind::path);
  const TemplatePart query = variable(Kind::query);
  const TemplatePart host = variable(Kind::host);
  const TemplatePart rest = variable(Kind::rest);
  check_all({
      {"/*", "/a/b", {literal("https://x.example"), path}, "https://x.example/a/b"},
      {"/*", "/a?b=c", {literal("https://x.example"), path}, "https://x.example/a?b=c"},
      {"/*", "/a?b=c", {path}, "/a", false},
      {"/*", "/a?b", {literal("/find"), query}, "/find?b", false},
      {"/*", "/a", {literal("/find"), query}, "/find", false},
      {"/*", "/a", {literal("https://"), host, path}, "https://here.example/a"},
      {"/old/*", "/old/a/b", {literal("/new"), rest}, "/new/a/b"},
      {"/old/*", "/old", {literal("/new"), rest}, "/new"},
      {"/old/*", "/old/", {literal("/new"), rest}, "/new/"},
      {"/old/*", "/old", {rest}, "/"},
      {"/old/*", "/old?q", {rest}, "/?q"},
      {"/:first/:second",
       "/a/b",
       {literal("/"), {Kind::param, "", 1}, literal("/"), {Kind::param, "", 0}},
       "/b/a"},
      {"/:name", "/a%2Fb%20c", {literal("/n/"), {Kind::param, "", 0}}, "/n/a%2Fb%20c"},
  });
}

TEST(location_never_leads_to_a_host_that_the_visitor_chose) {
  const TemplatePart path = variable(Kind::path);
  const TemplatePart rest = variable(Kind::rest);
  check_all({
      {"/*", "//evil.example/a", {path}, "/evil.example/a"},
      {"/*", "///evil.example", {path}, "/evil.example"},
      {"/*", "//evil.example", {rest}, "/evil.example"},
      {"/old/*", "/old//evil.example", {rest}, "/evil.example"},
      {"/old/*", "/old//evil.example", {literal("/"), rest}, "/evil.example"},
      {"/*", "//evil.example?q", {path}, "/evil.example?q"},
      {"/*", "//evil.example//x", {path}, "/evil.example//x"},
      {"/*", "http://evil.example//other.example/", {path}, "/other.example/"},
      {"/:name", "/evil.example", {literal("/"), {Kind::param, "", 0}}, "/evil.example"},
      // Browsers read a backslash as a slash; no path with one gets as far as a route.
      {"/*", "/\\evil.example", {path}, "(refused)"},
      {"/*", "/a\\..\\evil.example", {path}, "(refused)"},
      {"/*", "/.//evil.example", {path}, "(refused)"},
      {"/*", "/%2e//evil.example", {path}, "(refused)"},
      // Percent-encoded, neither is a slash to anybody.
      {"/*", "/%2F%2Fevil.example", {path}, "/%2F%2Fevil.example"},
      {"/*", "/%5Cevil.example", {path}, "/%5Cevil.example"},
  });
}

TEST(location_behind_a_host_of_the_author_stays_there) {
  const TemplatePart path = variable(Kind::path);
  check_all({
      {"/*",
       "//evil.example",
       {literal("https://x.example"), path},
       "https://x.example//evil.example"},
      {"/*",
       "/@evil.example",
       {literal("https://x.example"), path},
       "https://x.example/@evil.example"},
      {"/*", "http://evil.example", {literal("https://x.example"), path}, "https://x.example/"},
      {"/*", "/a", {literal("//cdn.example"), path}, "//cdn.example/a"},
  });
}

TEST(location_cannot_be_given_a_second_line) {
  const TemplatePart path = variable(Kind::path);
  check_all({
      {"/*", "/a\r\nSet-Cookie: b", {path}, "(refused)"},
      {"/*", "/a\nb", {path}, "(refused)"},
      {"/*", "/a%0d%0aSet-Cookie:%20b", {path}, "/a%0d%0aSet-Cookie:%20b"},
  });
}

}  // namespace
