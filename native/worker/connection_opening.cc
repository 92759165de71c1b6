// The beginning of a connection whose listener has rules of its own: the header of the PROXY
// protocol, which only trusted peers may send, and listeners that pass everything on to an
// upstream without reading it.
#include "http/proxy_protocol.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {

/// True: the connection can go on now.
bool Connection::step_opening() {
  const route::ListenerRules& rules = worker_.rules(listener_);
  if (rules.proxy_protocol && !has_preface_ && !take_preface()) return false;
  if (rules.tcp) return forward_raw(*rules.tcp);
  since_ms_ = worker_.now_ms();
  transit(Event::opened);
  return true;
}

bool Connection::take_preface() {
  if (!is_trusted_) {
    close(ErrorCode::untrusted_peer);
    return false;
  }
  for (;;) {
    const http::ProxyHeader header = http::parse_proxy_header(input_);
    if (header.status == http::ProxyHeader::Status::error) {
      close(ErrorCode::bad_proxy_header);
      return false;
    }
    if (header.status == http::ProxyHeader::Status::ok) {
      input_.remove_prefix(header.consumed);
      has_preface_ = true;
      if (header.has_address) {
        address_ = header.source.address;
        port_ = header.source.port;
        local_port_ = header.destination.port;
        is_trusted_ = worker_.trusts(address_);
      }
      return enter_counts();
    }
    if (!read_more()) return false;
  }
}

/// The client counts, not the load balancer in front of it.
bool Connection::enter_counts() {
  const uint32_t limit = worker_.snapshot().limits.connections_per_address;
  if (limit == 0 || address_ == AddressKey()) return true;
  if (!worker_.shared().addresses.enter(address_, limit)) {
    worker_.stats().refused.add();
    close(ErrorCode::none);
    return false;
  }
  is_counted_ = true;
  return true;
}

}  // namespace sluice::worker
