// Lists grow at their end; a field that came several times is joined (RFC 9110 §5.3).
#include "http/forwarded.h"

#include <charconv>

#include "http/response_head.h"
#include "http/response_parser.h"

namespace sluice::http {
namespace {

/// Every value of a field, joined by commas, with a comma at the end when there was any.
template <typename Head>
void append_earlier(const Head& head, FieldId id, std::string& out) {
  if (head.first_of[static_cast<size_t>(id)] == 0) return;
  for (size_t i = 0; i < head.field_count; ++i) {
    if (head.fields[i].id == id && !head.fields[i].value.empty()) {
      out.append(head.fields[i].value).append(", ");
    }
  }
}

/// The trusted peer's value if it gave one, else ours.
void append_once(const RequestHead& head, const Hop& hop, FieldId id, std::string_view name,
                 std::string_view own, std::string& out) {
  const std::string_view given = hop.is_peer_trusted ? head.find(id) : std::string_view();
  append_field(out, name, given.empty() ? own : given);
}

}  // namespace

void append_x_forwarded(const RequestHead& head, const Hop& hop, std::string& out) {
  out.append("X-Forwarded-For: ");
  if (hop.is_peer_trusted) append_earlier(head, FieldId::x_forwarded_for, out);
  if (hop.is_continued && out.ends_with(", ")) {
    out.resize(out.size() - 2);
  } else {
    out.append(hop.client);
  }
  out.append("\r\n");
  append_once(head, hop, FieldId::x_forwarded_proto, "X-Forwarded-Proto",
              hop.is_secure ? "https" : "http", out);
  if (!hop.host.empty()) {
    std::string host(hop.host);
    if (!hop.port.empty()) host.append(":").append(hop.port);
    append_once(head, hop, FieldId::x_forwarded_host, "X-Forwarded-Host", host, out);
  }
  char digits[8];
  std::string_view port = hop.is_secure ? "443" : "80";
  if (!hop.port.empty()) {
    port = hop.port;
  } else if (hop.local_port != 0) {
    char* const end = std::to_chars(digits, digits + sizeof digits, hop.local_port).ptr;
    port = {digits, static_cast<size_t>(end - digits)};
  }
  append_once(head, hop, FieldId::x_forwarded_port, "X-Forwarded-Port", port, out);
}

void append_forwarded(const RequestHead& head, const Hop& hop, std::string& out) {
  out.append("Forwarded: ");
  if (hop.is_peer_trusted) append_earlier(head, FieldId::forwarded, out);
  // Who has no address is unknown, and an IPv6 address is quoted and bracketed (RFC 7239 §6); what
  // is no address is a token.
  const bool is_v6 = hop.client.find(':') != std::string_view::npos;
  if (hop.client.starts_with("unix")) {
    out.append("for=unknown");
  } else {
    out.append("for=").append(is_v6 ? "\"[" : "").append(hop.client).append(is_v6 ? "]\"" : "");
  }
  if (!hop.host.empty()) {
    out.append(";host=\"").append(hop.host);
    if (!hop.port.empty()) out.append(":").append(hop.port);
    out.append("\"");
  }
  out.append(hop.is_secure ? ";proto=https\r\n" : ";proto=http\r\n");
}

template <typename Head>
void append_via(const Head& head, std::string& out) {
  out.append("Via: ");
  append_earlier(head, FieldId::via, out);
  out.append(head.minor_version == 0 ? "1.0 sluice\r\n" : "1.1 sluice\r\n");
}

template void append_via(const RequestHead&, std::string&);
template void append_via(const ResponseHead&, std::string&);

}  // namespace sluice::http
