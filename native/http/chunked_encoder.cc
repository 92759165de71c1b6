// Trailers are written anew from what was parsed, as fields of heads are.
#include "http/chunked_encoder.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "http/chars.h"
#include "http/field_line.h"
#include "http/hop_by_hop.h"
#include "http/response_head.h"

namespace sluice::http {

std::string_view chunk_line(uint64_t bytes, std::array<char, kChunkLineRoom>& room) {
  assert(bytes > 0);
  char* end = std::to_chars(room.data(), room.data() + 16, bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {room.data(), static_cast<size_t>(end - room.data())};
}

void append_last_chunk(std::string_view trailers, std::span<const std::string> removed,
                       std::string& out) {
  out.append("0\r\n");
  HeadCursor in{trailers.data(), trailers.data() + trailers.size()};
  Field field;
  while (!in.empty()) {
    // The decoder is no less strict; should it ever be, nothing that it let through goes out.
    if (take_field_line(in, field) != ErrorCode::none) break;
    const bool is_removed = std::ranges::any_of(removed, [&field](const std::string& name) {
      return equals_ignoring_case(field.name, name);
    });
    if (!is_removed && forwards_trailer(field)) append_field(out, field.name, field.value);
  }
  out.append("\r\n");
}

}  // namespace sluice::http
