// The framing of what goes out in chunks, and its trailers.
#include "http/chunked_encoder.h"

#include <string>
#include <vector>

#include "http/chunked_decoder.h"
#include "testing.h"

namespace {

using sluice::http::append_last_chunk;
using sluice::http::chunk_line;
using sluice::http::ChunkedDecoder;

std::string line_of(uint64_t bytes) {
  std::array<char, sluice::http::kChunkLineRoom> room;
  return std::string(chunk_line(bytes, room));
}

std::string last_chunk(std::string_view trailers, const std::vector<std::string>& removed = {}) {
  std::string out;
  append_last_chunk(trailers, removed, out);
  return out;
}

}  // namespace

TEST(chunk_lines_are_what_the_decoder_reads) {
  CHECK_EQ(line_of(1), "1\r\n");
  CHECK_EQ(line_of(0x1f40), "1f40\r\n");
  for (uint64_t bytes : {uint64_t{9}, uint64_t{16}, uint64_t{65535}, uint64_t{INT64_MAX}}) {
    ChunkedDecoder decoder;
    CHECK_EQ(decoder.next(line_of(bytes)).payload, bytes);
  }
  CHECK_EQ(line_of(UINT64_MAX), "ffffffffffffffff\r\n");
}

TEST(last_chunks_carry_the_trailers_that_may_pass) {
  CHECK_EQ(last_chunk(""), sluice::http::kLastChunk);
  CHECK_EQ(last_chunk("A:b\r\nContent-Length: 5\r\nX-Sum:  \t1 2 \r\nSet-Cookie: c\r\n"),
           "0\r\nA: b\r\nX-Sum: 1 2\r\n\r\n");
  CHECK_EQ(last_chunk("Transfer-Encoding: chunked\r\n"), "0\r\n\r\n");
}

TEST(last_chunks_lack_the_trailers_that_are_removed) {
  CHECK_EQ(last_chunk("X-Sum: 1\r\nX-Debug: 2\r\nX-Su: 3\r\n", {"x-debug", "x-sum"}),
           "0\r\nX-Su: 3\r\n\r\n");
  CHECK_EQ(last_chunk("X-Sum: 1\r\n", {"x-sum"}), "0\r\n\r\n");
}

TEST(last_chunks_are_whole_whatever_the_trailers) {
  for (const char* trailers : {"A: b", "A: b\r", "A", "\r\n", "A: b\nC: d\r\n", " A: b\r\n"}) {
    CHECK_EQ(last_chunk(trailers), "0\r\n\r\n");
  }
  CHECK_EQ(last_chunk("A: b\r\nC: d"), "0\r\nA: b\r\n\r\n");
}
