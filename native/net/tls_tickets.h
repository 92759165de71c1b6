// The keys that session tickets are encrypted with: one for new tickets, and those before it, under
// which clients may still come back. All workers of a gateway have the same, so that a session goes
// on with whichever worker gets the connection; they are replaced whole, never changed. Kept in
// memory only, and given to a successor alone: after a restart clients make a full handshake.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/ref.h"

namespace sluice::net {

struct TicketKey {
  std::array<uint8_t, 16> name;
  std::array<uint8_t, 32> cipher;
  std::array<uint8_t, 32> mac;
};

struct TicketKeys : Counted<TicketKeys> {
  static constexpr size_t kMost = 3;
  ~TicketKeys();

  std::array<TicketKey, kMost> keys;  ///< newest first
  size_t count = 0;
};

/// A new key, with the newest of `before` (null: none) behind it. Null when there is no randomness.
Ref<const TicketKeys> next_ticket_keys(const TicketKeys* before);

/// As bytes for another process, and back; null when they are none.
std::string pack_ticket_keys(const TicketKeys& keys);
Ref<const TicketKeys> unpack_ticket_keys(std::string_view bytes);

}  // namespace sluice::net
