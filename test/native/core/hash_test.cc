// The hash of bytes: the same for equal bytes, another for any other length, byte or seed that is
// likely to meet, and spread over the low bits that tables use.
#include "core/hash.h"

#include <set>
#include <string>
#include <vector>

#include "testing.h"

namespace {

using sluice::hash_bytes;
using sluice::hash_seed;

TEST(hash_is_the_same_for_equal_bytes_wherever_they_are) {
  const std::string text = "/docs/some/longer/path/to/a/file.html";
  for (size_t length = 0; length <= text.size(); ++length) {
    const std::string copy = "x" + text;  // another alignment
    const std::string_view here = std::string_view(text).substr(0, length);
    const std::string_view there = std::string_view(copy).substr(1, length);
    CHECK_EQ(hash_bytes(here, 1), hash_bytes(there, 1));
  }
}

TEST(hash_differs_for_every_length_byte_and_seed) {
  std::set<uint64_t> seen;
  size_t made = 0;
  const std::string zeros(64, '\0');
  for (uint64_t seed = 0; seed < 16; ++seed) {
    for (size_t length = 0; length <= zeros.size(); ++length) {
      seen.insert(hash_bytes(std::string_view(zeros).substr(0, length), seed));
      ++made;
    }
  }
  for (size_t at = 0; at < zeros.size(); ++at) {
    for (int byte = 1; byte < 256; ++byte) {
      std::string text = zeros;
      text[at] = static_cast<char>(byte);
      seen.insert(hash_bytes(text, 0));
      ++made;
    }
  }
  CHECK_EQ(seen.size(), made);
}

TEST(hash_spreads_similar_paths_over_the_low_bits) {
  std::vector<size_t> slots(256, 0);
  constexpr size_t kPaths = 25'600;
  for (size_t i = 0; i < kPaths; ++i) {
    ++slots[hash_bytes("/file-" + std::to_string(i), hash_seed()) % slots.size()];
  }
  for (const size_t count : slots) CHECK(count > 40 && count < 180);
}

TEST(seed_stays_for_the_process) { CHECK_EQ(hash_seed(), hash_seed()); }

}  // namespace
