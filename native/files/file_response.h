// From a remembered answer and a request to what goes out: coding, preconditions, ranges, HEAD.
// On the worker that has the request; allocates only for the answers that are not the whole file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "files/answer.h"
#include "files/multipart.h"
#include "http/request_head.h"
#include "transfer/transfer.h"

namespace sluice::files {

/// One response, ready to be sent. Views are valid as long as the answer and this object are.
struct Reply {
  uint16_t status = 200;
  /// Status line and fields, without Date, Server, Connection and the empty line.
  std::string_view head;
  std::string built;               ///< what `head` views when it was not prepared
  const Source* source = nullptr;  ///< body; null: none
  uint64_t offset = 0;
  uint64_t length = 0;               ///< body bytes that are sent
  Ref<const Source> own;             ///< a body that was made for this reply; `source` is it
  std::shared_ptr<Multipart> parts;  ///< parts of `source` in turn: `length` is that of them all
  uint64_t answer = 0;               ///< id of the answer it came from, or 0
  /// What moved the request's body; empty: what moves the response's counts.
  std::optional<transfer::Engine> engine;
  ErrorCode error = ErrorCode::none;  ///< the one that it tells of, when the core made it
};

/// `request` is GET or HEAD. `now_s` is the wall clock.
void reply_with(const Answer& remembered, const http::RequestHead& request, int64_t now_s,
                Reply& reply);

}  // namespace sluice::files
