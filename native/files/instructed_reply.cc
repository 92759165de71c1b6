// Heads put together from two sides. A field of the application stands in the place of the file's
// of that name, but for Vary, which both may have a say in. What has no body, or parts of several,
// keeps what is said about its content.
#include "files/instructed_reply.h"

#include "http/chars.h"
#include "http/response_head.h"

namespace sluice::files {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

/// The first of `lines`, with its end; `lines` goes on behind it.
std::string_view take_line(std::string_view& lines) {
  const size_t end = lines.find(kLineEnd);
  const size_t size = end == std::string_view::npos ? lines.size() : end + kLineEnd.size();
  const std::string_view line = lines.substr(0, size);
  lines.remove_prefix(size);
  return line;
}

std::string_view name_of(std::string_view line) { return line.substr(0, line.find(':')); }

bool is_about_content(std::string_view name) {
  constexpr std::string_view kPrefix = "content-";
  return name.size() >= kPrefix.size() &&
         http::equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix) &&
         !http::equals_ignoring_case(name, "content-security-policy");
}

/// Whether one of `lines` has this name, whatever the case of either.
bool has_field(std::string_view lines, std::string_view name) {
  while (!lines.empty()) {
    const std::string_view other = name_of(take_line(lines));
    if (other.size() != name.size()) continue;
    size_t at = 0;
    while (at < name.size() && (other[at] | 0x20) == (name[at] | 0x20)) ++at;
    if (at == name.size()) return true;
  }
  return false;
}

/// Only the fields that are not about the content.
std::string without_content(std::string_view lines) {
  std::string kept;
  while (!lines.empty()) {
    const std::string_view line = take_line(lines);
    if (!is_about_content(name_of(line))) kept.append(line);
  }
  return kept;
}

/// `head` with `fields` over its own.
std::string dressed(std::string_view head, std::string_view fields) {
  std::string out(take_line(head));
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    const std::string_view name = name_of(line);
    if (http::equals_ignoring_case(name, "vary") || !has_field(fields, name)) out.append(line);
  }
  return out.append(fields);
}

/// The whole file under a status of the application's.
void reply_with_status(const Answer& answer, uint16_t status, bool is_head, Reply& reply) {
  http::append_status_line(reply.built, status);
  reply.status = status;
  reply.answer = answer.id;
  if (http::is_bodiless(status)) {
    reply.head = reply.built;
    return;
  }
  reply.built.append(answer.fields);
  http::append_content_length(reply.built, answer.size());
  reply.head = reply.built;
  if (is_head) return;
  reply.source = &answer.source();
  reply.length = answer.size();
}

}  // namespace

void reply_dressed(const Answer& remembered, const http::RequestHead& request, int64_t now_s,
                   const Dressing& dressing, Reply& reply) {
  const Answer& answer = remembered.chosen_for(request);
  const bool is_file = answer.file && answer.status == 200;
  const bool is_head = request.method == http::Method::head;
  const bool is_get = is_head || request.method == http::Method::get;
  if (is_file && (dressing.status != 200 || !is_get)) {
    reply_with_status(answer, dressing.status, is_head, reply);
  } else {
    reply_with(remembered, request, now_s, reply);
  }
  if (!is_file) return;
  const bool has_own_content = reply.parts || reply.own || http::is_bodiless(reply.status) ||
                               reply.status == 412 || reply.status == 416;
  reply.built = has_own_content ? dressed(reply.head, without_content(dressing.fields))
                                : dressed(reply.head, dressing.fields);
  reply.head = reply.built;
}

}  // namespace sluice::files
