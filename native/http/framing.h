// The fields that frame a message or steer its connection (RFC 9112 §6, §9): Content-Length,
// Transfer-Encoding, Connection, each judged one field line at a time. Shared by the request and
// the response parser. Bytes only, any thread, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/error.h"

namespace sluice::http {

/// Lengths beyond this are refused: file offsets are signed 64-bit numbers.
inline constexpr uint64_t kMaxContentLength = INT64_MAX;

/// Content-Length = 1*DIGIT (RFC 9110 §8.6). No sign, no list, no white space, no overflow.
bool parse_content_length(std::string_view value, uint64_t& length);

/// One Transfer-Encoding field line (RFC 9112 §6.1, §7). `chunked` says whether an earlier line
/// already named chunked and is set when this one does.
ErrorCode parse_transfer_encoding(std::string_view value, bool& chunked);

/// What the Connection field lines said so far (RFC 9110 §7.6.1).
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;

  /// Adds one field line. Options that are not tokens name nothing and are passed over.
  void add(std::string_view value);
};

}  // namespace sluice::http
