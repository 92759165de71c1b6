// Pieces are written out when the body is made: their lengths are the Content-Length, so nothing
// can be added later. At most kMaxRanges of them, a few hundred bytes each.
#include "files/multipart.h"

#include <atomic>
#include <cstdio>

#include "core/hash.h"
#include "http/chars.h"

namespace sluice::files {
namespace {

/// The same in no two answers and not to be guessed: whoever wrote a file cannot have put a
/// boundary into it (RFC 2046 §5.1.1).
std::string make_boundary() {
  static std::atomic<uint64_t> made{0};
  const uint64_t number = made.fetch_add(1, std::memory_order_relaxed);
  const std::string_view bytes(reinterpret_cast<const char*>(&number), sizeof number);
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(hash_bytes(bytes, hash_seed())),
                static_cast<unsigned long long>(hash_bytes(bytes, ~hash_seed())));
  return text;
}

std::string part_head(const std::string& boundary, std::string_view type, http::ByteRange range,
                      uint64_t size) {
  char content_range[96];
  std::snprintf(content_range, sizeof content_range, "Content-Range: bytes %llu-%llu/%llu\r\n\r\n",
                static_cast<unsigned long long>(range.first),
                static_cast<unsigned long long>(range.last), static_cast<unsigned long long>(size));
  std::string head = "\r\n--" + boundary + "\r\n";
  if (!type.empty()) head.append("Content-Type: ").append(type).append("\r\n");
  return head.append(content_range);
}

}  // namespace

Multipart::Multipart(std::string_view type, const http::RangeSet& set, uint64_t size)
    : boundary_(make_boundary()) {
  for (size_t i = 0; i < set.count; ++i) {
    const http::ByteRange range = set.ranges[i];
    parts_.push_back({part_head(boundary_, type, range, size), range.first, range.length()});
    // Before the first boundary there is no line to end.
    if (i == 0) parts_[0].text.erase(0, 2);
    length_ += parts_[i].text.size() + range.length();
  }
  length_ += boundary_.size() + 8;  // CR LF "--" boundary "--" CR LF
}

bool Multipart::next(Piece& piece) {
  switch (state_) {
    case State::part:
      piece = std::move(parts_[position_++]);
      if (position_ == parts_.size()) state_ = State::closing;
      return true;
    case State::closing:
      piece = {"\r\n--" + boundary_ + "--\r\n", 0, 0};
      state_ = State::done;
      return true;
    case State::done: return false;
  }
  return false;
}

std::string Multipart::joined(std::string_view content) {
  std::string body;
  body.reserve(length_);
  for (Piece piece; next(piece);) {
    body.append(piece.text).append(content.substr(piece.offset, piece.length));
  }
  return body;
}

std::string_view take_content_type(std::string_view fields, std::string& rest) {
  constexpr std::string_view kName = "content-type:";
  std::string_view type;
  while (!fields.empty()) {
    const size_t end = fields.find("\r\n");
    const std::string_view line = fields.substr(0, end);
    if (http::equals_ignoring_case(line.substr(0, kName.size()), kName)) {
      type = http::trim_white_space(line.substr(kName.size()));
    } else {
      rest.append(line).append("\r\n");
    }
    fields.remove_prefix(end == std::string_view::npos ? fields.size() : end + 2);
  }
  return type;
}

}  // namespace sluice::files
