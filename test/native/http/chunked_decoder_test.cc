// The framing of chunked bodies: payload found, faults refused, bounds kept. Every input also runs
// cut at every point and byte by byte, and comes to the same.
#include "http/chunked_decoder.h"

#include <cstdint>
#include <string>
#include <vector>

#include "head_cases.h"

namespace {

using head_cases::ExactBuffer;
using sluice::ErrorCode;
using sluice::http::ChunkedDecoder;
using sluice::http::kMaxChunkLineBytes;
using sluice::http::kMaxTrailerBytes;
using Step = ChunkedDecoder::Step;

/// What a body came to: its payload, where it ended and how.
struct Body {
  Step step = Step::need_more;
  std::string payload;
  size_t consumed = 0;
  ErrorCode error = ErrorCode::none;
  bool operator==(const Body&) const = default;
};

/// Feeds `piece` to `decoder`, taking payload as it comes.
void feed(ChunkedDecoder& decoder, std::string_view piece, Body& body) {
  const ExactBuffer buffer(piece);
  std::string_view rest = buffer.view();
  while (true) {
    const ChunkedDecoder::Result result = decoder.next(rest);
    body.step = result.step;
    body.error = result.error;
    body.consumed += result.consumed;
    CHECK(result.consumed <= rest.size());
    rest.remove_prefix(result.consumed);
    if (result.step != Step::payload || rest.empty()) return;
    CHECK_EQ(result.payload, decoder.payload_left());
    CHECK(result.payload > 0);
    const size_t bytes = std::min<uint64_t>(result.payload, rest.size());
    body.payload += rest.substr(0, bytes);
    body.consumed += bytes;
    rest.remove_prefix(bytes);
    decoder.took(bytes);
  }
}

Body decode(std::initializer_list<std::string_view> pieces) {
  ChunkedDecoder decoder;
  Body body;
  for (std::string_view piece : pieces) {
    feed(decoder, piece, body);
    if (body.step == Step::done || body.step == Step::error) break;
  }
  CHECK_EQ(decoder.done(), body.step == Step::done);
  return body;
}

Body decode_every_way(std::string_view input) {
  const testing::Context context(testing::quoted(input.substr(0, 100)));
  const Body whole = decode({input});
  for (size_t split = 0; split <= input.size(); ++split) {
    const testing::Context at("split at " + std::to_string(split));
    CHECK(decode({input.substr(0, split), input.substr(split)}) == whole);
  }
  ChunkedDecoder decoder;
  Body body;
  for (size_t i = 0; i < input.size() && body.step != Step::done && body.step != Step::error; ++i) {
    feed(decoder, input.substr(i, 1), body);
  }
  CHECK(body == whole);
  return whole;
}

void check_decodes(std::string_view input, std::string_view payload) {
  const Body body = decode_every_way(std::string(input) + "NEXT");
  CHECK_EQ(body.step, Step::done);
  CHECK_EQ(body.payload, payload);
  CHECK_EQ(body.consumed, input.size());
}

void check_refuses(std::string_view input, ErrorCode error) {
  const Body body = decode_every_way(input);
  CHECK_EQ(body.step, Step::error);
  CHECK_EQ(body.error, error);
}

}  // namespace

TEST(chunked_bodies_yield_their_payload) {
  check_decodes("0\r\n\r\n", "");
  check_decodes("5\r\nhello\r\n0\r\n\r\n", "hello");
  check_decodes("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc");
  check_decodes("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789");
  check_decodes("2\r\n\r\n\r\n0\r\n\r\n", "\r\n");
  check_decodes("0005\r\nhello\r\n000\r\n\r\n", "hello");
}

TEST(chunk_extensions_are_passed_over) {
  check_decodes("5;a\r\nhello\r\n0;b=c;d=\"e f\"\r\n\r\n", "hello");
  check_decodes("5 ;a\r\nhello\r\n0\t; a = b\r\n\r\n", "hello");
  check_decodes("5;\r\nhello\r\n0\r\n\r\n", "hello");
  check_decodes("1;chunk-signature=\x80\r\nx\r\n0\r\n\r\n", "x");
}

TEST(trailers_are_passed_over) {
  check_decodes("0\r\nA: b\r\n\r\n", "");
  check_decodes("1\r\nx\r\n0\r\nA: b\r\nC:\r\nDigest: \t\x80 c\r\n\r\n", "x");
}

TEST(chunk_sizes_are_refused_when_malformed) {
  for (const char* input : {"\r\n",
                            ";a\r\n",
                            "g\r\n",
                            "-1\r\n",
                            "+1\r\n",
                            "0x1\r\n",
                            " 1\r\n",
                            "\t1\r\n",
                            "1 \r\n",
                            "1\t\r\n",
                            "1 1\r\n",
                            "1,\r\n",
                            "1h\r\n",
                            "\n",
                            "1\n",
                            "1\rx",
                            "1\r\r\n",
                            "1;a\nx",
                            "1;a\rx",
                            "1;\x01\r\n",
                            "1 \n",
                            "1;a\x7f\r\n",
                            "8000000000000000\r\n",
                            "FFFFFFFFFFFFFFFF\r\n",
                            "00000000000000001\r\n",
                            "10000000000000000\r\n"}) {
    check_refuses(input, ErrorCode::bad_chunk);
  }
  check_refuses(std::string_view("1\0\r\n", 4), ErrorCode::bad_chunk);
}

TEST(chunks_are_refused_when_their_ending_is_wrong) {
  check_refuses("1\r\nxy\r\n", ErrorCode::bad_chunk);
  check_refuses("1\r\nx\n0\r\n\r\n", ErrorCode::bad_chunk);
  check_refuses("1\r\nx\rx", ErrorCode::bad_chunk);
  check_refuses("1\r\nx0\r\n\r\n", ErrorCode::bad_chunk);
  check_refuses("0\r\n\rx", ErrorCode::bad_chunk);
}

TEST(trailers_are_refused_when_malformed) {
  check_refuses("0\r\n\n", ErrorCode::bad_field_name);
  check_refuses("0\r\n: a\r\n\r\n", ErrorCode::bad_field_name);
  check_refuses("0\r\nA : b\r\n\r\n", ErrorCode::bad_field_name);
  check_refuses("0\r\nA\r\n\r\n", ErrorCode::bad_field_name);
  check_refuses("0\r\n a: b\r\n\r\n", ErrorCode::folded_field);
  check_refuses("0\r\nA: b\r\n\tc\r\n\r\n", ErrorCode::folded_field);
  check_refuses("0\r\nA: b\n\r\n", ErrorCode::bad_line_ending);
  check_refuses("0\r\nA: b\rc\r\n\r\n", ErrorCode::bad_line_ending);
  check_refuses(std::string_view("0\r\nA: \0\r\n\r\n", 10), ErrorCode::bad_field_value);
}

TEST(chunk_lines_and_trailers_are_bounded) {
  const std::string line = "1;" + std::string(kMaxChunkLineBytes - 2, 'e');
  CHECK_EQ(decode({line + "\r\nx\r\n" + line + "\r\nx\r\n0\r\n\r\n"}).payload, "xx");
  CHECK_EQ(decode({line + "e"}).error, ErrorCode::bad_chunk);
  CHECK_EQ(decode({"1" + std::string(kMaxChunkLineBytes, ' ')}).error, ErrorCode::bad_chunk);
  // The CR counts with the line that it ends; the empty line at the end does not.
  const std::string trailer = "A:" + std::string(kMaxTrailerBytes - 4, 'v') + "\r\n";
  CHECK_EQ(decode({"0\r\n" + trailer + "\r\n"}).step, Step::done);
  CHECK_EQ(decode({"0\r\n" + trailer + "B"}).error, ErrorCode::bad_chunk);
  std::string many = "0\r\n";
  while (many.size() <= kMaxTrailerBytes + 3) many += "a:\r\n";
  CHECK_EQ(decode({many}).error, ErrorCode::bad_chunk);
}

TEST(trailers_are_handed_out_as_they_came) {
  const std::string lines = "A: b\r\nC:\r\nDigest: \t\x80 c\r\n";
  const std::string input = "1;x=y\r\nz\r\n0;end\r\n" + lines + "\r\nNEXT: f\r\n";
  for (size_t split = 0; split <= input.size(); ++split) {
    const testing::Context context("split at " + std::to_string(split));
    ChunkedDecoder decoder;
    std::string trailers;
    for (std::string_view rest :
         {std::string_view(input).substr(0, split), std::string_view(input).substr(split)}) {
      ChunkedDecoder::Result result = decoder.next(rest, &trailers);
      if (result.step == Step::payload && result.consumed < rest.size()) {
        decoder.took(1);
        decoder.next(rest.substr(result.consumed + 1), &trailers);
      }
    }
    CHECK(decoder.done());
    CHECK_EQ(trailers, lines);
  }
  ChunkedDecoder decoder;
  std::string trailers;
  CHECK_EQ(decoder.next("0\r\n\r\nA: b\r\n\r\n", &trailers).consumed, 5u);
  CHECK_EQ(trailers, "");
}

TEST(a_chunk_may_be_larger_than_any_buffer) {
  ChunkedDecoder decoder;
  const ChunkedDecoder::Result first = decoder.next("7fffffffffffffff\r\nabc");
  CHECK_EQ(first.step, Step::payload);
  CHECK_EQ(first.consumed, 18u);
  CHECK_EQ(first.payload, static_cast<uint64_t>(INT64_MAX));
  decoder.took(INT64_MAX - 1);
  CHECK_EQ(decoder.payload_left(), 1u);
  CHECK_EQ(decoder.next("").step, Step::payload);
  decoder.took(0);
  decoder.took(1);
  CHECK_EQ(decoder.payload_left(), 0u);
  CHECK_EQ(decoder.next("\r\n0\r\n\r\nrest").consumed, 7u);
  CHECK(decoder.done());
}

TEST(a_decoder_stays_done_and_stays_failed) {
  ChunkedDecoder decoder;
  CHECK_EQ(decoder.next("0\r\n\r\n").step, Step::done);
  CHECK_EQ(decoder.next("5\r\n").step, Step::done);
  CHECK_EQ(decoder.next("5\r\n").consumed, 0u);
  ChunkedDecoder failed;
  CHECK_EQ(failed.next("0\r\n a").error, ErrorCode::folded_field);
  CHECK_EQ(failed.next("0\r\n\r\n").error, ErrorCode::folded_field);
  CHECK(!failed.done());
}
