// What the access log is told of a request, and how that travels from the worker to the thread that
// writes it: as a record of the bare facts. Escaping and laying out is the writer's work, who does
// it for hundreds of records in a row: that is cheaper than between two requests, and a worker has
// better things to do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/address_counts.h"
#include "core/error.h"
#include "http/request_head.h"

namespace sluice::log {

inline constexpr uint32_t kUnrouted = UINT32_MAX;

/// Known when the request is there. Views are valid during the call.
struct Request {
  const http::RequestHead* head = nullptr;  ///< null: it was never parsed
  std::string_view bytes;                   ///< what came of it, when head is null
  std::string_view id;  ///< what the request was numbered with; empty: what its head says
  AddressKey client;
  int64_t started_us = 0;  ///< sys::now_us() when its head was complete
  uint32_t route = kUnrouted;
};

/// The part of an upstream. Times in microseconds, -1: it did not come to that.
struct Upstream {
  std::string_view target;
  int64_t connect_us = -1;     ///< until connected; 0 for a connection of the pool
  int64_t first_byte_us = -1;  ///< from the request sent to the first byte of the answer
  int64_t total_us = -1;       ///< from the target chosen to the last byte of the answer
  uint32_t retries = 0;
};

/// Known at its end.
struct Outcome {
  uint16_t status = 0;                 ///< 0: no answer was begun
  ErrorCode error = ErrorCode::none;   ///< what ended it, or made the answer
  uint64_t bytes = 0;                  ///< of the body, taken by the kernel
  int64_t started_us = 0;              ///< of the Request
  int64_t ended_us = 0;                ///< sys::now_us()
  std::string_view engine;             ///< static storage
  const Upstream* upstream = nullptr;  ///< null: nobody was asked
};

/// The head of a record; the texts follow it in the order of Part.
struct Record {
  enum Part : uint8_t { method, host, port, target, referer, agent, request_id, upstream, parts_ };

  uint32_t size;  ///< of the whole record: a multiple of kAlignment
  uint32_t route;
  uint16_t status;
  ErrorCode error;
  bool is_parsed;  ///< false: `target` is the first line of what came
  uint8_t minor_version;
  bool has_upstream;
  uint32_t retries;  ///< this and the next three: has_upstream
  int64_t connect_us, first_byte_us, total_us;
  AddressKey client;
  int64_t wall_us;  ///< when it began, since the epoch
  int64_t started_us, ended_us;
  uint64_t bytes;
  std::string_view engine;
  std::array<uint16_t, parts_> lengths;

  static constexpr size_t kAlignment = 8;
  static constexpr size_t padded(size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
};

/// The texts of a record.
class RecordTexts {
 public:
  explicit RecordTexts(const Record& record) {
    const char* at = reinterpret_cast<const char*>(&record) + sizeof record;
    for (size_t part = 0; part < Record::parts_; ++part) {
      texts_[part] = {at, record.lengths[part]};
      at += record.lengths[part];
    }
  }
  std::string_view operator[](Record::Part part) const { return texts_[part]; }
  size_t bytes() const {
    size_t sum = 0;
    for (const std::string_view text : texts_) sum += text.size();
    return sum;
  }

 private:
  std::array<std::string_view, Record::parts_> texts_;
};

}  // namespace sluice::log
