// Which of two media types a client would rather have, by its Accept field.
#include "http/accept.h"

#include "testing.h"

namespace {

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

}  // namespace
