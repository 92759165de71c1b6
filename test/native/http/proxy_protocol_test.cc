// The PROXY protocol: both versions, whole, at every split point, and there and back again.
#include "http/proxy_protocol.h"

#include <string>
#include <vector>

#include "head_cases.h"
#include "net/address.h"

namespace {

using head_cases::ExactBuffer;
using sluice::AddressKey;
using sluice::http::append_proxy_header;
using sluice::http::kMaxProxyHeader;
using sluice::http::parse_proxy_header;
using sluice::http::ProxyEnd;
using sluice::http::ProxyHeader;
using Status = ProxyHeader::Status;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

/// "192.0.2.1 1000 > 192.0.2.2 443", "no address", "need_more", "error".
std::string text_of(const ProxyHeader& header) {
  if (header.status == Status::need_more) return "need_more";
  if (header.status == Status::error) return "error";
  if (!header.has_address) return "no address";
  const auto end_text = [](const ProxyEnd& end) {
    char text[sluice::net::kAddressBytes];
    return std::string(text, sluice::net::write_address(end.address, text)) + " " +
           std::to_string(end.port);
  };
  return end_text(header.source) + " > " + end_text(header.destination);
}

/// What `input` comes to; every prefix of it needs more, or is refused for the same reason.
std::string parse(const std::string& input) {
  const testing::Context context(testing::quoted(input.substr(0, 120)));
  const ExactBuffer buffer(input);
  const ProxyHeader whole = parse_proxy_header(buffer.view());
  const size_t until = whole.status == Status::ok ? whole.consumed : input.size();
  for (size_t size = 0; size < until; ++size) {
    const ExactBuffer prefix(std::string_view(input).substr(0, size));
    const ProxyHeader part = parse_proxy_header(prefix.view());
    if (whole.status != Status::error) CHECK_EQ(part.status, Status::need_more);
    CHECK(part.status != Status::ok);
  }
  if (whole.status == Status::ok) {
    // What follows is no part of it.
    const ProxyHeader followed = parse_proxy_header(input + "GET / HTTP/1.1\r\n");
    CHECK_EQ(text_of(followed), text_of(whole));
    CHECK_EQ(followed.consumed, whole.consumed);
    CHECK_EQ(whole.consumed, input.size());
  }
  return text_of(whole);
}

std::string binary(int command, int family, const std::string& body) {
  std::string out = kSignature;
  out.push_back(static_cast<char>(command));
  out.push_back(static_cast<char>(family));
  out.push_back(static_cast<char>(body.size() >> 8));
  out.push_back(static_cast<char>(body.size() & 0xff));
  return out + body;
}

const std::string kV4("\xc0\x00\x02\x01\xc0\x00\x02\x02\x03\xe8\x01\xbb", 12);

std::string v6_body() {
  std::string body(36, '\0');
  body.replace(0, 4, "\x20\x01\x0d\xb8");
  body[15] = 1;
  body.replace(16, 4, "\x20\x01\x0d\xb8");
  body[31] = 2;
  body.replace(32, 4, "\x03\xe8\x01\xbb");
  return body;
}

ProxyEnd end_of(const char* address, uint16_t port) {
  ProxyEnd end;
  CHECK(sluice::net::parse_address(address, end.address));
  end.port = port;
  return end;
}

std::string built(int version, const ProxyEnd& source, const ProxyEnd& destination) {
  std::string out;
  append_proxy_header(version, source, destination, out);
  return out;
}

}  // namespace

TEST(proxy_lines_of_version_1_are_read) {
  CHECK_EQ(parse("PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n"), "192.0.2.1 1000 > 192.0.2.2 443");
  CHECK_EQ(parse("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"),
           "255.255.255.255 65535 > 0.0.0.0 0");
  CHECK_EQ(parse("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "2001:db8::1 1 > ::1 2");
  CHECK_EQ(parse("PROXY UNKNOWN\r\n"), "no address");
  CHECK_EQ(parse("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), "no address");
  const std::string longest = "PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n";
  CHECK_EQ(longest.size(), 107u);
  CHECK_EQ(parse(longest), "no address");
}

TEST(proxy_lines_of_version_1_are_refused_when_malformed) {
  for (const char* line : {"PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1000\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1000 443 \r\n",
                           "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1\t2\r\n",
                           "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
                           "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
                           "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY TCP6 [::1] ::1 1 2\r\n",
                           "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY UNKNOWNX\r\n",
                           "PROXY \r\n",
                           "PROXY\r\n",
                           "proxy UNKNOWN\r\n",
                           "\n",
                           "GET / HTTP/1.1\r\n",
                           "POST / HTTP/1.1\r\n",
                           "\r\nPROXY UNKNOWN\r\n"}) {
    CHECK_EQ(parse(line), "error");
  }
  CHECK_EQ(parse(std::string("PROXY TCP4 192.0.2.1\0x 192.0.2.2 1 2\r\n", 38)), "error");
  CHECK_EQ(parse("PROXY UNKNOWN " + std::string(107 - 15, 'x') + "\r\n"), "error");
  CHECK_EQ(parse("PROXY " + std::string(200, 'x')), "error");
}

TEST(proxy_headers_of_version_2_are_read) {
  CHECK_EQ(parse(binary(0x21, 0x11, kV4)), "192.0.2.1 1000 > 192.0.2.2 443");
  CHECK_EQ(parse(binary(0x21, 0x21, v6_body())), "2001:db8::1 1000 > 2001:db8::2 443");
  // Type-length-values are skipped.
  CHECK_EQ(parse(binary(0x21, 0x11, kV4 + std::string("\x04\x00\x01x", 4))),
           "192.0.2.1 1000 > 192.0.2.2 443");
  // A check by the load balancer itself, whatever it says of addresses.
  CHECK_EQ(parse(binary(0x20, 0x00, "")), "no address");
  CHECK_EQ(parse(binary(0x20, 0x11, kV4)), "no address");
  // Unspecified, unix sockets, datagrams.
  CHECK_EQ(parse(binary(0x21, 0x00, "")), "no address");
  CHECK_EQ(parse(binary(0x21, 0x31, std::string(216, 'u'))), "no address");
  CHECK_EQ(parse(binary(0x21, 0x12, kV4)), "no address");
}

TEST(proxy_headers_of_version_2_are_refused_when_malformed) {
  for (int command : {0x11, 0x22, 0x31, 0x2f, 0x01, 0x00, 0xff}) {
    CHECK_EQ(parse(binary(command, 0x11, kV4)), "error");
  }
  CHECK_EQ(parse(binary(0x21, 0x11, kV4.substr(0, 11))), "error");
  CHECK_EQ(parse(binary(0x21, 0x21, v6_body().substr(0, 35))), "error");
  CHECK_EQ(parse(binary(0x21, 0x21, kV4)), "error");
  std::string wrong = binary(0x21, 0x11, kV4);
  wrong[11] = 'x';
  CHECK_EQ(parse(wrong), "error");
}

TEST(proxy_headers_are_bounded) {
  const std::string longest = binary(0x21, 0x11, kV4 + std::string(kMaxProxyHeader - 28, 't'));
  CHECK_EQ(longest.size(), kMaxProxyHeader);
  CHECK_EQ(parse_proxy_header(longest).consumed, kMaxProxyHeader);
  const std::string longer = binary(0x21, 0x11, kV4 + std::string(kMaxProxyHeader - 27, 't'));
  // Told by its first bytes: nobody waits for the rest.
  CHECK_EQ(parse_proxy_header(longer.substr(0, 16)).status, Status::error);
}

TEST(proxy_headers_that_are_built_read_as_what_they_were_built_from) {
  const ProxyEnd v4 = end_of("192.0.2.1", 1000);
  const ProxyEnd v6 = end_of("2001:db8::1", 65535);
  const ProxyEnd other = end_of("2001:db8::2", 443);
  CHECK_EQ(built(1, v4, end_of("192.0.2.2", 443)), "PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n");
  CHECK_EQ(built(1, v6, v4), "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 65535 1000\r\n");
  CHECK_EQ(built(1, {}, v4), "PROXY UNKNOWN\r\n");
  CHECK_EQ(built(2, v4, end_of("192.0.2.2", 443)), binary(0x21, 0x11, kV4));
  CHECK_EQ(built(2, {}, {}), binary(0x20, 0x00, ""));
  for (int version : {1, 2}) {
    CHECK_EQ(parse(built(version, v6, other)), "2001:db8::1 65535 > 2001:db8::2 443");
    CHECK_EQ(parse(built(version, v4, other)), "192.0.2.1 1000 > 2001:db8::2 443");
    CHECK_EQ(parse(built(version, v6, v4)), "2001:db8::1 65535 > 192.0.2.1 1000");
  }
}
