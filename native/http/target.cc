// Splits request-targets. Which form is allowed depends on the method alone (RFC 9112 §3.2), so
// nothing is guessed from the text.
#include "http/target.h"

#include <string_view>

#include "http/chars.h"
#include "http/host.h"
#include "http/uri.h"

namespace sluice::http {
namespace {

constexpr std::string_view kRoot = "/";
constexpr std::string_view kServer = "*";

/// What one look at a path tells. A path that is not suspicious has no dot segment.
struct PathTraits {
  bool plain = true;
  bool suspicious = false;
  bool backslash = false;
};

PathTraits look_at(std::string_view path) {
  PathTraits traits;
  char previous = 0;
  for (char c : path) {
    // A dot segment begins with a dot or an escape, after a slash (or what may be taken for one).
    if (c == '%') traits.plain = false;
    if (previous == '/') {
      if (c == '/') traits.plain = false;
      if (c == '.') traits.suspicious = true;
    }
    if (c == '\\') traits.backslash = true;
    previous = c;
  }
  return traits;
}

/// path [ "?" query ], the path beginning with a slash or empty.
ErrorCode split_path(std::string_view text, RequestHead& head) {
  const size_t question = text.find('?');
  head.path = text.substr(0, question);
  if (question != std::string_view::npos) head.query = text.substr(question);
  const PathTraits traits = look_at(head.path);
  if (traits.backslash) return ErrorCode::bad_target;
  if ((traits.suspicious || !traits.plain) && has_dot_segment(head.path)) {
    return ErrorCode::dot_segment;
  }
  head.path_is_plain = traits.plain;
  return ErrorCode::none;
}

/// authority-form (RFC 9112 §3.2.3): the port has to be there.
ErrorCode split_authority_form(RequestHead& head) {
  Authority authority;
  if (!parse_authority(head.target, authority) || authority.port.empty()) {
    return ErrorCode::bad_target;
  }
  head.host = authority.host;
  head.port = authority.port;
  return ErrorCode::none;
}

/// Bytes of "http://" or "https://" (RFC 3986 §3.1: any case) at the start of `text`, or 0.
size_t scheme_bytes(std::string_view text) {
  if (equals_ignoring_case(text.substr(0, 7), "http://")) return 7;
  if (equals_ignoring_case(text.substr(0, 8), "https://")) return 8;
  return 0;
}

/// absolute-form (RFC 9112 §3.2.2): its authority wins over Host.
ErrorCode split_absolute_form(RequestHead& head) {
  const size_t scheme = scheme_bytes(head.target);
  if (scheme == 0) return ErrorCode::bad_target;
  const std::string_view rest = head.target.substr(scheme);
  const size_t authority_bytes = rest.find_first_of("/?");
  Authority authority;
  if (!parse_authority(rest.substr(0, authority_bytes), authority)) return ErrorCode::bad_target;
  head.host = authority.host;
  head.port = authority.port;
  if (authority_bytes == std::string_view::npos) {
    // OPTIONS for an empty path means the server itself (RFC 9112 §3.2.4).
    head.path = head.method == Method::options ? kServer : kRoot;
    return ErrorCode::none;
  }
  const ErrorCode error = split_path(rest.substr(authority_bytes), head);
  if (head.path.empty()) head.path = kRoot;
  return error;
}

}  // namespace

ErrorCode split_target(RequestHead& head) {
  head.path = head.query = head.host = head.port = std::string_view();
  head.path_is_plain = true;
  if (head.method == Method::connect) return split_authority_form(head);
  if (head.target[0] == '/') return split_path(head.target, head);
  if (head.target == kServer) {
    if (head.method != Method::options) return ErrorCode::bad_target;
    head.path = head.target;
    return ErrorCode::none;
  }
  return split_absolute_form(head);
}

}  // namespace sluice::http
