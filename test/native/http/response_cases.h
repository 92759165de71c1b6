// The response parser's side of head_cases.h: every input whole, at every split point and byte by
// byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "head_cases.h"
#include "http/response_parser.h"

namespace response_cases {

using sluice::ErrorCode;
using sluice::http::HeadLimits;
using sluice::http::ResponseFraming;
using sluice::http::ResponseHead;

/// The head of a response that must be accepted. Owns its bytes.
class Accepted {
 public:
  explicit Accepted(std::string_view input, bool to_head = false, const HeadLimits& limits = {});
  const ResponseHead* operator->() const { return &head_; }
  const ResponseHead& operator*() const { return head_; }
  /// Bytes of the head.
  size_t size() const { return size_; }

 private:
  std::string bytes_;
  ResponseHead head_;
  size_t size_ = 0;
};

void check_refused(std::string_view input, ErrorCode wanted, const HeadLimits& limits = {});

/// "HTTP/1.1 200 OK" with these field lines, each with its CRLF.
std::string with_fields(std::string_view fields);

}  // namespace response_cases
