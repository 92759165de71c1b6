// Status line, fields, then what needs all of them: framing and persistence. Where RFC 9112 lets a
// proxy repair a message it is refused here, but for one thing: HTTP/1.0 and close-delimited
// responses are still met, so they are understood.
#include "http/response_parser.h"

#include <algorithm>
#include <charconv>

#include "http/field_line.h"
#include "http/framing.h"
#include "http/head_progress.h"
#include "http/response_head.h"

namespace sluice::http {
namespace {

constexpr std::string_view kProtocol = "HTTP/1.";
/// "HTTP/1.1 200": version, space, status.
constexpr size_t kStatusBytes = 12;

class ResponseParser {
 public:
  ResponseParser(std::string_view input, const HeadLimits& limits, bool to_head, ResponseHead& head)
      : in_{input.data(), input.data() + input.size()},
        limits_(limits),
        to_head_(to_head),
        head_(head) {}

  ErrorCode parse();
  const char* at() const { return in_.at; }

 private:
  ErrorCode take_status_line();
  ErrorCode take_field();
  ErrorCode on_known_field(const Field& field);
  void on_keep_alive(std::string_view value);
  ErrorCode finish();
  bool present(FieldId id) const { return head_.first_of[static_cast<size_t>(id)] != 0; }

  HeadCursor in_;
  const HeadLimits& limits_;
  const bool to_head_;
  ResponseHead& head_;
  ConnectionOptions connection_;
  bool chunked_ = false;
};

/// status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4). The second space
/// is missing from some servers; who has no reason may leave it out.
ErrorCode ResponseParser::take_status_line() {
  constexpr ErrorCode kWrong = ErrorCode::bad_status_line;
  const size_t compared = std::min(in_.left(), kProtocol.size());
  if (std::string_view(in_.at, compared) != kProtocol.substr(0, compared)) return kWrong;
  if (in_.left() < kStatusBytes) {
    // Judge what is there, so that a wrong line is wrong however it is cut.
    for (size_t i = kProtocol.size(); i < in_.left(); ++i) {
      const bool fits = i == 8 ? in_.at[i] == ' ' : is(kDigit, in_.at[i]);
      if (!fits) return kWrong;
    }
    return kNeedMore;
  }
  const char minor = in_.at[7];
  const std::string_view digits(in_.at + 9, 3);
  if (!is(kDigit, minor) || in_.at[8] != ' ' || !is_all(kDigit, digits)) return kWrong;
  head_.minor_version = static_cast<uint8_t>(minor - '0');
  std::from_chars(digits.data(), digits.data() + digits.size(), head_.status);
  if (head_.status < 100 || head_.status > 599) return kWrong;
  in_.at += kStatusBytes;
  if (in_.empty()) return kNeedMore;
  if (*in_.at == ' ') {
    const char* const begin = ++in_.at;
    in_.at = skip_field_content(begin, in_.end);
    head_.reason = std::string_view(begin, static_cast<size_t>(in_.at - begin));
  } else {
    head_.reason = {};
  }
  const ErrorCode end = take_line_end(in_, kWrong);
  return end == ErrorCode::bad_line_ending ? kWrong : end;
}

ErrorCode ResponseParser::parse() {
  head_.first_of.fill(0);
  head_.field_count = 0;
  head_.content_length = 0;
  head_.keep_alive_timeout_s = -1;
  ErrorCode error = take_status_line();
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

ErrorCode ResponseParser::take_field() {
  if (head_.field_count >= std::min(limits_.fields, kMaxFields)) {
    return ErrorCode::upstream_head_too_large;
  }
  Field& field = head_.fields[head_.field_count];
  ErrorCode error = take_field_line(in_, field);
  if (error != ErrorCode::none) return error;
  if (field.id != FieldId::other) error = on_known_field(field);
  ++head_.field_count;
  return error;
}

/// timeout=N among the parameters of Keep-Alive; nonsense says nothing.
int32_t keep_alive_timeout(std::string_view value) {
  std::string_view rest = value;
  std::string_view parameter;
  while (next_list_element(rest, parameter)) {
    constexpr std::string_view kTimeout = "timeout=";
    if (parameter.size() <= kTimeout.size() ||
        !equals_ignoring_case(parameter.substr(0, kTimeout.size()), kTimeout)) {
      continue;
    }
    uint64_t seconds = 0;  // of the same grammar: digits, and nothing else
    if (!parse_content_length(parameter.substr(kTimeout.size()), seconds)) continue;
    return static_cast<int32_t>(std::min<uint64_t>(seconds, kMaxKeepAliveTimeoutS));
  }
  return -1;
}

ErrorCode ResponseParser::on_known_field(const Field& field) {
  const bool repeated = present(field.id);
  uint16_t& first = head_.first_of[static_cast<size_t>(field.id)];
  if (!repeated) first = static_cast<uint16_t>(head_.field_count + 1);
  switch (field.id) {
    case FieldId::content_length:
      // Even equal ones: see the request parser.
      if (repeated || !parse_content_length(field.value, head_.content_length)) {
        return ErrorCode::bad_upstream_framing;
      }
      return ErrorCode::none;
    case FieldId::transfer_encoding:
      return parse_transfer_encoding(field.value, chunked_) == ErrorCode::none
                 ? ErrorCode::none
                 : ErrorCode::bad_upstream_framing;
    case FieldId::connection: connection_.add(field.value); return ErrorCode::none;
    case FieldId::keep_alive: on_keep_alive(field.value); return ErrorCode::none;
    default: return ErrorCode::none;
  }
}

/// Of several the shortest holds: a connection that is kept too long is one that fails a request.
void ResponseParser::on_keep_alive(std::string_view value) {
  const int32_t seconds = keep_alive_timeout(value);
  if (seconds < 0) return;
  const int32_t earlier = head_.keep_alive_timeout_s;
  head_.keep_alive_timeout_s = earlier < 0 ? seconds : std::min(earlier, seconds);
}

/// The length of the body (RFC 9112 §6.3), strictest reading.
ErrorCode ResponseParser::finish() {
  const bool has_length = present(FieldId::content_length);
  const bool has_coding = present(FieldId::transfer_encoding);
  if (has_length && has_coding) return ErrorCode::bad_upstream_framing;
  // Transfer-Encoding is not of HTTP/1.0, nor of 1xx and 204 (RFC 9112 §6.1); some servers send it
  // with a 304 or to HEAD, where it says nothing.
  if (has_coding && (head_.minor_version == 0 || head_.status < 200 || head_.status == 204)) {
    return ErrorCode::bad_upstream_framing;
  }
  head_.is_interim = head_.status < 200 && head_.status != 101;
  if (to_head_ || is_bodiless(head_.status)) {
    head_.framing = ResponseFraming::none;
  } else if (has_coding) {
    head_.framing = ResponseFraming::chunked;
  } else {
    head_.framing = has_length ? ResponseFraming::length : ResponseFraming::until_close;
  }
  // RFC 9112 §9.3, and whoever ends a body by closing cannot persist.
  const bool persists = head_.minor_version >= 1 || connection_.keep_alive;
  // After a 204 that tells of a body one may come: it would be read as the next response.
  const bool is_doubtful = head_.status == 204 && head_.content_length > 0;
  const bool closes =
      connection_.close || is_doubtful || head_.framing == ResponseFraming::until_close;
  head_.keep_alive = persists && !closes;
  const bool upgrade = head_.minor_version >= 1 && connection_.upgrade;
  head_.has_upgrade = upgrade && !head_.find(FieldId::upgrade).empty();
  return ErrorCode::none;
}

/// What the shared steps call by the names of requests is a target's fault here.
ErrorCode as_upstream_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::bad_status_line:
    case ErrorCode::bad_upstream_framing:
    case ErrorCode::upstream_head_too_large: return error;
    default: return ErrorCode::bad_upstream_field;
  }
}

}  // namespace

ParseResult parse_response(std::string_view input, size_t seen, const HeadLimits& limits,
                           bool to_head, ResponseHead& head) {
  const bool at_limit = input.size() >= limits.head_bytes;
  const std::string_view bounded = input.substr(0, limits.head_bytes);
  if (!at_limit && !worth_parsing(bounded, seen, kNoTargetLimit, limits.fields)) return {};
  ResponseParser parser(bounded, limits, to_head, head);
  const ErrorCode error = parser.parse();
  if (error == ErrorCode::none) {
    return {ParseStatus::ok, ErrorCode::none, static_cast<size_t>(parser.at() - input.data())};
  }
  if (error == kNeedMore) {
    if (!at_limit) return {};
    return {ParseStatus::error, ErrorCode::upstream_head_too_large, 0};
  }
  return {ParseStatus::error, as_upstream_error(error), 0};
}

}  // namespace sluice::http
