// What a connection keeps of an answer that is not out yet: its bytes, or whose file it is to be.
// The connection's own; freed with the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/ref.h"
#include "files/multipart.h"
#include "log/lines.h"
#include "proxy/exchange.h"
#include "transfer/transfer.h"
#include "worker/generation.h"
#include "worker/pace.h"

namespace sluice::worker {

/// A response that could not go out at once.
struct Outgoing {
  std::string pending;     ///< bytes before the body
  size_t sent = 0;         ///< of pending
  bool is_corked = false;  ///< see kCorkBytes
  transfer::Transfer body;
  std::shared_ptr<files::Multipart> parts;  ///< what follows the body; null: nothing
  uint32_t route = 0, status = 0;
  int64_t started_us = 0;
  uint64_t answer = 0;            ///< id of the remembered answer, or 0
  uint64_t bytes = 0, taken = 0;  ///< of the body; that the socket took
  log::Lines lines;               ///< of the access log, for the responses that are under way
  Pace pace;
};

/// What the answer of an upstream asks for: the request is handled again from its head, and gets
/// a file.
struct Instructed {
  proxy::Instruction instruction;
  uint32_t files = 0;  ///< whom TypeScript is asked as
  uint32_t route = 0;
  bool copy_only = false;
  bool is_read = true;         ///< the request's body is behind us
  Ref<Generation> generation;  ///< whose `files` it is
};

}  // namespace sluice::worker
