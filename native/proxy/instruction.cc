// Reading instructions. The fields of the answer pass to the client, but for those about the body
// that it came with: the file has its own.
#include "proxy/instruction.h"

#include <algorithm>

#include "http/chars.h"
#include "http/hop_by_hop.h"
#include "http/response_head.h"
#include "http/uri.h"

namespace sluice::proxy {
namespace {

/// Of the body that is not sent, or written by whoever sends the file.
constexpr std::string_view kDropped[] = {
    "accept-ranges", "content-digest", "content-encoding", "content-length", "content-md5",
    "content-range", "date",           "digest",           "etag",           "last-modified",
    "repr-digest",   "server",
};

constexpr std::string_view kAccelPrefix = "x-accel-";

bool is_dropped(std::string_view name) {
  if (name.size() >= kAccelPrefix.size() &&
      http::equals_ignoring_case(name.substr(0, kAccelPrefix.size()), kAccelPrefix)) {
    return true;
  }
  return std::ranges::any_of(kDropped, [name](std::string_view dropped) {
    return http::equals_ignoring_case(name, dropped);
  });
}

bool is_removed(std::string_view name, const route::FieldEdits& edits) {
  return std::ranges::any_of(edits.removed, [name](const std::string& removed) {
    return http::equals_ignoring_case(name, removed);
  });
}

/// The path beneath the root, with its leading slash: without the prefix and a query.
void read_path(std::string_view value, std::string_view prefix, Instruction& out) {
  value = value.substr(0, value.find('?'));
  const bool fits = value.starts_with(prefix);
  if (fits) value.remove_prefix(prefix.size());
  out.is_path = fits && value.starts_with('/') && !http::has_dot_segment(value);
  out.path = value;
}

}  // namespace

std::string_view instruction_in(const http::ResponseHead& head,
                                const route::FileInstruction& rule) {
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (!http::equals_ignoring_case(field.name, rule.field)) continue;
    std::string_view value = field.value;
    if (!value.starts_with(rule.secret)) continue;
    value.remove_prefix(rule.secret.size());
    return value;
  }
  return {};
}

void read_instruction(const http::ResponseHead& head, const route::ProxyAction& action,
                      std::string_view value, std::string_view extra_fields, Instruction& out) {
  out.status = head.status;
  read_path(value, action.file->prefix, out);
  const http::HopByHop hop(head);
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (is_dropped(field.name) || !hop.forwards(field)) continue;
    if (is_removed(field.name, action.response)) continue;
    http::append_field(out.fields, field.name, field.value);
  }
  out.fields.append(extra_fields).append(action.response.added);
}

}  // namespace sluice::proxy
