// A dictionary of structured fields (RFC 8941 §3.2) whose values are byte sequences: name, "=:",
// base64, ":", members divided by commas.
#include "http/digest.h"

#include <string_view>

#include "http/chars.h"

namespace sluice::http {
namespace {

/// The value of a base64 digit, or -1.
int digit_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// Exactly 32 bytes in base64: 43 digits, the last of which has four bits that count, and "=".
bool decode(std::string_view text, Sha256Digest& digest) {
  if (text.size() != 44 || text[43] != '=') return false;
  uint32_t bits = 0;
  size_t count = 0, out = 0;
  for (char c : text.substr(0, 43)) {
    const int value = digit_value(c);
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    digest[out++] = static_cast<uint8_t>(bits >> count);
  }
  return out == digest.size() && (bits & 3) == 0;
}

/// Reads one field line; false when it is malformed.
bool read_line(std::string_view line, Sha256Digest& digest, bool& found) {
  for (;;) {
    line = trim_white_space(line);
    const size_t equals = line.find("=:");
    if (equals == std::string_view::npos) return false;
    const size_t end = line.find(':', equals + 2);
    if (end == std::string_view::npos) return false;
    if (line.substr(0, equals) == "sha-256") {
      Sha256Digest read;
      if (!decode(line.substr(equals + 2, end - equals - 2), read)) return false;
      if (found && read != digest) return false;
      digest = read;
      found = true;
    }
    line = trim_white_space(line.substr(end + 1));
    if (line.empty()) return true;
    if (line[0] != ',') return false;
    line.remove_prefix(1);
  }
}

}  // namespace

DigestCheck find_digest(const RequestHead& head, Sha256Digest& digest) {
  bool found = false;
  for (size_t i = 0; i < head.field_count; ++i) {
    const Field& field = head.fields[i];
    if (!equals_ignoring_case(field.name, "content-digest") &&
        !equals_ignoring_case(field.name, "repr-digest")) {
      continue;
    }
    if (!read_line(field.value, digest, found)) return DigestCheck::malformed;
  }
  return found ? DigestCheck::found : DigestCheck::none;
}

}  // namespace sluice::http
