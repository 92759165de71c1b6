// What a client would rather have: of two media types by its Accept field, and of content codings
// by its Accept-Encoding fields.
#include "http/accept.h"

#include <memory>
#include <string>

#include "http/request_parser.h"
#include "testing.h"

namespace {

using sluice::http::Coding;
using sluice::http::CodingWeights;
using sluice::http::prefers;

struct Case {
  const char* accept;
  bool json;  ///< preferred to HTML
  bool html;  ///< preferred to JSON
};

constexpr Case kCases[] = {
    {"", false, false},
    {"*/*", false, false},
    {"application/json", true, false},
    {"text/html", false, true},
    {"Application/JSON", true, false},
    {"application/*", true, false},
    {"text/*", false, true},
    {"text/html, application/json", false, false},
    {"application/json, */*", true, false},
    {"application/json, text/*", true, false},
    {"application/json;q=0.9, text/html", false, true},
    {"application/json;q=0.9, text/html;q=0.89", true, false},
    {"application/json ; q=1.000, text/html;q=0.999", true, false},
    {"application/json;charset=utf-8;Q=0.1, text/html;q=0.2", false, true},
    {"application/json;q=0", false, false},
    {"application/json;q=0, */*;q=0.1", false, true},
    {"*/*;q=0.5, text/html;q=0.1", true, false},
    {"application/json;q=", false, false},
    {"application/json;q=1.001", false, false},
    {"application/json;q=2", false, false},
    {"application/json;q=0.1234", false, false},
    {"application/json;q=-1", false, false},
    {"application/jsonp", false, false},
    {"application/jso", false, false},
    {"application/", false, false},
    {"/", false, false},
    {"application/*x", false, false},
    {",,;;,", false, false},
    {";q=1", false, false},
    {", application/json,", true, false},
};

TEST(accept_field_prefers_by_weight_and_then_by_name) {
  for (const Case& each : kCases) {
    const testing::Context context(each.accept);
    CHECK_EQ(prefers(each.accept, "application/json", "text/html"), each.json);
    CHECK_EQ(prefers(each.accept, "text/html", "application/json"), each.html);
  }
  CHECK(!prefers({}, "application/json", "text/html"));
}

struct CodingCase {
  const char* fields;  ///< header lines
  int brotli, zstd, gzip, identity;
};

constexpr CodingCase kCodingCases[] = {
    {"", 0, 0, 0, 0},
    {"Accept-Encoding:\r\n", 0, 0, 0, 0},
    {"Accept-Encoding: gzip\r\n", 0, 0, 1000, 0},
    {"Accept-Encoding: gzip, deflate, br, zstd\r\n", 1000, 1000, 1000, 0},
    {"accept-encoding: GZip, BR\r\n", 1000, 0, 1000, 0},
    {"Accept-Encoding: x-gzip\r\n", 0, 0, 1000, 0},
    {"Accept-Encoding: gzip;q=0.5, br;q=0.501\r\n", 501, 0, 500, 0},
    {"Accept-Encoding: gzip ; q=0.5 ,br\r\n", 1000, 0, 500, 0},
    {"Accept-Encoding: *\r\n", 1000, 1000, 1000, 1000},
    {"Accept-Encoding: *;q=0.1, br;q=0\r\n", 0, 100, 100, 100},
    {"Accept-Encoding: gzip, *;q=0\r\n", 0, 0, 1000, 0},
    {"Accept-Encoding: *;q=0\r\n", 0, 0, 0, 0},
    {"Accept-Encoding: identity;q=0\r\n", 0, 0, 0, 0},
    {"Accept-Encoding: identity;q=0, *;q=0.3\r\n", 300, 300, 300, 0},
    {"Accept-Encoding: identity, gzip;q=0.9\r\n", 0, 0, 900, 1000},
    {"Accept-Encoding: gzip;q=0, gzip\r\n", 0, 0, 0, 0},
    {"Accept-Encoding: gzip\r\nAccept: */*\r\nAccept-Encoding: br;q=0.2\r\n", 200, 0, 1000, 0},
    {"Accept-Encoding: gzip;q=1.001, br;q=, zstd;q=x\r\n", 0, 0, 0, 0},
    {"Accept-Encoding: ,, ;q=1, gzip;level=9;q=0.7,\r\n", 0, 0, 700, 0},
    {"Accept-Encoding: gzipp, b, br2, zst, zstd\r\n", 0, 1000, 0, 0},
};

TEST(codings_weigh_what_the_client_says_of_them) {
  for (const CodingCase& each : kCodingCases) {
    const testing::Context context(each.fields);
    const std::string request = std::string("GET / HTTP/1.1\r\nHost: a\r\n") + each.fields + "\r\n";
    const auto head = std::make_unique<sluice::http::RequestHead>();
    const auto parsed = sluice::http::parse_request(request, 0, {}, *head);
    CHECK(parsed.status == sluice::http::ParseStatus::ok);
    const CodingWeights weights(*head);
    CHECK_EQ(weights.of(Coding::brotli), each.brotli);
    CHECK_EQ(weights.of(Coding::zstd), each.zstd);
    CHECK_EQ(weights.of(Coding::gzip), each.gzip);
    CHECK_EQ(weights.of(Coding::identity), each.identity);
    CHECK_EQ(weights.wants(Coding::gzip), each.gzip > 0 && each.gzip >= each.identity);
  }
}

}  // namespace
