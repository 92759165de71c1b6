// Fuzzes the decoder of chunked framing: a body comes to the same payload, end or error however it
// is cut, and whatever is taken for a whole body encodes again to one that decodes alike.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "http/chunked_decoder.h"
#include "require.h"

namespace {

using fuzz::require;
using sluice::ErrorCode;
using sluice::http::ChunkedDecoder;
using sluice::http::kMaxChunkLineBytes;
using Step = ChunkedDecoder::Step;

struct Body {
  Step step = Step::need_more;
  std::string payload;
  size_t consumed = 0;
  ErrorCode error = ErrorCode::none;
  bool operator==(const Body&) const = default;
};

bool ended(const Body& body) { return body.step == Step::done || body.step == Step::error; }

void feed(ChunkedDecoder& decoder, std::string_view rest, Body& body) {
  while (true) {
    const ChunkedDecoder::Result result = decoder.next(rest);
    require(result.consumed <= rest.size());
    require((result.step == Step::error) == (result.error != ErrorCode::none));
    require(decoder.done() == (result.step == Step::done));
    if (result.step == Step::need_more) require(result.consumed == rest.size());
    body.step = result.step;
    body.error = result.error;
    body.consumed += result.consumed;
    rest.remove_prefix(result.consumed);
    if (result.step != Step::payload || rest.empty()) return;
    require(result.payload > 0 && result.payload == decoder.payload_left());
    const size_t bytes = result.payload < rest.size() ? result.payload : rest.size();
    body.payload.append(rest.substr(0, bytes));
    body.consumed += bytes;
    rest.remove_prefix(bytes);
    decoder.took(bytes);
  }
}

/// In pieces of up to `longest` bytes, each in a buffer of its own.
Body decode_in_pieces(std::string_view input, uint32_t cuts, size_t longest) {
  ChunkedDecoder decoder;
  Body body;
  while (!input.empty() && !ended(body)) {
    cuts = cuts * 1664525u + 1013904223u;
    const std::string_view piece = input.substr(0, 1 + (cuts >> 16) % longest);
    const auto copy = std::make_unique<char[]>(piece.size());
    piece.copy(copy.get(), piece.size());
    feed(decoder, {copy.get(), piece.size()}, body);
    input.remove_prefix(piece.size());
  }
  return body;
}

void check_round_trip(const Body& body) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", body.payload.size());
  std::string encoded = body.payload.empty() ? "" : size + body.payload + "\r\n";
  encoded += "0\r\n\r\n";
  ChunkedDecoder decoder;
  Body again;
  feed(decoder, encoded, again);
  require(again.step == Step::done && again.payload == body.payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  ChunkedDecoder decoder;
  Body whole;
  feed(decoder, input, whole);
  uint32_t cuts = 2166136261u;
  for (char c : input) cuts = (cuts ^ static_cast<unsigned char>(c)) * 16777619u;
  if (size > 0) {
    for (size_t longest : {1u, 3u, 50u}) require(decode_in_pieces(input, cuts, longest) == whole);
  }
  if (whole.step == Step::done) check_round_trip(whole);
  return 0;
}
