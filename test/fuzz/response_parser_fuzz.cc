// Fuzzes the response parser and what forwards its result: a head comes to the same however it is
// cut, every view lies inside the input, no value can end or split a line, framing and fields
// agree, and what is written from the head parses again as the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "heads.h"
#include "http/hop_by_hop.h"
#include "http/response_head.h"
#include "http/response_parser.h"

namespace {

using namespace fuzz;
using namespace sluice::http;
using sluice::ErrorCode;

void check_framing(const ResponseHead& head, bool to_head) {
  const bool bodiless = to_head || is_bodiless(head.status);
  const bool has_length = head.find(FieldId::content_length).data() != nullptr;
  const bool has_coding = head.find(FieldId::transfer_encoding).data() != nullptr;
  require(!has_length || !has_coding);
  require((head.framing == ResponseFraming::none) == bodiless);
  if (!bodiless) {
    require((head.framing == ResponseFraming::length) == has_length);
    require((head.framing == ResponseFraming::chunked) == has_coding);
  }
  require(has_length || head.content_length == 0);
  require(head.content_length <= INT64_MAX);
  require(!has_coding || head.minor_version >= 1);
  require(!head.keep_alive || head.framing != ResponseFraming::until_close);
  require(head.is_interim == (head.status < 200 && head.status != 101));
  require(head.keep_alive_timeout_s >= -1);
  require(head.keep_alive_timeout_s <= static_cast<int32_t>(kMaxKeepAliveTimeoutS));
}

void check_head(const ResponseHead& head, std::string_view input, bool to_head) {
  require(head.status >= 100 && head.status <= 599 && head.minor_version <= 9);
  check_inside(head.reason, input);
  check_fields(head, input);
  check_framing(head, to_head);
}

bool same_place(std::string_view a, std::string_view a_input, std::string_view b,
                std::string_view b_input) {
  if (a.data() == nullptr || b.data() == nullptr) return a.data() == b.data();
  return a == b && a.data() - a_input.data() == b.data() - b_input.data();
}

void check_same(const ResponseHead& a, std::string_view a_input, const ResponseHead& b,
                std::string_view b_input) {
  require(a.status == b.status && a.minor_version == b.minor_version);
  require(a.framing == b.framing && a.content_length == b.content_length);
  require(a.keep_alive == b.keep_alive && a.has_upgrade == b.has_upgrade);
  require(a.keep_alive_timeout_s == b.keep_alive_timeout_s && a.is_interim == b.is_interim);
  require(a.field_count == b.field_count && a.first_of == b.first_of);
  require(same_place(a.reason, a_input, b.reason, b_input));
  for (size_t i = 0; i < a.field_count; ++i) {
    require(same_place(a.fields[i].name, a_input, b.fields[i].name, b_input));
    require(same_place(a.fields[i].value, a_input, b.fields[i].value, b_input));
  }
}

/// A head with the fields that pass is a head, and all of them pass once more.
void forward(const ResponseHead& head, bool to_head) {
  std::string out = "HTTP/1.1 200 OK\r\n";
  const HopByHop hop(head);
  size_t count = 0;
  for (size_t i = 0; i < head.field_count; ++i) {
    if (!hop.forwards(head.fields[i])) continue;
    append_field(out, head.fields[i].name, head.fields[i].value);
    ++count;
  }
  out.append("\r\n");
  static ResponseHead again;
  HeadLimits limits;
  limits.head_bytes = SIZE_MAX;
  limits.fields = kMaxFields;
  const ParseResult result = parse_response(out, 0, limits, to_head, again);
  require(result.status == ParseStatus::ok && result.consumed == out.size());
  require(again.field_count == count);
  const HopByHop next(again);
  for (size_t i = 0; i < count; ++i) require(next.forwards(again.fields[i]));
}

}  // namespace

/// The first byte chooses whether it answers HEAD.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static ResponseHead head;
  const bool to_head = (data[0] & 1) != 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  uint32_t cuts = 2166136261u;
  for (char c : input) cuts = (cuts ^ static_cast<unsigned char>(c)) * 16777619u;
  const HeadLimits tight{200, 40, 6};
  for (const HeadLimits& limits : {HeadLimits(), tight}) {
    const ParseResult result = parse_response(input, 0, limits, to_head, head);
    require((result.status == ParseStatus::error) == (result.error != ErrorCode::none));
    require(result.error < ErrorCode::count_);
    if (result.status == ParseStatus::error) {
      require(sluice::error_info(result.error).status == 502);
    }
    if (result.status == ParseStatus::ok) {
      require(result.consumed <= input.size() && result.consumed <= limits.head_bytes);
      require(head.field_count <= limits.fields);
      check_head(head, input.substr(0, result.consumed), to_head);
    }
    static ResponseHead cut;
    parse_in_pieces(
        input, cuts, result,
        [&](std::string_view part, size_t seen) {
          return parse_response(part, seen, limits, to_head, cut);
        },
        [&](std::string_view part) { check_same(cut, part, head, input); });
    if (result.status == ParseStatus::ok) forward(head, to_head);
  }
  return 0;
}
