// SHA-256 (FIPS 180-4) of bytes as they come. Portable code, about 250 MB/s: whoever hashes is an
// I/O thread, and only when a client has said what the digest is. Any thread, one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

using Sha256Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  void update(std::span<const char> bytes);
  /// Once, after the last update().
  Sha256Digest finish();

 private:
  void take_block(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_;
  uint64_t bytes_ = 0;
};

}  // namespace sluice
