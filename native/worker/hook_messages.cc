// Writing questions and reading verdicts. The app is ours, but what is in a verdict was said by
// user code: everything in it that becomes a head is checked here.
#include "worker/hook_messages.h"

#include <bit>
#include <cstring>

#include "core/limits.h"
#include "http/chars.h"
#include "http/field_check.h"
#include "http/response_head.h"

namespace sluice::worker {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kQuestionHead = 40;
constexpr size_t kVersionAt = 36;
constexpr uint8_t kOutdated = 255;  // in the place of a kind
constexpr size_t kStatusAt = 16;
constexpr size_t kMoreAt = 32;
constexpr size_t kPassBytes = 20;
constexpr size_t kWithdrawalBytes = 12;
constexpr size_t kVerdictHead = 24;

template <typename Number>
void put(std::string& out, size_t at, size_t value) {
  const auto number = static_cast<Number>(value);
  std::memcpy(out.data() + at, &number, sizeof number);
}

template <typename Number>
Number get(std::string_view bytes, size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

void append_lower(std::string_view name, std::string& out) {
  const size_t from = out.size();
  out.append(name);
  for (size_t i = from; i < out.size(); ++i) {
    if (out[i] >= 'A' && out[i] <= 'Z') out[i] = static_cast<char>(out[i] | 0x20);
  }
}

/// Of the texts of a question, in their order.
struct QuestionSizes {
  size_t method, target, host, address, fields;
};

/// Fills in what stands before the texts of the question that begins at `from`.
void put_question(size_t from, const HookTicket& ticket, uint16_t group, HookKind kind,
                  const HookAsker& asker, const QuestionSizes& sizes, std::string& out) {
  put<uint32_t>(out, from, out.size() - from);
  put<uint32_t>(out, from + 4, ticket.slot);
  put<uint32_t>(out, from + 8, ticket.serial);
  put<uint16_t>(out, from + 12, group);
  put<uint8_t>(out, from + 14, static_cast<size_t>(kind));
  put<uint8_t>(out, from + 15, asker.is_secure ? 1 : 0);
  put<uint16_t>(out, from + kStatusAt, 0);
  put<uint16_t>(out, from + 18, sizes.method);
  put<uint32_t>(out, from + 20, sizes.target);
  put<uint16_t>(out, from + 24, sizes.host);
  put<uint16_t>(out, from + 26, sizes.address);
  put<uint32_t>(out, from + 28, sizes.fields);
  put<uint32_t>(out, from + kMoreAt, 0);
  put<uint32_t>(out, from + kVersionAt, asker.version);
}

/// Takes the next text, which stands behind its length.
bool take_text(std::string_view& rest, std::string_view& text) {
  if (rest.size() < 4) return false;
  const uint32_t size = get<uint32_t>(rest, 0);
  rest.remove_prefix(4);
  if (rest.size() < size) return false;
  text = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

/// Calls `take` for every line of `text`; each ends in "\n". False when `take` does.
template <typename Take>
bool each_line(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos || !take(text.substr(0, end))) return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

bool read_edits(std::string_view removed, std::string_view added, route::FieldEdits& edits) {
  edits.added = added;
  const bool fits = each_line(removed, [&edits](std::string_view name) {
    edits.removed.emplace_back(name);
    return !name.empty() && http::is_all(http::kToken, name);
  });
  return fits && http::are_free_field_lines(added);
}

bool read_claims(std::string_view text, Verdict& verdict) {
  return each_line(text, [&verdict](std::string_view line) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return false;
    verdict.claims.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    return true;
  });
}

/// The head of an answer; its fields are those that the response is to have.
bool make_answer(std::string_view body, Verdict& verdict) {
  if (verdict.status < 200 || verdict.status > 599) return false;
  http::append_status_line(verdict.head, verdict.status);
  verdict.head.append(verdict.response.added);
  verdict.response = {};
  const bool is_bodiless = http::is_bodiless(verdict.status);
  if (is_bodiless) return body.empty();
  http::append_content_length(verdict.head, body.size());
  verdict.body = make_ref<const Source>(-1, std::string(body));
  return true;
}

bool read_verdict(std::string_view bytes, Verdict& verdict) {
  if (bytes.size() < kVerdictHead) return false;
  const uint32_t upstream = get<uint32_t>(bytes, 20);
  verdict.upstream = upstream <= INT32_MAX ? static_cast<int32_t>(upstream) : -1;
  std::string_view rest = bytes.substr(kVerdictHead);
  std::string_view texts[7];
  for (std::string_view& text : texts) {
    if (!take_text(rest, text)) return false;
  }
  const auto& [removed, added, response_removed, response_added, target, claims, body] = texts;
  if (!rest.empty() || !read_edits(removed, added, verdict.request) ||
      !read_edits(response_removed, response_added, verdict.response)) {
    return false;
  }
  if (!http::is_all(http::kTarget, target) || !read_claims(claims, verdict)) return false;
  verdict.target = target;
  if (verdict.kind == Verdict::Kind::change) return true;
  return make_answer(body, verdict);
}

}  // namespace

void append_question(const HookTicket& ticket, uint16_t group, const http::RequestHead& head,
                     const HookAsker& asker, std::string& out) {
  const size_t from = out.size();
  out.resize(from + kQuestionHead);
  out.append(asker.request_id).append(head.method_text).append(head.target);
  const size_t host_from = out.size();
  out.append(head.host);
  if (!head.port.empty()) out.append(":").append(head.port);
  const size_t host_size = out.size() - host_from;
  out.append(asker.address);
  const size_t fields_from = out.size();
  for (size_t i = 0; i < head.field_count; ++i) {
    out.push_back('\n');
    append_lower(head.fields[i].name, out);
    out.append(":").append(head.fields[i].value);
  }
  out.push_back('\n');
  const QuestionSizes sizes{head.method_text.size(), head.target.size(), host_size,
                            asker.address.size(), out.size() - fields_from};
  put_question(from, ticket, group, HookKind::request, asker, sizes, out);
}

void append_handler_question(const HookTicket& ticket, uint16_t group, std::string_view head,
                             const HookAsker& asker, std::string& out) {
  const size_t from = out.size();
  const size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const size_t space = line.find(' ');
  const std::string_view method = line.substr(0, space);
  const std::string_view target = line.substr(space + 1, line.find(' ', space + 1) - space - 1);
  out.resize(from + kQuestionHead);
  out.append(asker.request_id).append(method).append(target).append(asker.address);
  const size_t fields_from = out.size();
  append_field_block(head.substr(line_end + 2), out);
  const QuestionSizes sizes{method.size(), target.size(), 0, asker.address.size(),
                            out.size() - fields_from};
  put_question(from, ticket, group, HookKind::handler, asker, sizes, out);
}

void append_withdrawal(const HookTicket& ticket, std::string& out) {
  const size_t from = out.size();
  out.resize(from + kWithdrawalBytes);
  put<uint32_t>(out, from, kWithdrawalBytes);
  put<uint32_t>(out, from + 4, ticket.slot);
  put<uint32_t>(out, from + 8, ticket.serial);
}

void append_later_question(std::string_view question, const HookTicket& ticket, uint16_t group,
                           HookKind kind, uint16_t status, std::string_view more,
                           std::string& out) {
  const size_t from = out.size();
  out.append(question).append(more);
  put<uint32_t>(out, from, out.size() - from);
  put<uint32_t>(out, from + 4, ticket.slot);
  put<uint32_t>(out, from + 8, ticket.serial);
  put<uint16_t>(out, from + 12, group);
  put<uint8_t>(out, from + 14, static_cast<size_t>(kind));
  put<uint16_t>(out, from + kStatusAt, status);
  put<uint32_t>(out, from + kMoreAt, more.size());
}

AskedRequest read_question(std::string_view question) {
  std::string_view rest = question.substr(kQuestionHead + kRequestIdBytes);
  const auto take = [&rest](size_t size) {
    const std::string_view text = rest.substr(0, size);
    rest.remove_prefix(text.size());
    return text;
  };
  AskedRequest asked;
  asked.method = take(get<uint16_t>(question, 18));
  asked.target = take(get<uint32_t>(question, 20));
  asked.host = take(get<uint16_t>(question, 24));
  return asked;
}

void renew_question(std::string& question, uint32_t version) {
  put<uint32_t>(question, kVersionAt, version);
}

void append_field_block(std::string_view lines, std::string& out) {
  while (!lines.empty()) {
    const size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      out.push_back('\n');
      append_lower(line.substr(0, colon), out);
      out.append(":").append(http::trim_white_space(line.substr(colon + 1)));
    }
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
  }
  out.push_back('\n');
}

size_t Verdict::cost() const {
  size_t bytes = sizeof *this + request.added.size() + response.added.size() + target.size();
  for (const auto* edits : {&request, &response}) {
    for (const std::string& name : edits->removed) bytes += name.size() + sizeof name;
  }
  for (const auto& [name, value] : claims) bytes += name.size() + value.size() + 2 * sizeof name;
  return bytes + head.size() + (body ? body->bytes.size() : 0);
}

ParsedVerdict parse_verdict(std::string_view bytes) {
  ParsedVerdict parsed;
  if (bytes.size() < kPassBytes) return parsed;
  const uint32_t size = get<uint32_t>(bytes, 0);
  if (size < kPassBytes || size > kMaxVerdictBytes) {
    parsed.status = VerdictStatus::bad;
    return parsed;
  }
  if (bytes.size() < size) return parsed;
  parsed.consumed = size;
  parsed.ticket = {get<uint32_t>(bytes, 4), get<uint32_t>(bytes, 8)};
  const auto kind = get<uint8_t>(bytes, 12);
  const uint32_t remember = get<uint32_t>(bytes, 16);
  parsed.status = VerdictStatus::ok;
  parsed.is_outdated = kind == kOutdated;
  if (parsed.is_outdated || (kind == 0 && remember == UINT32_MAX)) return parsed;
  Ref<Verdict> verdict = make_ref<Verdict>();
  verdict->kind = static_cast<Verdict::Kind>(kind);
  verdict->status = get<uint16_t>(bytes, 14);
  verdict->remember_ms = remember == UINT32_MAX ? -1 : remember;
  const bool is_known = kind <= static_cast<uint8_t>(Verdict::Kind::failed);
  const bool has_more = verdict->kind != Verdict::Kind::pass;
  if (!is_known || (has_more && !read_verdict(bytes.substr(0, size), *verdict))) {
    // Whoever asked must not go on as if nothing had been said.
    parsed.status = VerdictStatus::bad;
  }
  parsed.verdict = Ref<const Verdict>(verdict.get());
  return parsed;
}

}  // namespace sluice::worker
