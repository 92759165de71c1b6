// See head_cases.h. An error may show up early, when the bytes so far suffice for it, but never as
// another error, and a good head never before its last byte.
#include "head_cases.h"

namespace head_cases {
namespace {

bool same(const Outcome& a, const Outcome& b) {
  return a.result.status == b.result.status && a.result.error == b.result.error &&
         a.result.consumed == b.result.consumed && a.head == b.head;
}

void check_same(const Outcome& got, const Outcome& wanted) {
  if (same(got, wanted)) return;
  CHECK_EQ(name_of(got), name_of(wanted));
}

/// Whether an outcome may stand for the first `bytes` of an input that comes to `whole`.
void check_prefix(const Outcome& prefix, const Outcome& whole, size_t bytes) {
  const ParseStatus status = prefix.result.status;
  if (status == ParseStatus::need_more) {
    if (whole.result.status == ParseStatus::ok) CHECK(bytes < whole.result.consumed);
    return;
  }
  check_same(prefix, whole);
}

void parse_byte_by_byte(std::string_view input, const Outcome& whole, const Parse& parse) {
  size_t seen = 0;
  for (size_t bytes = 0; bytes <= input.size(); ++bytes) {
    const ExactBuffer buffer(input.substr(0, bytes));
    const Outcome outcome = parse(buffer.view(), seen);
    check_prefix(outcome, whole, bytes);
    if (outcome.result.status != ParseStatus::need_more) return;
    seen = bytes;
  }
  CHECK_EQ(name_of(whole), "need_more");
}

}  // namespace

std::string name_of(const Outcome& outcome) {
  switch (outcome.result.status) {
    case ParseStatus::ok:
      return "ok " + std::to_string(outcome.result.consumed) + " " + outcome.head;
    case ParseStatus::need_more: return "need_more";
    default: return std::string(sluice::error_info(outcome.result.error).name);
  }
}

// Not in the header: inlined, some versions of GCC see sizes in it that cannot be, and warn.
ExactBuffer::ExactBuffer(std::string_view bytes)
    : data_(std::make_unique<char[]>(bytes.size())), size_(bytes.size()) {
  bytes.copy(data_.get(), bytes.size());
}

std::string describe(const RequestHead& head) {
  std::string text;
  const auto add = [&text](std::string_view part) { text.append(part).push_back('|'); };
  const auto add_number = [&add](uint64_t number) { add(std::to_string(number)); };
  add(head.method_text);
  add_number(static_cast<uint64_t>(head.method));
  add(head.target);
  add(head.path);
  add(head.query);
  add(head.host);
  add(head.port);
  add_number(head.minor_version);
  add_number(head.keep_alive);
  add_number(head.expect_continue);
  add_number(head.has_upgrade);
  add_number(head.path_is_plain);
  add_number(static_cast<uint64_t>(head.framing));
  add_number(head.content_length);
  for (size_t i = 0; i < head.field_count; ++i) {
    add(head.fields[i].name);
    add(head.fields[i].value);
    add_number(static_cast<uint64_t>(head.fields[i].id));
  }
  for (uint16_t first : head.first_of) add_number(first);
  return text;
}

Outcome parse(std::string_view input, size_t seen, const HeadLimits& limits) {
  static RequestHead head;  // reused, as a worker does: nothing of an earlier head may remain
  Outcome outcome;
  outcome.result = sluice::http::parse_request(input, seen, limits, head);
  if (outcome.result.status == ParseStatus::ok) outcome.head = describe(head);
  return outcome;
}

Outcome parse_every_way(std::string_view input, const HeadLimits& limits) {
  return parse_every_way(
      input, [&limits](std::string_view bytes, size_t seen) { return parse(bytes, seen, limits); });
}

Outcome parse_every_way(std::string_view input, const Parse& parse) {
  const ExactBuffer buffer(input);
  const Outcome whole = parse(buffer.view(), 0);
  for (size_t split = 0; split < input.size(); ++split) {
    const testing::Context context("split at " + std::to_string(split));
    const ExactBuffer first(input.substr(0, split));
    const Outcome before = parse(first.view(), 0);
    check_prefix(before, whole, split);
    if (before.result.status != ParseStatus::need_more) break;
    check_same(parse(buffer.view(), split), whole);
  }
  const testing::Context context("byte by byte");
  parse_byte_by_byte(input, whole, parse);
  return whole;
}

Accepted::Accepted(std::string_view input, const HeadLimits& limits) : bytes_(input) {
  const testing::Context context(testing::quoted(input.substr(0, 200)));
  const Outcome outcome = parse_every_way(bytes_, limits);
  CHECK_EQ(name_of(outcome).substr(0, 3), "ok ");
  sluice::http::parse_request(bytes_, 0, limits, head_);
}

void check_refused(std::string_view input, ErrorCode wanted, const HeadLimits& limits) {
  const testing::Context context(testing::quoted(input.substr(0, 200)));
  const Outcome outcome = parse_every_way(input, limits);
  CHECK_EQ(name_of(outcome), sluice::error_info(wanted).name);
}

void check_all_refused(const std::vector<Refused>& cases) {
  for (const Refused& one : cases) {
    const testing::Context context(one.what);
    check_refused(one.input, one.error);
  }
}

std::string with_fields(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

}  // namespace head_cases
