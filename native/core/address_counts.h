// How many connections each client address has, over all workers of a gateway: exact, bounded by
// the number of open connections. Locked in shards; touched once per accepted and closed
// connection, and only where a limit is set.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

namespace sluice {

/// An IPv6 address, or an IPv4 one mapped into it (RFC 4291 §2.5.5.2); all zero for unix sockets.
struct AddressKey {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const AddressKey&) const = default;
};

class AddressCounts {
 public:
  /// Counts one more connection unless there are `limit` already; false: refuse it. Any thread.
  bool enter(const AddressKey& key, uint32_t limit);
  /// One connection that entered has closed. Any thread.
  void leave(const AddressKey& key);

 private:
  struct Hash {
    size_t operator()(const AddressKey& key) const;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<AddressKey, uint32_t, Hash> counts;
  };
  Shard& shard_of(const AddressKey& key);

  std::array<Shard, 64> shards_;
};

}  // namespace sluice
