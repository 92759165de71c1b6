// Decodes the framing of a chunked body (RFC 9112 §7.1) as bytes arrive, in place, without
// allocation: tells which bytes are framing and how many are payload, so that the payload can be
// skipped, copied or spliced by the caller. Strict: CRLF only, bounded sizes, extensions, trailers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace sluice::http {

/// Bytes of one chunk-size line with its extensions, without CRLF. Signed uploads carry about a
/// hundred in extensions; nothing else is known to need any.
inline constexpr uint32_t kMaxChunkLineBytes = 512;
/// Bytes of a trailer section, without its last CRLF.
inline constexpr uint32_t kMaxTrailerBytes = 8 * 1024;

class ChunkedDecoder {
 public:
  enum class Step : uint8_t {
    payload,    ///< `payload` bytes of data come next, of which some may be in the input
    need_more,  ///< the input is used up within the framing
    done,       ///< last chunk and trailer section read
    error       ///< `error` says why; the connection cannot go on
  };
  struct Result {
    Step step = Step::need_more;
    size_t consumed = 0;   ///< framing bytes used from the input
    uint64_t payload = 0;  ///< bytes of this chunk's data still to come, when step is payload
    ErrorCode error = ErrorCode::none;
  };

  /// Reads framing at the start of `input`. Never consumes payload: after `payload` the caller
  /// takes that data by whatever means and reports it with `took`. The lines of the trailer section
  /// are appended to `trailers` as they come, unless it is null: at most kMaxTrailerBytes.
  Result next(std::string_view input, std::string* trailers = nullptr);

  /// `bytes` of the current chunk's payload were taken. Never more than the last Result's payload.
  void took(uint64_t bytes);

  /// Payload bytes of the current chunk still to come.
  uint64_t payload_left() const { return left_; }
  bool in_payload() const { return state_ == State::payload; }
  bool done() const { return state_ == State::done; }

 private:
  //  size ─┬─ ';' → extension ─┐            ┌────────────── CRLF ──────────────┐
  //   ▲    ├─ SP  → size_space ┤            ▼                                  │
  //   │    └──────── CR ───────┴→ size_lf ──┬─ n > 0 → payload → payload_cr → payload_lf
  //   └─────────────────────────────────────│──────────────────────────────────┘
  //                                         └─ n = 0 → trailer_start ─ CR → end_lf → done
  //                trailer_start → trailer_name → trailer → trailer_lf → trailer_start
  enum class State : uint8_t {
    size,
    size_space,
    extension,
    size_lf,
    payload,
    payload_cr,
    payload_lf,
    trailer_start,
    trailer_name,
    trailer,
    trailer_lf,
    end_lf,
    done,
    failed
  };

  bool in_trailers() const { return state_ >= State::trailer_start && state_ <= State::trailer_lf; }
  ErrorCode on_byte(char c);
  ErrorCode on_size(char c);
  ErrorCode on_size_end(char c);
  ErrorCode on_trailer(char c);
  ErrorCode expect(char c, char wanted, State next);
  ErrorCode count(uint32_t limit);

  uint64_t left_ = 0;
  uint32_t line_bytes_ = 0;  ///< bytes of the current size line or of the whole trailer section
  uint8_t digits_ = 0;
  State state_ = State::size;
  ErrorCode error_ = ErrorCode::none;  ///< why it failed
};

}  // namespace sluice::http
