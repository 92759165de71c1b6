// Fuzzes the reader of PROXY headers: no prefix of a header is one, what follows a header does not
// matter, and what is read can be written in both versions and reads the same again.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/proxy_protocol.h"
#include "require.h"

namespace {

using fuzz::require;
using sluice::AddressKey;
using sluice::http::append_proxy_header;
using sluice::http::kMaxProxyHeader;
using sluice::http::parse_proxy_header;
using sluice::http::ProxyEnd;
using sluice::http::ProxyHeader;
using Status = ProxyHeader::Status;

bool same(const ProxyEnd& a, const ProxyEnd& b) {
  return a.address == b.address && a.port == b.port;
}

bool same(const ProxyHeader& a, const ProxyHeader& b) {
  return a.status == b.status && a.consumed == b.consumed && a.has_address == b.has_address &&
         same(a.source, b.source) && same(a.destination, b.destination);
}

/// From a buffer with nothing readable behind it.
ProxyHeader parse(std::string_view input) {
  const auto copy = std::make_unique<char[]>(input.size());
  input.copy(copy.get(), input.size());
  return parse_proxy_header({copy.get(), input.size()});
}

void check_round_trip(const ProxyHeader& header) {
  for (int version : {1, 2}) {
    std::string out;
    append_proxy_header(version, header.source, header.destination, out);
    const ProxyHeader again = parse(out);
    require(again.status == Status::ok && again.consumed == out.size());
    // "::" stands for a unix socket here, which is no address to tell.
    const bool is_known =
        header.source.address != AddressKey() && header.destination.address != AddressKey();
    require(again.has_address == is_known);
    if (!is_known) continue;
    require(same(again.source, header.source) && same(again.destination, header.destination));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const ProxyHeader whole = parse(input);
  const size_t until = whole.status == Status::ok ? whole.consumed : input.size();
  require(until <= input.size());
  for (size_t bytes = 0; bytes < until; ++bytes) {
    const Status status = parse(input.substr(0, bytes)).status;
    require(status != Status::ok);
    if (whole.status != Status::error) require(status == Status::need_more);
  }
  if (whole.status == Status::need_more) require(size < kMaxProxyHeader);
  if (whole.status == Status::ok) {
    require(whole.consumed <= kMaxProxyHeader);
    require(same(parse(input.substr(0, whole.consumed)), whole));
    check_round_trip(whole);
  }
  return 0;
}
