// What every test of a head parser does with an input: parse it whole, then again at every
// split point and byte by byte, from buffers of exactly the right size so that AddressSanitizer
// sees a read past the end. However it was cut, the answer has to be the same.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "http/request_parser.h"
#include "testing.h"

namespace head_cases {

using sluice::ErrorCode;
using sluice::http::HeadLimits;
using sluice::http::ParseResult;
using sluice::http::ParseStatus;
using sluice::http::RequestHead;

/// A copy of `bytes` with nothing readable behind it.
class ExactBuffer {
 public:
  explicit ExactBuffer(std::string_view bytes);
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  size_t size_;
};

/// A parse and, when it was ok, everything that the head says.
struct Outcome {
  ParseResult result;
  std::string head;
};

/// "ok" with the head, "need_more", or the name of the error.
std::string name_of(const Outcome& outcome);

/// One call of a parser, for requests or for responses.
using Parse = std::function<Outcome(std::string_view input, size_t seen)>;

/// Parses `input` in all the ways above and returns what it comes to.
Outcome parse_every_way(std::string_view input, const Parse& parse);

/// All of `head` as text.
std::string describe(const RequestHead& head);

Outcome parse(std::string_view input, size_t seen = 0, const HeadLimits& limits = {});

Outcome parse_every_way(std::string_view input, const HeadLimits& limits = {});

/// The head of an input that must be accepted. Owns its bytes; the parts stay valid with it.
class Accepted {
 public:
  explicit Accepted(std::string_view input, const HeadLimits& limits = {});
  const RequestHead* operator->() const { return &head_; }
  const RequestHead& operator*() const { return head_; }

 private:
  std::string bytes_;
  RequestHead head_;
};

/// Checks that `input` is refused with `wanted`.
void check_refused(std::string_view input, ErrorCode wanted, const HeadLimits& limits = {});

struct Refused {
  const char* what;
  std::string_view input;
  ErrorCode error;
};

void check_all_refused(const std::vector<Refused>& cases);

/// "GET / HTTP/1.1" with Host and these further field lines, each with its CRLF.
std::string with_fields(std::string_view fields);

}  // namespace head_cases
