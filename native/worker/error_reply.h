// The responses that the core gives on its own: one per row of the list of errors, built once per
// process and immutable. Any thread.
#pragma once

#include <string>

#include "core/error.h"
#include "core/source.h"

namespace sluice::worker {

struct ErrorReply {
  std::string head;        ///< status line and fields, without Date, Connection and the empty line
  Ref<const Source> body;  ///< "404 Not Found: no such file\n"
};

/// The response for `code`, whose status is not 0.
const ErrorReply& error_reply(ErrorCode code);

}  // namespace sluice::worker
