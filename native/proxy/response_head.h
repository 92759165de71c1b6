// The response as the client gets it: re-serialised from what was parsed. Bytes only.
#pragma once

#include <string>
#include <string_view>

#include "http/response_parser.h"
#include "route/upstream.h"
#include "transfer/flow.h"

namespace sluice::proxy {

/// What the head says of the body and the connection.
struct ResponseShape {
  transfer::Inbound inbound = transfer::Inbound::none;
  transfer::Outbound outbound = transfer::Outbound::plain;
  bool persists = true;
  bool is_minor_0 = false;        ///< the client speaks HTTP/1.0
  bool is_upgrade = false;        ///< 101
  std::string_view date_field;    ///< used when the target sent no Date
  std::string_view extra_fields;  ///< "Name: value\r\n" lines of ours
  /// Strict-Transport-Security of the listener, which goes before that of the target; or empty.
  std::string_view listener_fields;
};

void append_response_head(const http::ResponseHead& head, const route::ProxyAction& action,
                          const ResponseShape& shape, std::string& out);

/// "Set-Cookie: …\r\n" that binds the client to the target with this number.
void append_sticky_cookie(std::string_view name, uint64_t number, std::string& out);

/// An interim response (1xx but 101). What the route removes is removed here, too; what it adds is
/// for the final one.
void append_interim_head(const http::ResponseHead& head, const route::ProxyAction& action,
                         std::string& out);

}  // namespace sluice::proxy
