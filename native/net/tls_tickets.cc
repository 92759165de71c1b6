// Keys that are no longer needed are wiped: whoever reads our memory later cannot open old tickets.
#include "net/tls_tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

namespace sluice::net {

TicketKeys::~TicketKeys() { OPENSSL_cleanse(keys.data(), sizeof keys); }

Ref<const TicketKeys> next_ticket_keys(const TicketKeys* before) {
  auto next = make_ref<TicketKeys>();
  TicketKey& newest = next->keys[0];
  const bool is_random =
      RAND_bytes(newest.name.data(), static_cast<int>(newest.name.size())) == 1 &&
      RAND_priv_bytes(newest.cipher.data(), static_cast<int>(newest.cipher.size())) == 1 &&
      RAND_priv_bytes(newest.mac.data(), static_cast<int>(newest.mac.size())) == 1;
  if (!is_random) return {};
  next->count = 1;
  if (before != nullptr) {
    const size_t kept = std::min(before->count, TicketKeys::kMost - 1);
    std::copy_n(before->keys.begin(), kept, next->keys.begin() + 1);
    next->count += kept;
  }
  return Ref<const TicketKeys>(next.get());
}

std::string pack_ticket_keys(const TicketKeys& keys) {
  return {reinterpret_cast<const char*>(keys.keys.data()), keys.count * sizeof(TicketKey)};
}

Ref<const TicketKeys> unpack_ticket_keys(std::string_view bytes) {
  const size_t count = bytes.size() / sizeof(TicketKey);
  if (bytes.size() % sizeof(TicketKey) != 0 || count == 0 || count > TicketKeys::kMost) return {};
  auto keys = make_ref<TicketKeys>();
  std::memcpy(keys->keys.data(), bytes.data(), bytes.size());
  keys->count = count;
  return Ref<const TicketKeys>(keys.get());
}

}  // namespace sluice::net
