// Which fields of a message end with this hop (RFC 9110 §7.6.1): connection-specific ones, and
// those that Connection names. Made once per head; usual heads name nothing, and cost one load a
// field. Bytes only, any thread.
//
// Two more end here. Proxy-Authenticate and Proxy-Authorization are between a client and the proxy
// that it has chosen (RFC 9110 §11.7), which a gateway never is: the credentials are not for those
// behind it. And `Proxy` has no meaning but to CGI programs, which take it for a proxy to use
// (CVE-2016-5385).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "http/request_head.h"

namespace sluice::http {

struct ResponseHead;

class HopByHop {
 public:
  /// Framing, Connection, Upgrade and TE are written anew by whoever forwards.
  explicit HopByHop(const RequestHead& head);
  explicit HopByHop(const ResponseHead& head);

  /// Whether `field` passes.
  bool forwards(const Field& field) const;

 private:
  template <typename Head>
  void collect(const Head& head);
  void add_options(std::string_view connection);
  bool is_named(std::string_view name) const;

  /// Nobody names more; who does has the Connection fields read again for every field.
  static constexpr size_t kMaxNamed = 16;
  std::array<std::string_view, kMaxNamed> named_;
  size_t named_count_ = 0;
  std::span<const Field> fields_;
  bool has_more_ = false;
};

/// Whether a trailer field may be passed on: none that frames, routes, authenticates or steers a
/// message, or says how to read it (RFC 9110 §6.5.1). Those come too late for whoever checks heads.
bool forwards_trailer(const Field& field);

/// Whether a comma-separated list has `token` (lower case), whatever its case.
bool has_list_token(std::string_view list, std::string_view token);

}  // namespace sluice::http
