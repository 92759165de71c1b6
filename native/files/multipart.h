// The body of a multipart/byteranges answer (RFC 9110 §14.6): which texts and which parts of the
// file follow each other. Holds no descriptor and sends nothing: whoever sends asks for one piece
// after the other, so each part goes out by the engine of the whole file. One request's, one
// thread's.
//
//   part ──next()──▶ part ──next()──▶ … ──next()──▶ closing ──next()──▶ done
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/range.h"

namespace sluice::files {

class Multipart {
 public:
  /// Text, and then `length` bytes of the file (0 after the last part).
  struct Piece {
    std::string text;
    uint64_t offset = 0;
    uint64_t length = 0;
  };

  /// `type` is the Content-Type of each part, or empty; `size` that of the whole file.
  Multipart(std::string_view type, const http::RangeSet& set, uint64_t size);

  /// Of the whole body, in bytes.
  uint64_t length() const { return length_; }
  std::string content_type() const { return "multipart/byteranges; boundary=" + boundary_; }

  /// The next piece; false when there are no more. The text in `piece` is replaced.
  bool next(Piece& piece);

  /// The whole body, of a file whose bytes are `content`. Uses up the pieces.
  std::string joined(std::string_view content);

 private:
  enum class State : uint8_t { part, closing, done };

  State state_ = State::part;
  size_t position_ = 0;  ///< of the next part
  std::string boundary_;
  std::vector<Piece> parts_;
  uint64_t length_ = 0;
};

/// Takes the Content-Type out of `fields` ("Name: value\r\n" lines): the value, which views
/// `fields`, or empty; the other lines are appended to `rest`.
std::string_view take_content_type(std::string_view fields, std::string& rest);

}  // namespace sluice::files
