// See response_cases.h.
#include "response_cases.h"

namespace response_cases {
namespace {

using head_cases::Outcome;
using head_cases::ParseStatus;
using sluice::http::parse_response;

std::string describe(const ResponseHead& head) {
  std::string text;
  const auto add = [&text](std::string_view part) { text.append(part).push_back('|'); };
  const auto add_number = [&add](int64_t number) { add(std::to_string(number)); };
  add_number(head.status);
  add(head.reason);
  add_number(head.minor_version);
  add_number(head.is_interim);
  add_number(head.keep_alive);
  add_number(head.has_upgrade);
  add_number(static_cast<int64_t>(head.framing));
  add_number(static_cast<int64_t>(head.content_length));
  add_number(head.keep_alive_timeout_s);
  for (size_t i = 0; i < head.field_count; ++i) {
    add(head.fields[i].name);
    add(head.fields[i].value);
    add_number(static_cast<int64_t>(head.fields[i].id));
  }
  for (uint16_t first : head.first_of) add_number(first);
  return text;
}

Outcome parse_every_way(std::string_view input, bool to_head, const HeadLimits& limits) {
  return head_cases::parse_every_way(input, [&](std::string_view bytes, size_t seen) {
    static ResponseHead head;  // reused, as a worker does: nothing of an earlier head may remain
    Outcome outcome;
    outcome.result = parse_response(bytes, seen, limits, to_head, head);
    if (outcome.result.status == ParseStatus::ok) outcome.head = describe(head);
    return outcome;
  });
}

}  // namespace

Accepted::Accepted(std::string_view input, bool to_head, const HeadLimits& limits) : bytes_(input) {
  const testing::Context context(testing::quoted(input.substr(0, 200)));
  const Outcome outcome = parse_every_way(bytes_, to_head, limits);
  CHECK_EQ(name_of(outcome).substr(0, 3), "ok ");
  size_ = parse_response(bytes_, 0, limits, to_head, head_).consumed;
}

void check_refused(std::string_view input, ErrorCode wanted, const HeadLimits& limits) {
  const testing::Context context(testing::quoted(input.substr(0, 200)));
  // What a response is refused for does not depend on the request.
  for (bool to_head : {false, true}) {
    CHECK_EQ(name_of(parse_every_way(input, to_head, limits)), sluice::error_info(wanted).name);
  }
}

std::string with_fields(std::string_view fields) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n";
}

}  // namespace response_cases
