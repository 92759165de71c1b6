// Parses request heads: request line, then field after field, each judged when its bytes are read
// (request_line.h, fields.h, framing.h, host.h), then what needs all of them. One pass over a head
// that arrives whole; head_progress.h keeps one that arrives in pieces from costing more.
#include "http/request_parser.h"

#include <algorithm>

#include "http/field_line.h"
#include "http/framing.h"
#include "http/head_cursor.h"
#include "http/head_progress.h"
#include "http/host.h"
#include "http/request_line.h"
#include "http/scan.h"

namespace sluice::http {
namespace {

class HeadParser {
 public:
  HeadParser(std::string_view input, const HeadLimits& limits, RequestHead& head)
      : in_{input.data(), input.data() + input.size()}, limits_(limits), head_(head) {}

  /// none: the head is complete and the cursor stands behind it.
  ErrorCode parse();
  const char* at() const { return in_.at; }

 private:
  void clear();
  ErrorCode take_field();
  ErrorCode on_known_field(const Field& field);
  ErrorCode on_host(std::string_view value);
  ErrorCode on_content_length(std::string_view value);
  ErrorCode on_transfer_encoding(std::string_view value);
  ErrorCode on_expect(std::string_view value);
  ErrorCode finish();

  bool present(FieldId id) const { return head_.first_of[static_cast<size_t>(id)] != 0; }

  HeadCursor in_;
  const HeadLimits& limits_;
  RequestHead& head_;
  ConnectionOptions connection_;
  bool chunked_ = false;
};

ErrorCode HeadParser::parse() {
  clear();
  ErrorCode error = parse_request_line(in_, limits_.target_bytes, head_);
  while (error == ErrorCode::none) {
    if (in_.empty()) return kNeedMore;
    if (*in_.at == '\r' || *in_.at == '\n') {
      error = take_line_end(in_, ErrorCode::none);
      return error == ErrorCode::none ? finish() : error;
    }
    error = take_field();
  }
  return error;
}

void HeadParser::clear() {
  head_.first_of.fill(0);
  head_.field_count = 0;
  head_.framing = Framing::none;
  head_.content_length = 0;
  head_.expect_continue = false;
}

ErrorCode HeadParser::take_field() {
  if (head_.field_count >= std::min(limits_.fields, kMaxFields)) {
    // White space first: a folded line is no field of its own.
    return is_white_space(*in_.at) ? ErrorCode::folded_field : ErrorCode::too_many_fields;
  }
  Field& field = head_.fields[head_.field_count];
  ErrorCode error = take_field_line(in_, field);
  if (error != ErrorCode::none) return error;
  if (field.id != FieldId::other) error = on_known_field(field);
  ++head_.field_count;
  return error;
}

ErrorCode HeadParser::on_known_field(const Field& field) {
  const bool repeated = present(field.id);
  uint16_t& first = head_.first_of[static_cast<size_t>(field.id)];
  if (!repeated) first = static_cast<uint16_t>(head_.field_count + 1);
  switch (field.id) {
    case FieldId::host: return repeated ? ErrorCode::bad_host : on_host(field.value);
    case FieldId::content_length:
      // Even equal values are refused; RFC 9112 §6.3 rule 5 and RFC 9110 §8.6 allow it.
      return repeated ? ErrorCode::bad_content_length : on_content_length(field.value);
    case FieldId::transfer_encoding: return on_transfer_encoding(field.value);
    case FieldId::connection: connection_.add(field.value); return ErrorCode::none;
    case FieldId::expect: return on_expect(field.value);
    default: return ErrorCode::none;
  }
}

/// RFC 9112 §3.2: 400 for a Host that is repeated or invalid. An empty one is invalid too, since an
/// http URI has a host (RFC 9110 §4.2.1, RFC 9112 §3.3).
ErrorCode HeadParser::on_host(std::string_view value) {
  Authority authority;
  if (!parse_authority(value, authority)) return ErrorCode::bad_host;
  // The authority of an absolute-form or authority-form target wins (RFC 9112 §3.2.2).
  if (!head_.host.empty()) return ErrorCode::none;
  head_.host = authority.host;
  head_.port = authority.port;
  return ErrorCode::none;
}

ErrorCode HeadParser::on_content_length(std::string_view value) {
  // Both framings: RFC 9112 §6.1 lets a server refuse, and it ought to (§6.3 rule 3).
  if (present(FieldId::transfer_encoding)) return ErrorCode::length_with_chunked;
  if (!parse_content_length(value, head_.content_length)) return ErrorCode::bad_content_length;
  head_.framing = Framing::length;
  return ErrorCode::none;
}

ErrorCode HeadParser::on_transfer_encoding(std::string_view value) {
  // HTTP/1.0 has no transfer codings: a message with one has faulty framing (RFC 9112 §6.1).
  if (head_.minor_version == 0) return ErrorCode::bad_transfer_encoding;
  if (present(FieldId::content_length)) return ErrorCode::length_with_chunked;
  head_.framing = Framing::chunked;
  return parse_transfer_encoding(value, chunked_);
}

/// RFC 9110 §10.1.1: ignored in HTTP/1.0; nothing but 100-continue can be met.
ErrorCode HeadParser::on_expect(std::string_view value) {
  if (!equals_ignoring_case(value, "100-continue")) return ErrorCode::unsupported_expectation;
  head_.expect_continue = head_.minor_version >= 1;
  return ErrorCode::none;
}

ErrorCode HeadParser::finish() {
  if (head_.minor_version >= 1 && !present(FieldId::host)) return ErrorCode::missing_host;
  // RFC 9112 §9.3: `close` wins; without either, 1.1 persists and 1.0 does not.
  const bool persists = head_.minor_version >= 1 || connection_.keep_alive;
  head_.keep_alive = persists && !connection_.close;
  // RFC 9110 §7.8: Upgrade means nothing unless Connection names it, nor in HTTP/1.0.
  const bool upgrade = head_.minor_version >= 1 && connection_.upgrade;
  head_.has_upgrade = upgrade && !head_.find(FieldId::upgrade).empty();
  // A client must not expect 100 (Continue) without content (RFC 9110 §10.1.1): nothing to wait
  // for.
  const bool content = head_.framing == Framing::chunked || head_.content_length > 0;
  head_.expect_continue = head_.expect_continue && content;
  return ErrorCode::none;
}

}  // namespace

ParseResult parse_request(std::string_view input, size_t seen, const HeadLimits& limits,
                          RequestHead& head) {
  // Bytes beyond the limit cannot belong to a head that is let through.
  const bool at_limit = input.size() >= limits.head_bytes;
  const std::string_view bounded = input.substr(0, limits.head_bytes);
  if (!at_limit && !worth_parsing(bounded, seen, limits.target_bytes, limits.fields)) return {};
  HeadParser parser(bounded, limits, head);
  ErrorCode error = parser.parse();
  if (error == ErrorCode::none) {
    return {ParseStatus::ok, ErrorCode::none, static_cast<size_t>(parser.at() - input.data())};
  }
  if (error == kNeedMore) {
    if (!at_limit) return {};
    error = ErrorCode::head_too_large;
  }
  return {ParseStatus::error, error, 0};
}

}  // namespace sluice::http
