// What a relay and a worker say to each other beside HTTP. A relay listens on a unix socket in the
// place of one target that the core does not speak to itself (TLS, HTTP/2), in a process of its own
// (src/proxy/relay-main.ts). A connection to it stands for one to the target:
//
//   relay ──▶ worker   one byte when it is known whether there is a connection: kRelayReady, or why
//                      there is none; only then the worker sends. Nothing of the request is lost.
//                      kRelaySpeaks: the relay speaks HTTP itself.
//   relay ──▶ worker   a relay that speaks HTTP: a response with the field x-sluice-fault and the
//                      same byte in digits is no response of the target. Of others, whose bytes
//                      are the target's own, the field means nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "http/response_parser.h"

namespace sluice::proxy {

inline constexpr char kRelayReady = 6;
inline constexpr char kRelaySpeaks = 7;
inline constexpr std::string_view kFaultField = "x-sluice-fault";

/// What a byte other than those means, or a fault.
constexpr ErrorCode relay_fault(int code) {
  switch (code) {
    case 2: return ErrorCode::connect_timeout;
    case 3: return ErrorCode::upstream_tls;
    case 4: return ErrorCode::upstream_closed;
    case 5: return ErrorCode::bad_upstream_framing;
    default: return ErrorCode::upstream_refused;
  }
}

/// A relay's word on why there is no response; none: there is one.
ErrorCode fault_in(const http::ResponseHead& head);

/// Whether the target has seen nothing of the request then.
constexpr bool is_before_request(ErrorCode fault) {
  return fault == ErrorCode::connect_timeout || fault == ErrorCode::upstream_tls ||
         fault == ErrorCode::upstream_refused;
}

}  // namespace sluice::proxy
