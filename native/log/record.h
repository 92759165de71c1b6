// What the access log is told of a request: first who asked for what, while the views into its head
// are valid, and at its end what became of it. Plain data of one call; nobody keeps it.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/address_counts.h"
#include "core/error.h"
#include "http/request_head.h"

namespace sluice::log {

struct Request {
  const http::RequestHead* head = nullptr;  ///< null: it was never parsed
  std::string_view bytes;                   ///< what came of it, when head is null
  AddressKey client;
  int64_t started_us = 0;  ///< sys::now_us() when its head was complete
  std::string_view route;  ///< key as the user wrote it; empty: none took it
};

/// The part of an upstream. Times in microseconds, -1: it did not come to that.
struct Upstream {
  std::string_view target;
  int64_t connect_us = -1;     ///< until connected; 0 for a connection of the pool
  int64_t first_byte_us = -1;  ///< from the request sent to the first byte of the answer
  int64_t total_us = -1;       ///< from the target chosen to the last byte of the answer
  uint32_t retries = 0;
};

struct Outcome {
  uint16_t status = 0;     ///< 0: no answer was begun
  uint64_t bytes = 0;      ///< of the body, taken by the kernel
  int64_t ended_us = 0;    ///< sys::now_us()
  int64_t started_us = 0;  ///< of the Request
  std::string_view engine;
  ErrorCode error = ErrorCode::none;   ///< what ended it, or made the answer
  const Upstream* upstream = nullptr;  ///< null: nobody was asked
};

}  // namespace sluice::log
