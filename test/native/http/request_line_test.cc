// Request lines: methods, the four forms of targets, versions, and what must not pass for them.
// Every input also runs at every split point (head_cases.h).
#include <string>

#include "head_cases.h"

namespace {

using head_cases::Accepted;
using head_cases::check_all_refused;
using head_cases::check_refused;
using head_cases::HeadLimits;
using sluice::ErrorCode;
using sluice::http::Method;

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string request(std::string_view line) { return std::string(line) + "\r\nHost: a\r\n\r\n"; }

}  // namespace

TEST(request_line_accepts_every_registered_method_and_unknown_tokens) {
  const std::pair<const char*, Method> methods[] = {
      {"GET", Method::get},
      {"HEAD", Method::head},
      {"POST", Method::post},
      {"PUT", Method::put},
      {"DELETE", Method::delete_},
      {"OPTIONS", Method::options},
      {"TRACE", Method::trace},
      {"PATCH", Method::patch},
      {"PROPFIND", Method::other},
      {"get", Method::other},
      {"M-SEARCH", Method::other},
      {"!#$%&'*+-.^_`|~0", Method::other},
      {"GETX", Method::other},
      {"GE", Method::other},
      {"BASELINE-CONTROL", Method::other},
      {"X234567890123456789012345678901X", Method::other},
  };
  for (const auto& [name, method] : methods) {
    const Accepted head(request(std::string(name) + " /x HTTP/1.1"));
    CHECK_EQ(head->method_text, name);
    CHECK_EQ(head->method, method);
  }
}

TEST(request_line_splits_origin_form) {
  const Accepted head(get("/a/b;p=1?c=d&e=/?f"));
  CHECK_EQ(head->target, "/a/b;p=1?c=d&e=/?f");
  CHECK_EQ(head->path, "/a/b;p=1");
  CHECK_EQ(head->query, "?c=d&e=/?f");
  CHECK_EQ(head->host, "a");
  CHECK_EQ(Accepted(get("/?"))->query, "?");
  CHECK_EQ(Accepted(get("/"))->query, "");
  CHECK_EQ(Accepted(get("//"))->path, "//");
  CHECK_EQ(Accepted(get("/http://b/"))->path, "/http://b/");
}

TEST(request_line_knows_paths_that_need_no_normalising) {
  for (const char* target : {"/", "/a", "/a/b.c/", "/a?x=%20//", "/..a/.b/c..", "/a.b?/../"}) {
    CHECK(Accepted(get(target))->path_is_plain);
  }
  for (const char* target : {"//", "/a//b", "/%41", "/a%20b", "/a//", "/%zz"}) {
    CHECK(!Accepted(get(target))->path_is_plain);
  }
}

TEST(request_line_lets_the_authority_of_absolute_form_win) {
  const Accepted head("GET http://B.example:8080/x?y HTTP/1.1\r\nHost: other:1\r\n\r\n");
  CHECK_EQ(head->host, "B.example");
  CHECK_EQ(head->port, "8080");
  CHECK_EQ(head->path, "/x");
  CHECK_EQ(head->query, "?y");
  CHECK_EQ(Accepted(get("HTTPS://[::1]/"))->host, "[::1]");
  CHECK_EQ(Accepted(get("http://b"))->path, "/");
  CHECK_EQ(Accepted(get("http://b?q"))->path, "/");
  CHECK_EQ(Accepted(get("http://b?q"))->query, "?q");
  CHECK_EQ(Accepted(get("http://b:/"))->port, "");
  CHECK_EQ(Accepted("GET http://b/ HTTP/1.0\r\n\r\n")->host, "b");
  check_refused("GET http://b/ HTTP/1.1\r\n\r\n", ErrorCode::missing_host);
  check_refused("GET http://b/ HTTP/1.1\r\nHost: @\r\n\r\n", ErrorCode::bad_host);
}

TEST(request_line_takes_asterisk_form_for_options_only) {
  CHECK_EQ(Accepted(request("OPTIONS * HTTP/1.1"))->path, "*");
  CHECK_EQ(Accepted(request("OPTIONS http://b HTTP/1.1"))->path, "*");
  CHECK_EQ(Accepted(request("OPTIONS http://b/ HTTP/1.1"))->path, "/");
  CHECK_EQ(Accepted(request("OPTIONS http://b?q HTTP/1.1"))->path, "/");
  check_refused(get("*"), ErrorCode::bad_target);
  check_refused(request("OPTIONS ** HTTP/1.1"), ErrorCode::bad_target);
  check_refused(request("OPTIONS *?q HTTP/1.1"), ErrorCode::bad_target);
}

TEST(request_line_takes_authority_form_for_connect_only) {
  const Accepted head(request("CONNECT b.example:443 HTTP/1.1"));
  CHECK_EQ(head->method, Method::connect);
  CHECK_EQ(head->host, "b.example");
  CHECK_EQ(head->port, "443");
  CHECK_EQ(head->path, "");
  check_refused(get("b.example:443"), ErrorCode::bad_target);
  for (const char* target : {"/", "b", "b:", "b:x", "http://b:1/", "b:1/", "u@b:1", "*", ":1"}) {
    check_refused(request("CONNECT " + std::string(target) + " HTTP/1.1"), ErrorCode::bad_target);
  }
}

TEST(request_line_refuses_targets_of_no_form) {
  for (const char* target :
       {"x", "x/y", "?q", "ftp://b/", "http:/b/", "http:///x", "http://", "http://u@b/", "https:b",
        "http://b:65536/", "http://[::1/", "http://b\\c/", "HTTPX://b/", "http//b", "file:///x"}) {
    check_refused(get(target), ErrorCode::bad_target);
  }
}

TEST(request_line_accepts_the_target_characters_that_browsers_send) {
  CHECK_EQ(Accepted(get("/a|b^c`d{e}[f]"))->path, "/a|b^c`d{e}[f]");
  CHECK_EQ(Accepted(get("/?a\\b^`{|}'()"))->query, "?a\\b^`{|}'()");
  CHECK_EQ(Accepted(get("/!$&'()*+,;=:@-._~%41"))->path, "/!$&'()*+,;=:@-._~%41");
}

TEST(request_line_refuses_every_other_target_character) {
  for (int c = 0; c < 256; ++c) {
    const bool visible =
        c > 0x20 && c < 0x7f &&
        std::string_view("\"#<>\\").find(static_cast<char>(c)) == std::string::npos;
    if (visible || c == ' ' || c == '\r' || c == '\n') continue;
    // In the path before, within and behind what one vector register holds.
    for (size_t before : {0u, 5u, 14u, 15u, 16u, 40u}) {
      const std::string target = "/" + std::string(before, 'a') + static_cast<char>(c) + "b";
      check_refused(get(target), ErrorCode::bad_target);
      if (c != '\\') check_refused(get("/?" + target), ErrorCode::bad_target);
    }
  }
}

TEST(request_line_refuses_dot_segments_plain_or_encoded) {
  for (const char* target :
       {"/.",      "/..",       "/../",          "/./",           "/a/..",
        "/a/../b", "/a/./b",    "/%2e",          "/%2E%2e/",      "/.%2e/a",
        "/a/%2E.", "/..%2fetc", "/a/..%5Cb",     "/..;/b",        "/a/.;x=1/b",
        "//..",    "/a%2f../b", "http://b/../c", "http://b/a/..", "/%2e%2e%2fetc?x"}) {
    check_refused(get(target), ErrorCode::dot_segment);
  }
  for (const char* target : {"/...", "/.a", "/a.", "/a..", "/..a", "/%2e%2e%2e", "/a?/../b",
                             "/a;..", "/%252e%252e/", "/.well-known/x"}) {
    CHECK_EQ(Accepted(get(target))->host, "a");
  }
}

TEST(request_line_knows_versions) {
  CHECK_EQ(Accepted("GET / HTTP/1.0\r\n\r\n")->minor_version, 0);
  CHECK_EQ(Accepted(get("/"))->minor_version, 1);
  check_all_refused({
      {"2.0", "GET / HTTP/2.0\r\n", ErrorCode::unsupported_version},
      {"0.9", "GET / HTTP/0.9\r\n", ErrorCode::unsupported_version},
      {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ErrorCode::unsupported_version},
      {"1.2", "GET / HTTP/1.2\r\n", ErrorCode::bad_version},
      {"two digits", "GET / HTTP/1.10\r\n", ErrorCode::bad_request_line},
      {"no minor", "GET / HTTP/1\r\n", ErrorCode::bad_version},
      {"no dot", "GET / HTTP/11 \r\n", ErrorCode::bad_version},
      {"lower case", "GET / http/1.1\r\n", ErrorCode::bad_version},
      {"another protocol", "GET / ICY/1.1\r\n", ErrorCode::bad_request_line},
      {"another protocol with H", "GET / HTCPCP/1.0\r\n", ErrorCode::bad_version},
      {"letter", "GET / HTTP/1.x\r\n", ErrorCode::bad_version},
      {"HTTP/0.9 request", "GET /\r\n", ErrorCode::bad_request_line},
      {"no version", "GET / \r\n", ErrorCode::bad_request_line},
  });
}

TEST(request_line_refuses_other_white_space_than_one_space) {
  check_all_refused({
      {"two before target", "GET  / HTTP/1.1\r\n", ErrorCode::bad_request_line},
      {"two before version", "GET /  HTTP/1.1\r\n", ErrorCode::bad_request_line},
      {"behind version", "GET / HTTP/1.1 \r\n", ErrorCode::bad_request_line},
      {"tab before target", "GET\t/ HTTP/1.1\r\n", ErrorCode::bad_method},
      {"tab before version", "GET /\tHTTP/1.1\r\n", ErrorCode::bad_target},
      {"tab behind version", "GET / HTTP/1.1\t\r\n", ErrorCode::bad_request_line},
      {"leading", " GET / HTTP/1.1\r\n", ErrorCode::bad_method},
      {"space in target", "GET /a b HTTP/1.1\r\n", ErrorCode::bad_request_line},
      {"vertical tab", "GET\v/ HTTP/1.1\r\n", ErrorCode::bad_method},
      {"no target", "GET  HTTP/1.1\r\n", ErrorCode::bad_request_line},
      {"nothing but the method", "GET\r\n\r\n", ErrorCode::bad_request_line},
      {"method and space", "GET \r\n\r\n", ErrorCode::bad_request_line},
  });
}

TEST(request_line_refuses_bare_line_ends) {
  check_all_refused({
      {"LF behind version", "GET / HTTP/1.1\nHost: a\r\n\r\n", ErrorCode::bad_line_ending},
      {"CR behind version", "GET / HTTP/1.1\rHost: a\r\n\r\n", ErrorCode::bad_line_ending},
      {"CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", ErrorCode::bad_line_ending},
      {"LF in target", "GET /a\nb HTTP/1.1\r\n", ErrorCode::bad_line_ending},
      {"CR in target", "GET /a\rb HTTP/1.1\r\n", ErrorCode::bad_line_ending},
      {"CRLF in target", "GET /a\r\nb HTTP/1.1\r\n", ErrorCode::bad_request_line},
      {"LF in method", "GE\nT / HTTP/1.1\r\n", ErrorCode::bad_line_ending},
      {"empty line of LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ErrorCode::bad_line_ending},
      {"empty line of CR", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", ErrorCode::bad_line_ending},
  });
}

TEST(request_line_skips_one_empty_line) {
  const std::string input = "\r\n" + get("/");
  CHECK_EQ(head_cases::parse(input).result.consumed, input.size());
  CHECK_EQ(Accepted(input)->path, "/");
  check_refused("\r\n\r\n" + get("/"), ErrorCode::bad_request_line);
}

TEST(request_line_refuses_at_once_what_cannot_begin_a_request) {
  const std::string_view inputs[] = {
      {"\x16\x03\x01\x02\x00", 5}, {"\0", 1}, "\x80", "@", "\"", ":", "\x7f", "\x01", "{", "GET:",
      "SSH-2.0-OpenSSH_9\r\n",     "G\x80"};
  for (std::string_view input : inputs) {
    CHECK_EQ(head_cases::parse(input).result.status, head_cases::ParseStatus::error);
  }
  check_refused(std::string(33, 'A'), ErrorCode::bad_method);
  CHECK_EQ(head_cases::parse(std::string(32, 'A')).result.status,
           head_cases::ParseStatus::need_more);
}

TEST(request_line_that_is_complete_and_wrong_is_refused_at_once) {
  const std::string longer(60, 'a');
  for (const std::string& before : {std::string(), std::string("\r\n")}) {
    check_refused(before + "GET /" + longer + "#b HTTP/1.1\r\n", ErrorCode::bad_target);
    check_refused(before + "GET /" + longer + "/.. HTTP/1.1\r\n", ErrorCode::dot_segment);
    check_refused(before + "GET " + longer + " HTTP/1.1\r\n", ErrorCode::bad_target);
    check_refused(before + "GET /" + longer + " HTTP/3.0\r\n", ErrorCode::unsupported_version);
    check_refused(before + "GET /" + longer + " HTTP/1.1 \r\n", ErrorCode::bad_request_line);
  }
}

TEST(request_line_bounds_the_target_as_soon_as_it_is_passed) {
  HeadLimits limits;
  limits.target_bytes = 100;
  const std::string longest = "/" + std::string(99, 'a');
  CHECK_EQ(Accepted(get(longest), limits)->target.size(), 100u);
  CHECK_EQ(Accepted("\r\n" + get(longest), limits)->target.size(), 100u);
  check_refused(get(longest + "a"), ErrorCode::target_too_long, limits);
  for (std::string_view before : {"GET ", "\r\nPROPFIND ", "X "}) {
    const std::string good = std::string(before) + longest;
    CHECK_EQ(head_cases::parse_every_way(good, limits).result.status,
             head_cases::ParseStatus::need_more);
    check_refused(good + "a", ErrorCode::target_too_long, limits);
  }
}
