// Connections per client address in 64 locked shards.
// Any thread. A shard's lock is held for one map operation and never while calling out.
#include "core/address_counts.h"

#include <string_view>

#include "core/hash.h"

namespace sluice {

size_t AddressCounts::Hash::operator()(const AddressKey& key) const {
  return fold_multiply(key.high ^ hash_seed(), key.low ^ 0x9e3779b97f4a7c15ULL);
}

AddressCounts::Shard& AddressCounts::shard_of(const AddressKey& key) {
  return shards_[Hash()(key) % shards_.size()];
}

bool AddressCounts::enter(const AddressKey& key, uint32_t limit) {
  Shard& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  uint32_t& count = shard.counts[key];
  if (count >= limit) return false;
  ++count;
  return true;
}

void AddressCounts::leave(const AddressKey& key) {
  Shard& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  auto found = shard.counts.find(key);
  if (found != shard.counts.end() && --found->second == 0) shard.counts.erase(found);
}

}  // namespace sluice
