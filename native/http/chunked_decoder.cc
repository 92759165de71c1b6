// The state machine of chunked framing, one byte a step: framing is a few bytes per chunk, so there
// is nothing to gain from more. Refuses every repair that RFC 9112 §7.1 leaves open, since what one
// hop repairs and the next does not is how requests are smuggled.
#include "http/chunked_decoder.h"

#include <cassert>

#include "http/chars.h"

namespace sluice::http {
namespace {

/// Sizes of up to 2^63 - 1; 16 digits hold them, and more would be leading zeros.
constexpr uint8_t kMaxSizeDigits = 16;
constexpr uint64_t kMaxChunkBytes = INT64_MAX;

}  // namespace

ChunkedDecoder::Result ChunkedDecoder::next(std::string_view input, std::string* trailers) {
  size_t at = 0;
  while (true) {
    if (state_ == State::failed) return {Step::error, at, 0, error_};
    if (state_ == State::done) return {Step::done, at};
    if (state_ == State::payload) return {Step::payload, at, left_};
    if (at == input.size()) return {Step::need_more, at};
    const bool was_in_trailers = in_trailers();
    const char c = input[at++];
    error_ = on_byte(c);
    if (error_ != ErrorCode::none) state_ = State::failed;
    if (trailers != nullptr && was_in_trailers && in_trailers()) trailers->push_back(c);
  }
}

void ChunkedDecoder::took(uint64_t bytes) {
  assert(state_ == State::payload && bytes <= left_);
  left_ -= bytes;
  if (left_ == 0) state_ = State::payload_cr;
}

ErrorCode ChunkedDecoder::on_byte(char c) {
  switch (state_) {
    case State::size: return on_size(c);
    case State::size_space:
      // BWS stands only before an extension (RFC 9112 §7.1.1); at the end of the line it is a
      // fault.
      if (is_white_space(c)) return count(kMaxChunkLineBytes);
      if (c != ';') return ErrorCode::bad_chunk;
      state_ = State::extension;
      return count(kMaxChunkLineBytes);
    case State::extension:
      // Extensions mean nothing to us and end with us; only their bytes and length are checked.
      if (c == '\r') return expect(c, '\r', State::size_lf);
      if (!is(kFieldContent, c)) return ErrorCode::bad_chunk;
      return count(kMaxChunkLineBytes);
    case State::size_lf: return on_size_end(c);
    case State::payload_cr: return expect(c, '\r', State::payload_lf);
    case State::payload_lf: digits_ = 0; return expect(c, '\n', State::size);
    case State::end_lf: return expect(c, '\n', State::done);
    default: return on_trailer(c);
  }
}

/// chunk-size = 1*HEXDIG (RFC 9112 §7.1).
ErrorCode ChunkedDecoder::on_size(char c) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (++digits_ > kMaxSizeDigits || left_ > (kMaxChunkBytes >> 4)) return ErrorCode::bad_chunk;
    left_ = left_ << 4 | static_cast<uint64_t>(digit);
    return count(kMaxChunkLineBytes);
  }
  if (digits_ == 0) return ErrorCode::bad_chunk;
  if (c == '\r') return expect(c, '\r', State::size_lf);
  if (c == ';') {
    state_ = State::extension;
  } else if (is_white_space(c)) {
    state_ = State::size_space;
  } else {
    return ErrorCode::bad_chunk;
  }
  return count(kMaxChunkLineBytes);
}

ErrorCode ChunkedDecoder::on_size_end(char c) {
  line_bytes_ = 0;
  return expect(c, '\n', left_ > 0 ? State::payload : State::trailer_start);
}

/// trailer-section = *( field-line CRLF ) (RFC 9112 §7.1.2), as strict as a head's fields.
ErrorCode ChunkedDecoder::on_trailer(char c) {
  switch (state_) {
    case State::trailer_start:
      if (c == '\r') return expect(c, '\r', State::end_lf);
      if (is_white_space(c)) return ErrorCode::folded_field;
      if (!is(kToken, c)) return ErrorCode::bad_field_name;
      state_ = State::trailer_name;
      break;
    case State::trailer_name:
      if (c == ':') {
        state_ = State::trailer;
      } else if (!is(kToken, c)) {
        return ErrorCode::bad_field_name;
      }
      break;
    case State::trailer:
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (!is(kFieldContent, c)) {
        return c == '\n' ? ErrorCode::bad_line_ending : ErrorCode::bad_field_value;
      }
      break;
    default:
      assert(state_ == State::trailer_lf);
      if (c != '\n') return ErrorCode::bad_line_ending;
      state_ = State::trailer_start;
      break;
  }
  return count(kMaxTrailerBytes);
}

ErrorCode ChunkedDecoder::expect(char c, char wanted, State next) {
  if (c != wanted) return ErrorCode::bad_chunk;
  state_ = next;
  return ErrorCode::none;
}

/// One more byte of a bounded line or section (RFC 9112 §7.1.1 and §7.1.2 ask for bounds).
ErrorCode ChunkedDecoder::count(uint32_t limit) {
  return ++line_bytes_ > limit ? ErrorCode::bad_chunk : ErrorCode::none;
}

}  // namespace sluice::http
