// Fuzzes what reads single values: paths, hosts, dates, ranges, lengths and entity-tags, on bytes
// that the request parser would never let through as well. Held against simpler oracles.
#include <arpa/inet.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/chars.h"
#include "http/conditional.h"
#include "http/date.h"
#include "http/framing.h"
#include "http/host.h"
#include "http/range.h"
#include "http/uri.h"
#include "require.h"

namespace {

using fuzz::require;
using namespace sluice::http;

constexpr int64_t kNow = 1790000000;

/// The path decoded with no thought for speed, and whether it has an escape that is none.
std::string decoded_simply(std::string_view path, bool& bad_escape) {
  std::string text;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      text += path[i];
      continue;
    }
    const bool escape =
        path.size() - i > 2 && hex_value(path[i + 1]) >= 0 && hex_value(path[i + 2]) >= 0;
    if (!escape) {
      bad_escape = true;
      text += '%';
      continue;
    }
    text += static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
    i += 2;
  }
  return text;
}

void check_path(std::string_view path) {
  const auto buffer = std::make_unique<char[]>(path.size());
  const DecodedPath decoded = decode_path(path, buffer.get());
  bool bad_escape = false;
  const std::string simple = decoded_simply(path, bad_escape);
  if (decoded.check != PathCheck::ok) return require(decoded.text.empty());
  require(!bad_escape && decoded.text == simple);
  require(decoded.text.find('\\') == std::string_view::npos);
  require(decoded.text.find("//") == std::string_view::npos);
  for (char c : decoded.text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  if (has_dot_segment(path)) return;
  const std::string segments = "/" + simple + "/";
  require(segments.find("/./") == std::string::npos);
  require(segments.find("/../") == std::string::npos);
}

void check_host(const std::string& text) {
  unsigned char address[16];
  const bool no_nul = text.find('\0') == std::string::npos;
  const bool known = no_nul && inet_pton(AF_INET6, text.c_str(), address) == 1;
  require(is_ipv6_address(text) == known);
  Authority authority;
  if (!parse_authority(text, authority)) return;
  require(!authority.host.empty() && text.starts_with(authority.host));
  require(text.size() - authority.host.size() <= 1 + authority.port.size());
  require(text.find_first_of(" \t/\\?#@\"<>^`{|}") == std::string::npos);
  if (!authority.port.empty()) require(std::stoul(std::string(authority.port)) <= 65535);
}

void check_date(std::string_view text) {
  const int64_t seconds = parse_date(text, kNow);
  require(seconds >= -1 && seconds <= 253402300800);
  if (seconds < 0 || seconds == 253402300800) return;
  char out[kDateBytes];
  format_date(seconds, out);
  require(parse_date({out, kDateBytes}, kNow) == seconds);
}

void check_ranges(std::string_view text) {
  const std::string value = "bytes=" + std::string(text);
  for (uint64_t size : {uint64_t{0}, uint64_t{10}, uint64_t{1} << 33, UINT64_MAX}) {
    for (std::string_view field : {text, std::string_view(value)}) {
      const RangeSet set = parse_range(field, size);
      require(set.count <= kMaxRanges);
      require((set.kind == RangeSet::Kind::satisfiable) == (set.count > 0));
      for (size_t i = 0; i < set.count; ++i) {
        const ByteRange& a = set.ranges[i];
        require(a.first <= a.last && a.last < size);
        for (size_t j = 0; j < i; ++j) {
          const ByteRange& b = set.ranges[j];
          require(a.first > b.last + 1 || b.first > a.last + 1);
        }
      }
    }
  }
}

void check_framing(std::string_view text) {
  uint64_t length = 0;
  if (parse_content_length(text, length)) {
    require(length <= kMaxContentLength);
    const std::string digits = std::to_string(length);
    require(text.ends_with(digits));
    require(text.find_first_not_of('0') >= text.size() - digits.size() || length == 0);
  }
  bool chunked = false;
  if (parse_transfer_encoding(text, chunked) == sluice::ErrorCode::none) {
    require(chunked && equals_ignoring_case(trim_white_space(text), "chunked"));
  }
  ConnectionOptions().add(text);
}

void check_tags(std::string_view text) {
  RequestHead head;
  head.method = Method::get;
  for (FieldId id : {FieldId::if_match, FieldId::if_none_match, FieldId::if_range}) {
    head.first_of.fill(0);
    head.first_of[static_cast<size_t>(id)] = 1;
    head.fields[0] = {"x", text, id};
    head.field_count = 1;
    const Validators absent;
    const Precondition outcome = evaluate_preconditions(head, absent, kNow);
    if (text != "*" && id == FieldId::if_none_match) require(outcome == Precondition::pass);
    if (text != "*" && id == FieldId::if_match) require(outcome == Precondition::failed);
    const Validators present{"\"a\"", 784111777};
    const bool applies = if_range_matches(head, present, kNow);
    if (id == FieldId::if_range && text.find("\"a\"") == std::string_view::npos) {
      require(applies == (parse_date(text, kNow) == 784111777));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // In a buffer of the exact size, which a string is not.
  const auto copy = std::make_unique<char[]>(size);
  text.copy(copy.get(), size);
  const std::string_view view(copy.get(), size);
  check_path(view);
  check_host(text);
  check_date(view);
  check_ranges(view);
  check_framing(view);
  check_tags(view);
  return 0;
}
