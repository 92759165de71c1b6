// A seeded 64-bit hash of bytes for tables whose keys strangers choose: a seed made at start keeps
// them from choosing keys that collide. Multiply-and-fold (the construction of wyhash), not
// cryptographic. Any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

/// Random for this process, from getrandom(2); made at first use.
uint64_t hash_seed();

inline uint64_t fold_multiply(uint64_t left, uint64_t right) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(left) * right;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_bytes(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t kFirst = 0xa0761d6478bd642fULL;
  constexpr uint64_t kSecond = 0xe7037ed1a0b428dbULL;
  uint64_t hash = seed ^ fold_multiply(bytes.size() ^ kFirst, seed ^ kSecond);
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left > 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = fold_multiply(hash ^ word, kFirst ^ seed);
  }
  uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  return fold_multiply(hash ^ tail, kSecond ^ seed);
}

}  // namespace sluice
