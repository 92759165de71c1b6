// Errors as values. One list (core/errors.def) gives the enum, the HTTP status and the log name.
// Any thread; no state, no allocation. A peer's fault is an ErrorCode, ours is an assertion:
// nothing on the data plane throws.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

enum class ErrorCode : uint8_t {
#define SLUICE_ERROR(code, status, source, retry, name, meaning) code,
#include "core/errors.def"
#undef SLUICE_ERROR
  count_
};

enum class ErrorSource : uint8_t { downstream, upstream, internal, config };
enum class Retry : uint8_t { no, yes, if_reused };

/// What the list says of one code. Static storage.
struct ErrorInfo {
  uint16_t status;  ///< HTTP status for the client; 0: the connection just closes
  ErrorSource source;
  Retry retry;
  std::string_view name;     ///< as in logs: "bad-host"
  std::string_view meaning;  ///< one line for people
};

/// The row of errors.def for `code`.
const ErrorInfo& error_info(ErrorCode code);

}  // namespace sluice
