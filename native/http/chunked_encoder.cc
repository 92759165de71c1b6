// Trailers are written anew from what was parsed, as fields of heads are.
#include "http/chunked_encoder.h"

#include <cassert>
#include <charconv>

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

void append_last_chunk(std::string_view trailers, std::string& out) {
  out.append("0\r\n");
  HeadCursor in{trailers.data(), trailers.data() + trailers.size()};
  Field field;
  while (!in.empty()) {
    // The decoder is no less strict; should it ever be, nothing that it let through goes out.
    if (take_field_line(in, field) != ErrorCode::none) break;
    if (forwards_trailer(field)) append_field(out, field.name, field.value);
  }
  out.append("\r\n");
}

}  // namespace sluice::http
