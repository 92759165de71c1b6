// Paths: decoded exactly once, or refused for a reason; dot segments in every disguise.
#include "http/uri.h"

#include <string>

#include "head_cases.h"

namespace {

using sluice::http::decode_path;
using sluice::http::DecodedPath;
using sluice::http::has_dot_segment;
using sluice::http::PathCheck;

/// Decodes from and into buffers of exactly the promised size.
struct Decoded {
  PathCheck check;
  std::string text;
  bool in_place;
};

Decoded decode(std::string_view path) {
  const head_cases::ExactBuffer input(path);
  const head_cases::ExactBuffer room(path);
  const DecodedPath result = decode_path(input.view(), const_cast<char*>(room.view().data()));
  return {result.check, std::string(result.text), result.text.data() == input.view().data()};
}

void check_refused(std::string_view path, PathCheck wanted) {
  const testing::Context context(testing::quoted(path));
  const Decoded result = decode(path);
  CHECK_EQ(result.check, wanted);
  CHECK_EQ(result.text, "");
}

void check_decodes(std::string_view path, std::string_view wanted) {
  const testing::Context context(testing::quoted(path));
  const Decoded result = decode(path);
  CHECK_EQ(result.check, PathCheck::ok);
  CHECK_EQ(result.text, wanted);
}

}  // namespace

TEST(paths_without_escapes_are_not_copied) {
  for (const char* path : {"", "/", "/a", "a/b.c", "/a/b/", "/a;b=c,d:e@f$g&h!'()*+~_-"}) {
    check_decodes(path, path);
    CHECK(decode(path).in_place);
  }
}

TEST(paths_are_decoded_exactly_once) {
  check_decodes("/%41%42c", "/ABc");
  check_decodes("%61", "a");
  check_decodes("/a%20b", "/a b");
  check_decodes("/%25", "/%");
  check_decodes("/%2541", "/%41");
  check_decodes("/%252e%252e/", "/%2e%2e/");
  check_decodes("/%252F", "/%2F");
  check_decodes("/a%3Fb%23c", "/a?b#c");
  check_decodes("/%c3%A4", "/\xc3\xa4");
  check_decodes("/+", "/+");
}

TEST(paths_are_refused_for_a_reason) {
  check_refused("/%", PathCheck::bad_escape);
  check_refused("/%4", PathCheck::bad_escape);
  check_refused("/%zz", PathCheck::bad_escape);
  check_refused("/%4g", PathCheck::bad_escape);
  check_refused("/%%41", PathCheck::bad_escape);
  check_refused("/% 41", PathCheck::bad_escape);
  check_refused("/a%2fb", PathCheck::encoded_slash);
  check_refused("/a%2Fb", PathCheck::encoded_slash);
  check_refused("/a\\b", PathCheck::backslash);
  check_refused("/a%5cb", PathCheck::backslash);
  check_refused("/a%5Cb", PathCheck::backslash);
  check_refused("/a%00", PathCheck::control);
  check_refused(std::string_view("/a\0b", 4), PathCheck::control);
  check_refused("/a\nb", PathCheck::control);
  check_refused("/a%0d", PathCheck::control);
  check_refused("/a%7F", PathCheck::control);
  check_refused("/a\x1f", PathCheck::control);
  check_refused("//", PathCheck::empty_segment);
  check_refused("/a//b", PathCheck::empty_segment);
  check_refused("/%41//", PathCheck::empty_segment);
}

TEST(paths_are_read_no_further_than_they_go) {
  const std::string_view path = "/%41";
  char buffer[4];
  CHECK_EQ(decode_path(path.substr(0, 3), buffer).check, PathCheck::bad_escape);
  CHECK(!has_dot_segment(std::string_view("/%2e").substr(0, 3)));
}

TEST(paths_are_utf8_without_overlong_forms_or_surrogates) {
  for (const char* text : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                           "a\xe2\x82\xac"
                           "b"}) {
    check_decodes(text, text);
  }
  for (const char* text : {"\x80",
                           "\xbf",
                           "\xc0\x80",
                           "\xc1\xbf",
                           "\xc0\xaf",
                           "\xe0\x80\x80",
                           "\xe0\x9f\xbf",
                           "\xed\xa0\x80",
                           "\xed\xbf\xbf",
                           "\xf0\x80\x80\x80",
                           "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80",
                           "\xff",
                           "\xfe",
                           "\xc3",
                           "\xe2\x82",
                           "\xf0\x9f\x98",
                           "\xc3(",
                           "\xe2(\xa1",
                           "\xe2\x82(",
                           "\xf0\x9f\x98(",
                           "\xc3\xc3\xa4",
                           "a\xc3/"}) {
    check_refused(text, PathCheck::not_utf8);
  }
  check_refused("/%c0%ae%c0%ae/", PathCheck::not_utf8);
  check_refused("/%ed%a0%80", PathCheck::not_utf8);
  check_refused("/%c3", PathCheck::not_utf8);
}

TEST(every_code_point_is_valid_in_its_shortest_form) {
  for (unsigned code = 0x80; code <= 0x10ffff; code += code < 0x3000 ? 1 : 61) {
    std::string text;
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
    if (code < 0x800) {
      text = {static_cast<char>(0xc0 | code >> 6), tail(0)};
    } else if (code < 0x10000) {
      text = {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
    } else {
      text = {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    CHECK_EQ(decode(text).check, surrogate ? PathCheck::not_utf8 : PathCheck::ok);
  }
}

TEST(dot_segments_are_found_in_every_disguise) {
  for (const char* path :
       {".",         "..",        "/.",    "/..",         "/./",   "/../",  "/a/..",  "/a/../b",
        "/a/.",      "../a",      "./a",   "/%2e",        "/%2E",  "/.%2e", "/%2e.",  "/%2e%2E/",
        "/a/%2e%2e", "/..%2f",    "%2f..", "/a%2F..%2Fb", "/..\\", "\\..",  "/..%5c", "%5c..%5C",
        "/..;",      "/..;a=b/c", "/.;",   "/%2e%2e;x",   "//..",  "/..//"}) {
    const testing::Context context(path);
    CHECK(has_dot_segment(path));
  }
  for (const char* path :
       {"",        "/",      "//",     "/...",         "/....", "/.a",          "/a.",
        "/..a",    "/a..",   "/.. ",   "/%2e%2e%2e",   "/%2ea", "/%252e%252e/", "/%252e",
        "/;..",    "/a;..",  "/a;./b", "/%2",          "/%",    "/.%",          "/..%2",
        "/%c0%ae", "/.\x01", "/.-.",   "/a/.b/c./d..e"}) {
    const testing::Context context(path);
    CHECK(!has_dot_segment(path));
  }
}
