// A file as the answer of an application that did not send it itself: the file's own head and
// body, with the fields that the application gave. As file_response.h; on the worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "files/file_response.h"

namespace sluice::files {

/// What the application said: a status, and "Name: value\r\n" lines.
struct Dressing {
  uint16_t status = 200;
  std::string_view fields;
};

/// With status 200 a GET or HEAD is answered as by files(): preconditions and ranges count. Any
/// other status or method gets the whole file. An answer without a file stays as it is.
void reply_dressed(const Answer& remembered, const http::RequestHead& request, int64_t now_s,
                   const Dressing& dressing, Reply& reply);

}  // namespace sluice::files
