// Fuzzes the request parser and what reads its result: a head comes to the same however it is cut,
// every view lies inside the input, and no value holds a byte that could end or split a line.
#include <cstdint>
#include <memory>
#include <string_view>

#include "heads.h"
#include "http/conditional.h"
#include "http/range.h"
#include "http/request_parser.h"
#include "http/uri.h"

namespace {

using namespace fuzz;
using namespace sluice::http;
using sluice::ErrorCode;

/// Where the bytes of `view` are, as offsets into `input`, or null or static text.
bool same_place(std::string_view view, std::string_view input, std::string_view other_view,
                std::string_view other_input) {
  if (view != other_view) return false;
  const bool inside = view.data() >= input.data() && view.data() <= input.data() + input.size();
  if (!inside) return true;
  return view.data() - input.data() == other_view.data() - other_input.data();
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
    static RequestHead cut;
    parse_in_pieces(
        input, cuts, result,
        [&](std::string_view part, size_t seen) { return parse_request(part, seen, limits, cut); },
        [&](std::string_view part) { check_same(cut, part, head, input); });
    if (size > 0) check_prefix(input, limits, result, cuts % size);
  }
  return 0;
}
