// Building the heads of an answer, once, on the main thread that received it.
// An ETag is weak while the file could still change within one tick of its clock (RFC 9110 §8.8.1).
#include "files/answer.h"

#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <string_view>

#include "core/limits.h"
#include "http/date.h"
#include "http/response_head.h"

namespace sluice::files {
namespace {

/// Of the file as it is, and the coding: two encodings of one file are never the same bytes.
std::string make_etag(const File& file, http::Coding coding, bool weak) {
  std::string etag = etag_of(file.size, file.mtime_s, file.mtime_ns);
  etag.pop_back();
  if (weak) etag.insert(0, "W/");
  if (file.checksum != 0) {
    char text[16];
    std::snprintf(text, sizeof text, "-%08x", file.checksum);
    etag.append(text);
  }
  if (coding != http::Coding::identity) etag.append("-").append(http::coding_name(coding));
  return etag.append("\"");
}

std::string make_text(const AnswerSource& source) {
  if (source.has_body) return source.body;
  std::string text = std::to_string(source.status);
  return text.append(" ").append(http::reason_phrase(source.status)).append("\n");
}

/// The lines of `fields` whose name does not begin with one of `prefixes`.
std::string without(const std::string& fields, std::initializer_list<std::string_view> prefixes) {
  std::string kept;
  for (size_t at = 0; at < fields.size();) {
    size_t end = fields.find("\r\n", at);
    end = end == std::string::npos ? fields.size() : end + 2;
    bool dropped = false;
    for (std::string_view prefix : prefixes) {
      dropped = dropped || strncasecmp(fields.c_str() + at, prefix.data(), prefix.size()) == 0;
    }
    if (!dropped) kept.append(fields, at, end - at);
    at = end;
  }
  return kept;
}

AnswerSource json_source(AnswerSource& source) {
  AnswerSource json;
  json.id = source.id;
  json.status = source.status;
  json.fields = std::move(source.json->fields);
  json.body = std::move(source.json->body);
  json.has_body = true;
  return json;
}

}  // namespace

std::string etag_of(uint64_t size, int64_t mtime_s, uint32_t mtime_ns) {
  char text[64];
  std::snprintf(text, sizeof text, "\"%llx-%llx%08x\"", static_cast<unsigned long long>(size),
                static_cast<unsigned long long>(mtime_s), mtime_ns);
  return text;
}

Answer::Answer(AnswerSource source)
    : id(source.id),
      status(source.status),
      otherwise(source.otherwise),
      remember(source.remember),
      young(false),
      looks(std::move(source.looks)),
      grounds(std::move(source.grounds)),
      relocation(std::move(source.relocation)),
      coding(source.coding),
      file(std::move(source.file)),
      fields(std::move(source.fields)) {
  cache_fields = without(fields, {"Content-"});  // RFC 9110 §15.4.5
  route_fields = without(cache_fields, {"Cache-Control:", "Expires:"});
  http::append_status_line(head, status);
  if (source.json) json = make_ref<const Answer>(json_source(source));
  if (file) {
    young = file->is_young();
    // Validators are of the representation; an error page is another one (RFC 9110 §8.8).
    if (status == 200) add_validators();
    head.append(fields).append(validator_fields);
  } else {
    text = make_ref<const Source>(-1, make_text(source));
    if (!source.has_body) head.append("Content-Type: text/plain; charset=utf-8\r\n");
    head.append(fields);
  }
  if (!http::is_bodiless(status) && !relocation) http::append_content_length(head, size());
  add_variants(std::move(source.variants));
}

void Answer::add_variants(std::vector<EncodedFile> files) {
  for (EncodedFile& each : files) {
    AnswerSource source;
    source.id = id;
    source.status = status;
    source.fields = fields;
    http::append_field(source.fields, "Content-Encoding", http::coding_name(each.coding));
    source.file = std::move(each.file);
    source.coding = each.coding;
    auto answer = make_ref<const Answer>(std::move(source));
    young = young || answer->young;
    variants.push_back({each.coding, std::move(answer)});
  }
}

const Answer& Answer::chosen_for(const http::RequestHead& request) const {
  if (variants.empty()) return *this;
  const http::CodingWeights weights(request);
  const Variant* best = nullptr;
  for (const Variant& each : variants) {
    if (!weights.wants(each.coding)) continue;
    if (best == nullptr || weights.of(each.coding) > weights.of(best->coding)) best = &each;
  }
  return best == nullptr ? *this : *best->answer;
}

void Answer::add_validators() {
  etag = make_etag(*file, coding, young);
  // Never later than Date (RFC 9110 §8.8.2.1), whatever a wrong clock or a careless copy left.
  last_modified_s = std::clamp<int64_t>(file->mtime_s, 0, std::max<int64_t>(file->opened_s, 0));
  char date[http::kDateBytes];
  http::format_date(last_modified_s, date);
  http::append_field(validator_fields, "ETag", etag);
  http::append_field(validator_fields, "Last-Modified", {date, sizeof date});
  validator_fields.append("Accept-Ranges: bytes\r\n");
}

}  // namespace sluice::files
