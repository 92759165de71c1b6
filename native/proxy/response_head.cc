// Writing the head for a client: status, the fields that may pass, framing, Date, Connection.
#include "proxy/response_head.h"

#include <algorithm>
#include <charconv>

#include "http/chars.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "http/response_head.h"

namespace sluice::proxy {
namespace {

using http::FieldId;

void append_status(const http::ResponseHead& head, std::string& out) {
  char digits[4];
  std::to_chars(digits, digits + sizeof digits, head.status);
  out.append("HTTP/1.1 ").append(digits, 3).append(" ");
  out.append(head.reason.empty() ? http::reason_phrase(head.status) : head.reason).append("\r\n");
}

bool is_removed(std::string_view name, const route::FieldEdits& edits) {
  return std::ranges::any_of(edits.removed, [name](const std::string& removed) {
    return http::equals_ignoring_case(name, removed);
  });
}

/// Whether a Content-Length passes: where it says how long the body is, or would be.
bool keeps_length(const http::ResponseHead& head, const ResponseShape& shape) {
  if (head.status < 200 || head.status == 204) return false;  // RFC 9110 §8.6
  return shape.inbound == transfer::Inbound::length || head.framing == http::ResponseFraming::none;
}

}  // namespace

void append_response_head(const http::ResponseHead& head, const route::ProxyAction& action,
                          const ResponseShape& shape, std::string& out) {
  append_status(head, out);
  const http::HopByHop hop(head);
  const bool has_via = (action.forwarded & route::kVia) != 0;
  bool has_date = false;
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (field.id == FieldId::content_length && !keeps_length(head, shape)) continue;
    if (field.id == FieldId::via && has_via) continue;
    if (!hop.forwards(field)) continue;
    if (!action.response.removed.empty() && is_removed(field.name, action.response)) continue;
    if (!shape.listener_fields.empty() &&
        http::equals_ignoring_case(field.name, "strict-transport-security")) {
      continue;
    }
    has_date = has_date || field.id == FieldId::date;
    http::append_field(out, field.name, field.value);
  }
  if (!has_date) out.append(shape.date_field);
  if (has_via) http::append_via(head, out);
  out.append(shape.extra_fields).append(shape.listener_fields).append(action.response.added);
  if (shape.outbound == transfer::Outbound::chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (shape.is_upgrade) {
    http::append_field(out, "Connection", "upgrade");
    http::append_field(out, "Upgrade", head.find(FieldId::upgrade));
  } else if (!shape.persists) {
    out.append("Connection: close\r\n");
  } else if (shape.is_minor_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void append_sticky_cookie(std::string_view name, uint64_t number, std::string& out) {
  char digits[16];
  const char* end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  out.append("Set-Cookie: ").append(name).append("=");
  out.append(digits, static_cast<size_t>(end - digits)).append("; Path=/; HttpOnly\r\n");
}

void append_interim_head(const http::ResponseHead& head, const route::ProxyAction& action,
                         std::string& out) {
  append_status(head, out);
  const http::HopByHop hop(head);
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (field.id == FieldId::content_length || !hop.forwards(field)) continue;
    if (!action.response.removed.empty() && is_removed(field.name, action.response)) continue;
    http::append_field(out, field.name, field.value);
  }
  out.append("\r\n");
}

}  // namespace sluice::proxy
