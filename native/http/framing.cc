// Judges framing fields. Where the RFC lets a recipient repair a message, it is refused here: a
// repair that the next hop does not share is request smuggling (RFC 9112 §11.2).
#include "http/framing.h"

#include "http/chars.h"

namespace sluice::http {

bool parse_content_length(std::string_view value, uint64_t& length) {
  if (value.empty()) return false;
  uint64_t total = 0;
  for (char c : value) {
    if (!is(kDigit, c)) return false;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (total > (kMaxContentLength - digit) / 10) return false;
    total = total * 10 + digit;
  }
  length = total;
  return true;
}

ErrorCode parse_transfer_encoding(std::string_view value, bool& chunked) {
  std::string_view rest = value;
  std::string_view coding;
  // An empty value has one empty element; RFC 9110 §5.6.1 lets recipients ignore those, but no
  // client sends them here and parsers differ about them.
  if (value.empty()) return ErrorCode::bad_transfer_encoding;
  while (next_list_element(rest, coding)) {
    // Nothing may follow chunked, not even a second chunked (RFC 9112 §6.1).
    if (chunked) return ErrorCode::bad_transfer_encoding;
    if (coding.empty()) return ErrorCode::bad_transfer_encoding;
    const std::string_view name = coding.substr(0, coding.find_first_of("; \t"));
    if (!is_all(kToken, name)) return ErrorCode::bad_transfer_encoding;
    if (!equals_ignoring_case(name, "chunked")) return ErrorCode::unknown_transfer_coding;
    // chunked has no parameters, and any is an error (RFC 9112 §7.1).
    if (name.size() != coding.size()) return ErrorCode::bad_transfer_encoding;
    chunked = true;
  }
  return ErrorCode::none;
}

void ConnectionOptions::add(std::string_view value) {
  std::string_view rest = value;
  std::string_view option;
  if (rest.data() == nullptr) return;
  while (next_list_element(rest, option)) {
    if (equals_ignoring_case(option, "close")) close = true;
    if (equals_ignoring_case(option, "keep-alive")) keep_alive = true;
    if (equals_ignoring_case(option, "upgrade")) upgrade = true;
  }
}

}  // namespace sluice::http
