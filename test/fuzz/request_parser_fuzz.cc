// Fuzzes the request parser and what reads its result: a head comes to the same however it is cut,
// every view lies inside the input, and no value holds a byte that could end or split a line.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "http/conditional.h"
#include "http/range.h"
#include "http/request_parser.h"
#include "http/uri.h"

namespace {

using namespace sluice::http;
using sluice::ErrorCode;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Where the bytes of `view` are, as offsets into `input`, or null or static text.
bool same_place(std::string_view view, std::string_view input, std::string_view other_view,
                std::string_view other_input) {
  if (view != other_view) return false;
  const bool inside = view.data() >= input.data() && view.data() <= input.data() + input.size();
  if (!inside) return true;
  return view.data() - input.data() == other_view.data() - other_input.data();
}

void check_inside(std::string_view view, std::string_view input) {
  if (view.data() == nullptr) return require(view.empty());
  require(view.data() >= input.data());
  require(view.data() + view.size() <= input.data() + input.size());
  for (char c : view) {
    const auto byte = static_cast<unsigned char>(c);
    require((byte >= 0x20 && byte != 0x7f) || byte == '\t');
  }
}

void check_fields(const RequestHead& head, std::string_view input) {
  require(head.field_count <= kMaxFields);
  for (size_t i = 0; i < head.field_count; ++i) {
    const Field& field = head.fields[i];
    check_inside(field.name, input);
    check_inside(field.value, input);
    require(!field.name.empty() && field.name.find_first_of(" \t:,;\"") == std::string_view::npos);
    if (!field.value.empty()) {
      require(field.value.front() != ' ' && field.value.front() != '\t');
      require(field.value.back() != ' ' && field.value.back() != '\t');
    }
    if (field.id != FieldId::other) require(head.first_of[static_cast<size_t>(field.id)] <= i + 1);
  }
}

void check_head(const RequestHead& head, std::string_view input) {
  check_inside(head.method_text, input);
  check_inside(head.target, input);
  check_inside(head.query, input);
  check_inside(head.host, input);
  check_inside(head.port, input);
  require(!head.method_text.empty() && !head.target.empty());
  require(head.target.find(' ') == std::string_view::npos);
  if (head.path != "/" && head.path != "*") check_inside(head.path, input);
  require(head.path.empty() == (head.method == Method::connect));
  require(head.query.empty() || head.query[0] == '?');
  require(head.path.find('?') == std::string_view::npos);
  require(!has_dot_segment(head.path));
  if (head.path_is_plain) {
    require(head.path.find('%') == std::string_view::npos);
    require(head.path.find("//") == std::string_view::npos);
  }
  require(head.minor_version <= 1);
  require(head.minor_version == 0 || !head.host.empty());
  require(head.framing != Framing::chunked || head.minor_version == 1);
  require(head.framing != Framing::chunked || head.find(FieldId::content_length).empty());
  require((head.framing == Framing::length) == !head.find(FieldId::content_length).empty());
  check_fields(head, input);
}

/// What the worker does next with a head; only that it survives matters here.
void use_head(const RequestHead& head) {
  const auto buffer = std::make_unique<char[]>(head.path.size());
  const DecodedPath decoded = decode_path(head.path, buffer.get());
  if (decoded.check == PathCheck::ok) {
    require(decoded.text.size() <= head.path.size());
    require(decoded.text.find('\0') == std::string_view::npos);
    require(decoded.text.find("//") == std::string_view::npos);
    require(decoded.text.find("/../") == std::string_view::npos);
  }
  const Validators validators{"\"a\"", 784111777};
  evaluate_preconditions(head, validators, 1790000000);
  if_range_matches(head, validators, 1790000000);
  for (uint64_t size : {uint64_t{0}, uint64_t{10}, uint64_t{1} << 33, UINT64_MAX}) {
    const RangeSet set = parse_range(head.find(FieldId::range), size);
    require(set.count <= kMaxRanges);
    require((set.kind == RangeSet::Kind::satisfiable) == (set.count > 0));
    for (size_t i = 0; i < set.count; ++i) {
      require(set.ranges[i].first <= set.ranges[i].last && set.ranges[i].last < size);
    }
  }
}

void check_same(const RequestHead& a, std::string_view a_input, const RequestHead& b,
                std::string_view b_input) {
  require(a.method == b.method && a.framing == b.framing && a.content_length == b.content_length);
  require(a.keep_alive == b.keep_alive && a.has_upgrade == b.has_upgrade);
  require(a.expect_continue == b.expect_continue && a.path_is_plain == b.path_is_plain);
  require(a.field_count == b.field_count && a.first_of == b.first_of);
  require(same_place(a.path, a_input, b.path, b_input));
  require(same_place(a.query, a_input, b.query, b_input));
  require(same_place(a.host, a_input, b.host, b_input));
  require(same_place(a.port, a_input, b.port, b_input));
  for (size_t i = 0; i < a.field_count; ++i) {
    require(same_place(a.fields[i].name, a_input, b.fields[i].name, b_input));
    require(same_place(a.fields[i].value, a_input, b.fields[i].value, b_input));
  }
}

/// Feeds `input` in pieces that `cuts` chooses, each time from a fresh buffer of the exact size.
void parse_in_pieces(std::string_view input, uint32_t cuts, const HeadLimits& limits,
                     const ParseResult& whole, const RequestHead& whole_head) {
  static RequestHead head;
  size_t seen = 0;
  for (size_t bytes = 0; bytes < input.size();) {
    cuts = cuts * 1664525u + 1013904223u;
    const size_t piece = 1 + (cuts >> 16) % ((cuts & 0x80000000u) != 0 ? 4 : 40);
    bytes = bytes + piece < input.size() ? bytes + piece : input.size();
    const auto copy = std::make_unique<char[]>(bytes);
    std::memcpy(copy.get(), input.data(), bytes);
    const std::string_view part(copy.get(), bytes);
    const ParseResult result = parse_request(part, seen, limits, head);
    seen = bytes;
    if (result.status == ParseStatus::need_more) {
      require(whole.status != ParseStatus::ok || bytes < whole.consumed);
      continue;
    }
    require(result.status == whole.status && result.error == whole.error);
    require(result.consumed == whole.consumed);
    if (result.status == ParseStatus::ok) check_same(head, part, whole_head, input);
    return;
  }
}

/// A head that is refused may become refused earlier, never accepted or refused otherwise.
void check_prefix(std::string_view input, const HeadLimits& limits, const ParseResult& whole,
                  size_t bytes) {
  static RequestHead head;
  const ParseResult result = parse_request(input.substr(0, bytes), 0, limits, head);
  if (result.status == ParseStatus::need_more) return;
  require(result.status == whole.status && result.error == whole.error);
  require(result.consumed == whole.consumed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static RequestHead head;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  uint32_t cuts = 2166136261u;
  for (char c : input) cuts = (cuts ^ static_cast<unsigned char>(c)) * 16777619u;
  const HeadLimits tight{200, 40, 6};
  for (const HeadLimits& limits : {HeadLimits(), tight}) {
    const ParseResult result = parse_request(input, 0, limits, head);
    require((result.status == ParseStatus::error) == (result.error != ErrorCode::none));
    require(result.error < ErrorCode::count_);
    if (result.status == ParseStatus::ok) {
      require(result.consumed <= input.size() && result.consumed <= limits.head_bytes);
      require(head.field_count <= limits.fields && head.target.size() <= limits.target_bytes);
      check_head(head, input.substr(0, result.consumed));
      use_head(head);
    }
    parse_in_pieces(input, cuts, limits, result, head);
    if (size > 0) check_prefix(input, limits, result, cuts % size);
  }
  return 0;
}
