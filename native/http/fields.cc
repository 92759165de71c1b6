// One table of names, searched by length: at most four known names share one, so that almost every
// unknown field costs a single load.
#include "http/fields.h"

#include <array>
#include <cassert>
#include <cstddef>

namespace sluice::http {
namespace {

constexpr size_t kIds = static_cast<size_t>(FieldId::count_);

/// In the order of FieldId.
constexpr std::array<std::string_view, kIds> kNames = {
    "",
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-accel-redirect",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
};

constexpr size_t longest_name() {
  size_t longest = 0;
  for (std::string_view name : kNames) longest = name.size() > longest ? name.size() : longest;
  return longest;
}

constexpr size_t kLongest = longest_name();
constexpr size_t kPerLength = 4;

/// Ids of the names of each length; `other` fills the rest.
using ByLength = std::array<std::array<FieldId, kPerLength>, kLongest + 1>;

constexpr ByLength make_by_length() {
  ByLength table{};
  for (size_t id = 1; id < kIds; ++id) {
    auto& row = table[kNames[id].size()];
    // More than kPerLength names of one length do not compile: the index runs past the row.
    size_t slot = 0;
    while (row[slot] != FieldId::other) ++slot;
    row[slot] = static_cast<FieldId>(id);
  }
  return table;
}

constexpr ByLength kByLength = make_by_length();

/// In a token `c | 0x20` is the lower case of letters and keeps '-' and digits; no other token
/// character becomes one of those.
bool token_equals(std::string_view token, std::string_view lower) {
  for (size_t i = 0; i < lower.size(); ++i) {
    if (static_cast<char>(token[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.size() > kLongest) return FieldId::other;
  for (FieldId id : kByLength[name.size()]) {
    if (id == FieldId::other) break;
    if (token_equals(name, kNames[static_cast<size_t>(id)])) return id;
  }
  return FieldId::other;
}

std::string_view field_name(FieldId id) {
  assert(id != FieldId::other && id < FieldId::count_);
  return kNames[static_cast<size_t>(id)];
}

}  // namespace sluice::http
