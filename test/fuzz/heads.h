// What the targets of request and response heads have in common: every view of a head lies inside
// the input and holds nothing that could end or split a line, and a head comes to the same however
// its bytes are cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "http/request_head.h"
#include "http/request_parser.h"
#include "require.h"

namespace fuzz {

inline void check_inside(std::string_view view, std::string_view input) {
  if (view.data() == nullptr) return require(view.empty());
  require(view.data() >= input.data());
  require(view.data() + view.size() <= input.data() + input.size());
  for (char c : view) {
    const auto byte = static_cast<unsigned char>(c);
    require((byte >= 0x20 && byte != 0x7f) || byte == '\t');
  }
}

template <typename Head>
void check_fields(const Head& head, std::string_view input) {
  using sluice::http::Field;
  using sluice::http::FieldId;
  require(head.field_count <= sluice::http::kMaxFields);
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

/// Feeds `input` in pieces that `cuts` chooses, each time from a fresh buffer of the exact size, to
/// `parse(part, seen)`, until it comes to what `whole` says; `same(part)` compares the heads.
template <typename Parse, typename Same>
void parse_in_pieces(std::string_view input, uint32_t cuts, const sluice::http::ParseResult& whole,
                     Parse&& parse, Same&& same) {
  using sluice::http::ParseStatus;
  size_t seen = 0;
  for (size_t bytes = 0; bytes < input.size();) {
    cuts = cuts * 1664525u + 1013904223u;
    const size_t piece = 1 + (cuts >> 16) % ((cuts & 0x80000000u) != 0 ? 4 : 40);
    bytes = bytes + piece < input.size() ? bytes + piece : input.size();
    const auto copy = std::make_unique<char[]>(bytes);
    std::memcpy(copy.get(), input.data(), bytes);
    const std::string_view part(copy.get(), bytes);
    const sluice::http::ParseResult result = parse(part, seen);
    seen = bytes;
    if (result.status == ParseStatus::need_more) {
      require(whole.status != ParseStatus::ok || bytes < whole.consumed);
      continue;
    }
    require(result.status == whole.status && result.error == whole.error);
    require(result.consumed == whole.consumed);
    if (result.status == ParseStatus::ok) same(part);
    return;
  }
}

}  // namespace fuzz
