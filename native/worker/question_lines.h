// Shares of the question queue: one client address may have so many questions open, and whoever
// comes beyond that stands in its address's line instead of taking the room of others. When the
// whole queue is full, addresses take turns. One worker's thread. Holds tickets, not connections:
// those who left are found out when their turn comes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>

#include "core/address_counts.h"
#include "core/hash.h"

namespace sluice::worker {

class QuestionLines {
 public:
  /// An IPv6 client has a whole /64 to choose addresses from; unix sockets share no line.
  static AddressKey share_of(const AddressKey& address);

  bool has_room(const AddressKey& share) const;
  /// A question that `share` asked is open, or no longer.
  void opened(const AddressKey& share);
  void closed(const AddressKey& share);

  /// `is_gone(ticket)` tells those who need not be kept in a line that has grown long.
  void wait(const AddressKey& share, uint64_t ticket, const std::function<bool(uint64_t)>& is_gone);
  /// Who may ask now, in turn; nothing when nobody waits or whoever waits has its share.
  std::optional<uint64_t> next();

 private:
  struct Line {
    uint32_t open = 0;
    bool has_turn = false;  ///< is in turns_
    std::deque<uint64_t> tickets;
    size_t tidy_at = 1024;
  };
  struct Hash {
    size_t operator()(const AddressKey& key) const {
      return fold_multiply(key.high ^ hash_seed(), key.low ^ 0x9e3779b97f4a7c15ULL);
    }
  };

  std::unordered_map<AddressKey, Line, Hash> lines_;
  std::deque<AddressKey> turns_;  ///< whose line is not empty
};

}  // namespace sluice::worker
