// Version 1 is a line of text, version 2 is binary. Strict: a header that is not exactly one of the
// two ends the connection, since what follows would be taken for another client's.
#include "http/proxy_protocol.h"

#include <algorithm>
#include <charconv>

#include "http/chars.h"
#include "net/address.h"

namespace sluice::http {
namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kLine = "PROXY ";
constexpr size_t kMaxLine = 107;
constexpr size_t kFixed = 16;  // of version 2
constexpr size_t kV4Bytes = 12, kV6Bytes = 36;

constexpr ProxyHeader kError{Status::error, 0, false, {}, {}};
constexpr ProxyHeader kMore{Status::need_more, 0, false, {}, {}};

bool parse_port(std::string_view text, uint16_t& port) {
  if (text.empty() || text.size() > 5 || !is_all(kDigit, text)) return false;
  if (text.size() > 1 && text[0] == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

/// Takes the next word; exactly one space stands between two.
std::string_view take_word(std::string_view& rest) {
  const size_t space = rest.find(' ');
  const std::string_view word = rest.substr(0, space);
  rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  return word;
}

/// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
ProxyHeader parse_line(std::string_view input) {
  const size_t end = input.substr(0, kMaxLine).find('\n');
  if (end == std::string_view::npos) return input.size() >= kMaxLine ? kError : kMore;
  if (end == 0 || input[end - 1] != '\r') return kError;
  std::string_view rest = input.substr(kLine.size(), end - 1 - kLine.size());
  ProxyHeader header{Status::ok, end + 1, false, {}, {}};
  const std::string_view family = take_word(rest);
  if (family == "UNKNOWN") return header;
  if (family != "TCP4" && family != "TCP6") return kError;
  const std::string_view source = take_word(rest), destination = take_word(rest);
  const std::string_view from = take_word(rest), to = take_word(rest);
  const bool is_v6 = family == "TCP6";
  const bool fits = net::parse_address(source, header.source.address) &&
                    net::parse_address(destination, header.destination.address) &&
                    (source.find(':') != std::string_view::npos) == is_v6 &&
                    (destination.find(':') != std::string_view::npos) == is_v6 &&
                    parse_port(from, header.source.port) && parse_port(to, header.destination.port);
  if (!fits || rest.data() != nullptr) return kError;  // something follows, if only a space
  header.has_address = true;
  return header;
}

uint64_t big_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

AddressKey v4_key(std::string_view bytes) { return {0, 0xffff00000000ULL | big_endian(bytes)}; }
AddressKey v6_key(std::string_view bytes) {
  return {big_endian(bytes.substr(0, 8)), big_endian(bytes.substr(8, 8))};
}

ProxyHeader parse_binary(std::string_view input) {
  if (input.size() < kFixed) return kMore;
  const auto command = static_cast<unsigned char>(input[12]);
  const auto family = static_cast<unsigned char>(input[13]);
  const size_t length = big_endian(input.substr(14, 2));
  if (command >> 4 != 2 || (command & 0xf) > 1) return kError;
  if (kFixed + length > kMaxProxyHeader) return kError;
  if (input.size() < kFixed + length) return kMore;
  ProxyHeader header{Status::ok, kFixed + length, false, {}, {}};
  const std::string_view body = input.substr(kFixed, length);
  const bool is_local = (command & 0xf) == 0;
  if (is_local || (family & 0xf) != 1) return header;  // a health check, or not a stream
  if (family >> 4 == 1) {
    if (body.size() < kV4Bytes) return kError;
    header.source = {v4_key(body.substr(0, 4)),
                     static_cast<uint16_t>(big_endian(body.substr(8, 2)))};
    header.destination = {v4_key(body.substr(4, 4)),
                          static_cast<uint16_t>(big_endian(body.substr(10, 2)))};
    header.has_address = true;
  } else if (family >> 4 == 2) {
    if (body.size() < kV6Bytes) return kError;
    header.source = {v6_key(body.substr(0, 16)),
                     static_cast<uint16_t>(big_endian(body.substr(32, 2)))};
    header.destination = {v6_key(body.substr(16, 16)),
                          static_cast<uint16_t>(big_endian(body.substr(34, 2)))};
    header.has_address = true;
  }
  return header;
}

bool is_v4(const AddressKey& key) { return key.high == 0 && key.low >> 32 == 0xffff; }

void append_big_endian(uint64_t value, size_t bytes, std::string& out) {
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}

void append_line(const ProxyEnd& source, const ProxyEnd& destination, bool both_v4,
                 std::string& out) {
  char text[net::kAddressBytes];
  out.append(both_v4 ? "PROXY TCP4 " : "PROXY TCP6 ");
  for (const ProxyEnd* end : {&source, &destination}) {
    // In a mixed pair the IPv4 one is written as it is mapped.
    if (!both_v4 && is_v4(end->address)) out.append("::ffff:");
    out.append(text, net::write_address(end->address, text)).append(" ");
  }
  out.append(std::to_string(source.port)).append(" ");
  out.append(std::to_string(destination.port)).append("\r\n");
}

void append_binary(const ProxyEnd& source, const ProxyEnd& destination, bool both_v4,
                   std::string& out) {
  out.append(kSignature).push_back('\x21');
  out.push_back(both_v4 ? '\x11' : '\x21');
  append_big_endian(both_v4 ? kV4Bytes : kV6Bytes, 2, out);
  for (const ProxyEnd* end : {&source, &destination}) {
    if (both_v4) {
      append_big_endian(end->address.low & 0xffffffff, 4, out);
    } else {
      append_big_endian(end->address.high, 8, out);
      append_big_endian(end->address.low, 8, out);
    }
  }
  append_big_endian(source.port, 2, out);
  append_big_endian(destination.port, 2, out);
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view input) {
  const std::string_view known = !input.empty() && input[0] == kLine[0] ? kLine : kSignature;
  const size_t compared = std::min(known.size(), input.size());
  if (input.substr(0, compared) != known.substr(0, compared)) return kError;
  if (compared < known.size()) return kMore;
  return known == kLine ? parse_line(input) : parse_binary(input);
}

void append_proxy_header(int version, const ProxyEnd& source, const ProxyEnd& destination,
                         std::string& out) {
  const bool is_unknown = source.address == AddressKey() || destination.address == AddressKey();
  const bool both_v4 = is_v4(source.address) && is_v4(destination.address);
  if (version == 1) {
    if (is_unknown) {
      out.append("PROXY UNKNOWN\r\n");
    } else {
      append_line(source, destination, both_v4, out);
    }
    return;
  }
  if (is_unknown) {
    out.append(kSignature).append("\x20\x00\x00\x00", 4);
    return;
  }
  append_binary(source, destination, both_v4, out);
}

}  // namespace sluice::http
