// SHA-256 against the examples of FIPS 180-4 and NIST, whole and in pieces.
#include "core/sha256.h"

#include <string>

#include "testing.h"

using sluice::Sha256;

namespace {

std::string hex(const sluice::Sha256Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xf]);
  }
  return text;
}

std::string hash(const std::string& bytes, size_t piece) {
  Sha256 sha;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    sha.update(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)));
  }
  return hex(sha.finish());
}

}  // namespace

TEST(sha256_known_values) {
  CHECK_EQ(hash("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(hash("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK_EQ(hash(std::string(1'000'000, 'a'), 4096),
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256_pieces_make_no_difference) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes.push_back(static_cast<char>(i * 7));
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    const std::string whole = hash(part, 1000);
    for (const size_t piece : {1u, 7u, 63u, 64u, 65u}) CHECK_EQ(hash(part, piece), whole);
  }
}
