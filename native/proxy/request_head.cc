// Writing the head for a target: request line, Host, framing, the fields that may pass, and who
// asked. Hop-by-hop fields and those that Connection names end here (RFC 9110 §7.6.1).
#include "proxy/request_head.h"

#include <algorithm>
#include <array>

#include "core/hash.h"
#include "http/chars.h"
#include "http/fields.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "http/response_head.h"

namespace sluice::proxy {
namespace {

using http::FieldId;
using http::Method;

/// Whom a head is for.
struct HeadFor {
  std::string_view authority;
  bool names_target;
  bool is_mirror;
};

/// Most heads fit: one allocation.
constexpr size_t kUsualHeadBytes = 1024;

/// The path without a prefix of whole segments: "/api" takes "/api" and "/api/x", not "/apis".
std::string_view without_prefix(std::string_view path, std::string_view prefix) {
  if (prefix.empty() || !path.starts_with(prefix)) return path;
  const std::string_view rest = path.substr(prefix.size());
  return rest.empty() || rest[0] == '/' ? rest : path;
}

void append_target(const http::RequestHead& head, const route::Match& match,
                   const route::ProxyAction& action, std::string& out) {
  if (!action.rewrite.empty()) {
    const size_t from = out.size();
    route::fill_in(action.rewrite, head, match, out);
    if (out.size() == from || out[from] != '/') out.insert(from, 1, '/');
    // A template that makes no query of its own keeps the request's.
    if (out.find('?', from) == std::string::npos) out.append(head.query);
    return;
  }
  const std::string_view path = without_prefix(head.path, action.strip_prefix);
  if (path.empty() || (path[0] != '/' && path != "*")) out.push_back('/');
  out.append(path).append(head.query);
}

/// The Host field, and where its value stands.
void append_host(const http::RequestHead& head, const route::ProxyAction& action,
                 std::string_view authority, bool names_target, RequestShape& shape,
                 std::string& out) {
  out.append("Host: ");
  shape.host_at = out.size();
  if (!action.host.empty()) {
    out.append(action.host);
  } else if (names_target || head.host.empty()) {
    shape.names_target = true;
    out.append(authority);
  } else {
    out.append(head.host);
    if (!head.port.empty()) out.append(":").append(head.port);
  }
  shape.host_size = out.size() - shape.host_at;
  out.append("\r\n");
}

bool is_removed(std::string_view name, const route::FieldEdits& edits) {
  return std::ranges::any_of(edits.removed, [name](const std::string& removed) {
    return http::equals_ignoring_case(name, removed);
  });
}

/// Fields that we write ourselves, as far as the route says so.
bool is_ours(FieldId id, const route::ProxyAction& action) {
  switch (id) {
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_proto:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_port: return (action.forwarded & route::kXForwarded) != 0;
    case FieldId::forwarded: return (action.forwarded & route::kForwarded) != 0;
    case FieldId::via: return (action.forwarded & route::kVia) != 0;
    case FieldId::x_request_id: return (action.forwarded & route::kRequestId) != 0;
    default: return false;
  }
}

/// Those that speak for a client and that nobody vouches for: they never pass. X-Real-IP is what
/// applications read behind other proxies, which set it.
bool is_claim(FieldId id, std::string_view name) {
  return id == FieldId::x_forwarded_for || id == FieldId::x_forwarded_proto ||
         id == FieldId::x_forwarded_host || id == FieldId::x_forwarded_port ||
         id == FieldId::forwarded ||
         (id == FieldId::other && http::equals_ignoring_case(name, "x-real-ip"));
}

/// CGI and what came of it (WSGI, Rack, PHP) cannot tell "X_Forwarded_For" from "X-Forwarded-For":
/// a field that is ours or to be removed goes under that name, too.
bool is_disguised(std::string_view name, const route::ProxyAction& action) {
  if (name.find('_') == std::string_view::npos) return false;
  std::string plain(name);
  std::ranges::replace(plain, '_', '-');
  const FieldId id = http::field_id(plain);
  return is_claim(id, plain) || is_ours(id, action) || is_removed(plain, action.request);
}

void append_fields(const http::RequestHead& head, const route::ProxyAction& action,
                   const http::HopByHop& hop, const Asker& asker, bool is_mirror,
                   std::string& out) {
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (field.id != FieldId::other) {
      if (field.id == FieldId::host || field.id == FieldId::content_length) continue;
      const bool expects = head.expect_continue && !is_mirror;
      if (field.id == FieldId::expect && !expects) continue;  // RFC 9110 §10.1.1
      if (is_ours(field.id, action)) continue;
    } else if (is_disguised(field.name, action)) {
      continue;
    }
    if (!asker.is_peer_trusted && is_claim(field.id, field.name)) continue;
    if (is_mirror && http::equals_ignoring_case(field.name, kMirrorField)) continue;
    if (!hop.forwards(field)) continue;
    if (!action.request.removed.empty() && is_removed(field.name, action.request)) continue;
    if (!asker.reserved.empty() && is_reserved(field.name, asker.reserved)) continue;
    http::append_field(out, field.name, field.value);
  }
}

void append_framing(const RequestShape& shape, std::string& out) {
  if (shape.framing == http::Framing::length)
    http::append_content_length(out, shape.content_length);
  if (shape.framing == http::Framing::chunked) out.append("Transfer-Encoding: chunked\r\n");
}

void append_forwarded(const http::RequestHead& head, const route::ProxyAction& action,
                      const Asker& asker, std::string& out) {
  http::Hop hop;
  hop.client = asker.address;
  hop.is_secure = asker.is_secure;
  hop.host = head.host;
  hop.port = head.port;
  hop.local_port = asker.port;
  hop.is_peer_trusted = asker.is_peer_trusted;
  hop.is_continued = asker.is_continued;
  if ((action.forwarded & route::kXForwarded) != 0) http::append_x_forwarded(head, hop, out);
  if ((action.forwarded & route::kForwarded) != 0) http::append_forwarded(head, hop, out);
  if ((action.forwarded & route::kVia) != 0) http::append_via(head, out);
  if ((action.forwarded & route::kRequestId) == 0) return;
  http::append_field(out, "X-Request-Id", request_id_for(head, action, asker));
}

}  // namespace

bool is_reserved(std::string_view name, std::span<const std::string> reserved) {
  const auto same = [](char one, char other) {
    const char folded = one >= 'A' && one <= 'Z' ? static_cast<char>(one | 0x20) : one;
    return (folded == '_' ? '-' : folded) == other;
  };
  return std::ranges::any_of(
      reserved, [&](const std::string& each) { return std::ranges::equal(name, each, same); });
}

std::string_view request_id_for(const http::RequestHead& head, const route::ProxyAction& action,
                                const Asker& asker) {
  const std::string_view given = head.find(FieldId::x_request_id);
  if ((action.forwarded & route::kRequestId) == 0) return given;
  // A trusted peer has numbered the request already.
  return asker.is_peer_trusted && !given.empty() ? given : asker.request_id;
}

RequestShape shape_of(const http::RequestHead& head) {
  RequestShape shape;
  shape.is_head = head.method == Method::head;
  shape.is_safe = head.method == Method::get || head.method == Method::head ||
                  head.method == Method::options || head.method == Method::trace;
  shape.is_idempotent =
      shape.is_safe || head.method == Method::put || head.method == Method::delete_;
  shape.is_minor_0 = head.minor_version == 0;
  shape.framing = head.framing;
  shape.content_length = head.content_length;
  shape.expects_continue = head.expect_continue;
  // HTTP/2 over an upgrade is gone (RFC 9113 §3.1); nobody could route what goes through it. With
  // a body nobody could tell where it ends.
  shape.wants_upgrade = head.has_upgrade && head.framing == http::Framing::none &&
                        !http::has_list_token(head.find(FieldId::upgrade), "h2c");
  return shape;
}

namespace {

/// Everything but the end of the head.
void append_lines(const http::RequestHead& head, const route::Match& match,
                  const route::ProxyAction& action, const Asker& asker, const HeadFor& whom,
                  RequestShape& shape, std::string& out) {
  out.reserve(out.size() + kUsualHeadBytes);
  out.append(head.method_text).append(" ");
  append_target(head, match, action, out);
  out.append(" HTTP/1.1\r\n");
  append_host(head, action, whom.authority, whom.names_target, shape, out);
  append_fields(head, action, http::HopByHop(head), asker, whom.is_mirror, out);
  append_framing(shape, out);
  append_forwarded(head, action, asker, out);
  if (!asker.subject.empty()) http::append_field(out, asker.subject_field, asker.subject);
}

}  // namespace

void append_request_head(const http::RequestHead& head, const route::Match& match,
                         const route::ProxyAction& action, const Asker& asker,
                         std::string_view authority, RequestShape& shape, std::string& out) {
  append_lines(head, match, action, asker, {authority, action.target_host, false}, shape, out);
  if (shape.wants_upgrade) {
    http::append_field(out, "Connection", "upgrade");
    http::append_field(out, "Upgrade", head.find(FieldId::upgrade));
  }
  out.append(action.request.added).append("\r\n");
}

void append_mirror_head(const http::RequestHead& head, const route::Match& match,
                        const route::ProxyAction& action, const Asker& asker,
                        std::string_view authority, bool names_target, std::string& out) {
  RequestShape shape = shape_of(head);
  append_lines(head, match, action, asker, {authority, names_target, true}, shape, out);
  http::append_field(out, kMirrorField, "1");
  out.append(action.request.added).append("\r\n");
}

/// The same in every process: restarts keep everybody's place.
constexpr uint64_t kKeySeed = 0x6b6579ULL;

uint64_t hash_of(const AddressKey& client) {
  const uint64_t words[2] = {client.high, client.low};
  return hash_bytes({reinterpret_cast<const char*>(words), sizeof words}, kKeySeed);
}

uint64_t hash_of(const http::RequestHead& head, const route::Upstream& upstream,
                 const Asker& asker) {
  switch (upstream.hash_key) {
    case route::HashKey::path: return hash_bytes(head.path, kKeySeed);
    case route::HashKey::header:
      if (const std::string_view value = head.find(upstream.hash_name); value.data() != nullptr) {
        return hash_bytes(value, kKeySeed);
      }
      break;
    case route::HashKey::cookie:
      if (const std::string_view value = cookie_value(head, upstream.hash_name); !value.empty()) {
        return hash_bytes(value, kKeySeed);
      }
      break;
    case route::HashKey::address: break;
  }
  return hash_of(asker.client);
}

std::string_view cookie_value(const http::RequestHead& head, std::string_view name) {
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (!http::equals_ignoring_case(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view pair = http::trim_white_space(rest.substr(0, end));
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
        return pair.substr(name.size() + 1);
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return {};
}

}  // namespace sluice::proxy
