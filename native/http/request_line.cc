// Parses request lines. Exactly one space stands between the parts (RFC 9112 §3: being lenient
// about white space here is how requests are smuggled, §3 and §11.2).
#include "http/request_line.h"

#include <algorithm>
#include <cstring>

#include "http/scan.h"
#include "http/target.h"

namespace sluice::http {
namespace {

struct MethodName {
  std::string_view text;
  Method method;
};

/// Methods are case-sensitive (RFC 9110 §9.1).
constexpr MethodName kMethods[] = {
    {"GET", Method::get},         {"HEAD", Method::head},      {"POST", Method::post},
    {"PUT", Method::put},         {"DELETE", Method::delete_}, {"CONNECT", Method::connect},
    {"OPTIONS", Method::options}, {"TRACE", Method::trace},    {"PATCH", Method::patch},
};

Method method_of(std::string_view text) {
  for (const MethodName& known : kMethods) {
    if (text == known.text) return known.method;
  }
  return Method::other;
}

/// At most one empty line may stand before the request line.
ErrorCode skip_empty_line(HeadCursor& in) {
  if (in.empty()) return kNeedMore;
  if (*in.at != '\r' && *in.at != '\n') return ErrorCode::none;
  return take_line_end(in, ErrorCode::none);
}

ErrorCode take_method(HeadCursor& in, RequestHead& head) {
  const size_t room = std::min(in.left(), kMaxMethodBytes);
  const char* const stop = skip_class(kToken, in.at, in.at + room);
  const size_t length = static_cast<size_t>(stop - in.at);
  if (stop == in.end) return kNeedMore;
  // Also what stands behind a method of the greatest length has to be a space.
  if (*stop != ' ') {
    return line_end_error({stop, in.end}, ErrorCode::bad_request_line, ErrorCode::bad_method);
  }
  if (length == 0) return ErrorCode::bad_method;
  head.method_text = std::string_view(in.at, length);
  head.method = method_of(head.method_text);
  in.at = stop + 1;
  return ErrorCode::none;
}

ErrorCode take_target(HeadCursor& in, size_t limit, RequestHead& head) {
  // One byte more than the limit is enough to know; the rest of a long target is not looked at.
  const size_t room = limit < in.left() ? limit + 1 : in.left();
  const char* const stop = skip_target(in.at, in.at + room);
  const size_t length = static_cast<size_t>(stop - in.at);
  if (length > limit) return ErrorCode::target_too_long;
  if (stop == in.end) return kNeedMore;
  if (*stop != ' ') {
    return line_end_error({stop, in.end}, ErrorCode::bad_request_line, ErrorCode::bad_target);
  }
  if (length == 0) return ErrorCode::bad_request_line;
  head.target = std::string_view(in.at, length);
  in.at = stop + 1;
  return ErrorCode::none;
}

/// HTTP-version = "HTTP/" DIGIT "." DIGIT, case-sensitive (RFC 9112 §2.3), judged byte by byte.
ErrorCode take_unusual_version(HeadCursor& in) {
  constexpr std::string_view kShape = "HTTP/0.0";
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (in.left() == i) return kNeedMore;
    const char c = in.at[i];
    const bool fits = kShape[i] == '0' ? is(kDigit, c) : c == kShape[i];
    if (fits) continue;
    // Not even the start of a version: a target with a space in it, two spaces, or HTTP/0.9.
    const ErrorCode wrong =
        i == 0 && c != 'h' ? ErrorCode::bad_request_line : ErrorCode::bad_version;
    return line_end_error({in.at + i, in.end}, wrong, wrong);
  }
  if (in.at[5] != '1') return ErrorCode::unsupported_version;
  if (in.at[7] > '1') return ErrorCode::bad_version;
  in.at += kShape.size();
  return ErrorCode::none;
}

ErrorCode take_version(HeadCursor& in, RequestHead& head) {
  constexpr std::string_view kCommon = "HTTP/1.1";
  if (in.left() >= kCommon.size() && std::memcmp(in.at, kCommon.data(), kCommon.size()) == 0) {
    in.at += kCommon.size();
  } else if (ErrorCode error = take_unusual_version(in); error != ErrorCode::none) {
    return error;
  }
  head.minor_version = static_cast<uint8_t>(in.at[-1] - '0');
  return take_line_end(in, ErrorCode::bad_request_line);
}

}  // namespace

ErrorCode parse_request_line(HeadCursor& in, size_t target_limit, RequestHead& head) {
  ErrorCode error = skip_empty_line(in);
  if (error == ErrorCode::none) error = take_method(in, head);
  if (error == ErrorCode::none) error = take_target(in, target_limit, head);
  if (error == ErrorCode::none) error = take_version(in, head);
  // The form of the target is judged last, so that "PRI * HTTP/2.0" is answered for its version.
  if (error == ErrorCode::none) error = split_target(head);
  return error;
}

}  // namespace sluice::http
