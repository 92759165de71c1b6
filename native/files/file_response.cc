// The order is RFC 9110 §13.2.2: preconditions first, then If-Range, then Range.
// Several ranges go out as one multipart body, or as the whole file when that is shorter.
// The representation is chosen before all that: an encoded one has its own validators and offsets.
#include "files/file_response.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "http/conditional.h"
#include "http/range.h"
#include "http/response_head.h"

namespace sluice::files {
namespace {

using http::FieldId;
using http::Method;

void use_built(Reply& reply, uint16_t status) {
  reply.status = status;
  reply.head = reply.built;
}

void reply_without_body(const Answer& answer, uint16_t status, Reply& reply) {
  http::append_status_line(reply.built, status);
  reply.built.append(status == 304 ? answer.cache_fields : answer.route_fields);
  if (status != 304) {
    http::append_content_length(reply.built, 0);
  }
  reply.built.append(answer.validator_fields);
  use_built(reply, status);
}

void reply_whole(const Answer& answer, bool is_head, Reply& reply) {
  reply.status = answer.status;
  reply.head = answer.head;
  if (is_head || http::is_bodiless(answer.status)) return;
  reply.source = &answer.source();
  reply.length = answer.size();
}

void append_content_range(std::string& out, const char* range, uint64_t size) {
  char text[96];
  int length = std::snprintf(text, sizeof text, "Content-Range: bytes %s/%llu\r\n", range,
                             static_cast<unsigned long long>(size));
  out.append(text, static_cast<size_t>(length));
}

void reply_unsatisfiable(const Answer& answer, Reply& reply) {
  http::append_status_line(reply.built, 416);
  reply.built.append(answer.route_fields);
  append_content_range(reply.built, "*", answer.size());
  http::append_content_length(reply.built, 0);
  use_built(reply, 416);
}

void reply_part(const Answer& answer, http::ByteRange range, Reply& reply) {
  http::append_status_line(reply.built, 206);
  reply.built.append(answer.fields).append(answer.validator_fields);
  char text[48];
  std::snprintf(text, sizeof text, "%llu-%llu", static_cast<unsigned long long>(range.first),
                static_cast<unsigned long long>(range.last));
  append_content_range(reply.built, text, answer.size());
  http::append_content_length(reply.built, range.length());
  use_built(reply, 206);
  reply.source = &answer.source();
  reply.offset = range.first;
  reply.length = range.length();
}

/// Several ranges (RFC 9110 §15.3.7.2). False when the whole file is not longer. Bytes in memory
/// are put together at once: fewer than the file has. A descriptor's parts follow each other in
/// turn.
bool reply_parts(const Answer& answer, const http::RangeSet& set, Reply& reply) {
  std::string fields;
  auto parts =
      std::make_shared<Multipart>(take_content_type(answer.fields, fields), set, answer.size());
  if (parts->length() >= answer.size()) return false;
  http::append_status_line(reply.built, 206);
  reply.built.append(fields).append(answer.validator_fields);
  http::append_field(reply.built, "Content-Type", parts->content_type());
  http::append_content_length(reply.built, parts->length());
  use_built(reply, 206);
  if (answer.source().in_memory()) {
    reply.own = make_ref<const Source>(-1, parts->joined(answer.source().bytes));
    reply.source = reply.own.get();
  } else {
    reply.source = &answer.source();
    reply.parts = parts;
  }
  reply.length = parts->length();
  return true;
}

/// RFC 9110 §14.2: Range is only defined for GET.
bool reply_ranges(const Answer& answer, const http::RequestHead& request, int64_t now_s,
                  Reply& reply) {
  std::string_view field = request.find(FieldId::range);
  if (field.data() == nullptr || request.method != Method::get) return false;
  if (!http::if_range_matches(request, answer.validators(), now_s)) return false;
  http::RangeSet set = http::parse_range(field, answer.size());
  if (set.kind == http::RangeSet::Kind::unsatisfiable) {
    reply_unsatisfiable(answer, reply);
    return true;
  }
  if (set.kind != http::RangeSet::Kind::satisfiable) return false;
  // Nobody has said what Content-Encoding is about there, the multipart body or its parts: who asks
  // for several parts of an encoded representation gets the whole of it.
  if (set.count > 1 && answer.coding != http::Coding::identity) return false;
  if (set.count > 1) return reply_parts(answer, set, reply);
  reply_part(answer, set.ranges[0], reply);
  return true;
}

/// A path that was accepted as a file's, without its last `count` bytes: what
/// is not ASCII stands there as one escape for each.
std::string_view without_last(std::string_view path, size_t count) {
  for (; count > 0 && !path.empty(); --count) {
    const bool is_escape = path.size() >= 3 && path[path.size() - 3] == '%';
    path.remove_suffix(is_escape ? 3 : 1);
  }
  return path;
}

/// The same resource under another name. A location that began with "//" would be another site.
void reply_relocated(const Answer& answer, const http::RequestHead& request, Reply& reply) {
  std::string location(without_last(request.path, answer.relocation->drop));
  location.append(answer.relocation->add);
  const size_t slashes = std::min(location.find_first_not_of("/\\"), location.size());
  if (slashes == 0) location.insert(location.begin(), '/');
  if (slashes > 1) location.erase(0, slashes - 1);
  location.append(request.query);
  reply.built = answer.head;
  http::append_field(reply.built, "Location", location);
  http::append_content_length(reply.built, answer.size());
  use_built(reply, answer.status);
  if (request.method == Method::head) return;
  reply.source = answer.text.get();
  reply.length = answer.size();
}

}  // namespace

void reply_with(const Answer& remembered, const http::RequestHead& request, int64_t now_s,
                Reply& reply) {
  const Answer& answer = remembered.chosen_for(request);
  bool is_head = request.method == Method::head;
  reply.answer = answer.id;
  if (answer.file && answer.status == 200) {
    switch (http::evaluate_preconditions(request, answer.validators(), now_s)) {
      case http::Precondition::not_modified: return reply_without_body(answer, 304, reply);
      case http::Precondition::failed: return reply_without_body(answer, 412, reply);
      case http::Precondition::pass: break;
    }
    if (reply_ranges(answer, request, now_s, reply)) return;
  }
  if (answer.relocation) return reply_relocated(answer, request, reply);
  reply_whole(answer, is_head, reply);
}

}  // namespace sluice::files
