// One pass over the lines. Framing is the business of whoever sends the message.
#include "http/field_check.h"

#include "http/chars.h"
#include "http/fields.h"

namespace sluice::http {
namespace {

bool is_of_connection(std::string_view name) {
  switch (field_id(name)) {
    case FieldId::connection:
    case FieldId::content_length:
    case FieldId::keep_alive:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade: return true;
    default: return false;
  }
}

}  // namespace

bool are_free_field_lines(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view name = line.substr(0, colon);
    if (!is_all(kToken, name) || !is_all(kFieldContent, line.substr(colon + 1))) return false;
    if (is_of_connection(name)) return false;
    lines.remove_prefix(end + 2);
  }
  return true;
}

}  // namespace sluice::http
