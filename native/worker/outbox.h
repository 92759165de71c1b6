// Where a worker gathers the heads and small bodies of one connection before they go out by one
// send: pipelined requests are answered together. Used during one turn of one connection and empty
// between turns. Also the parts of a head that change every second.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/limits.h"

namespace sluice::worker {

class Outbox {
 public:
  /// A response whose bytes are in the box: recorded when the box has been handed over.
  struct Gathered {
    uint32_t route;
    uint16_t status;
    bool is_forwarded;
    int64_t started_us;
    uint64_t bytes;  ///< of the body
  };

  Outbox() { bytes_.reserve(kScratchBytes); }

  /// `wall_s` dates the responses from now on; `server_field` is "Server: …\r\n" or empty.
  void set_date(int64_t wall_s, std::string_view server_field);

  /// "Date: …\r\n" of now.
  std::string_view date_field() const { return date_field_; }

  void append(std::string_view bytes) { bytes_.append(bytes); }
  /// Date, Server, Connection and the empty line.
  enum class Persistence : uint8_t { implied, keep_alive, close };
  void finish_head(Persistence persistence);

  std::string_view bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void clear() {
    bytes_.clear();
    gathered_count_ = 0;
  }
  /// The socket took the first `bytes`.
  void drop_front(size_t bytes) { bytes_.erase(0, bytes); }

  bool full() const {
    return bytes_.size() >= kScratchBytes / 2 || gathered_count_ == gathered_.size();
  }
  void gather(const Gathered& response) { gathered_[gathered_count_++] = response; }
  /// Calls `record(Gathered)` for each and forgets them.
  template <typename Record>
  void take_gathered(Record&& record) {
    for (unsigned i = 0; i < gathered_count_; ++i) record(gathered_[i]);
    gathered_count_ = 0;
  }

 private:
  std::string bytes_;
  std::string date_field_;
  std::string implied_, keep_alive_, close_;
  std::array<Gathered, kTurnRequests> gathered_;
  unsigned gathered_count_ = 0;
};

}  // namespace sluice::worker
