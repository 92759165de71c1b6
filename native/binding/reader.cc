// Checked access to JavaScript values. TypeScript has validated for the message; here it is checked
// again for safety, since what is decoded steers threads that trust it.
#include "binding/reader.h"

#include <cmath>

namespace sluice::binding {
namespace {

bool is_token_character(unsigned char c) {
  return c > 0x20 && c < 0x7f &&
         std::string_view("\"(),/:;<=>?@[\\]{}").find(static_cast<char>(c)) ==
             std::string_view::npos;
}

bool is_value_character(unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); }

/// Whether `line` (without CRLF) is "name: value" (RFC 9112 §5).
bool is_field_line(std::string_view line) {
  size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  for (unsigned char c : line.substr(0, colon)) {
    if (!is_token_character(c)) return false;
  }
  for (unsigned char c : line.substr(colon + 1)) {
    if (!is_value_character(c)) return false;
  }
  return true;
}

}  // namespace

void Reader::fail(const std::string& expected) const {
  throw Napi::TypeError::New(value_.Env(), path_ + ": expected " + expected);
}

Reader Reader::at(const char* key) const {
  if (!value_.IsObject()) fail("an object");
  return Reader(value_.As<Napi::Object>().Get(key), path_.empty() ? key : path_ + "." + key);
}

Reader Reader::at(uint32_t index) const {
  return Reader(value_.As<Napi::Array>().Get(index), path_ + "[" + std::to_string(index) + "]");
}

uint32_t Reader::length() const {
  if (!value_.IsArray()) fail("an array");
  return value_.As<Napi::Array>().Length();
}

std::string Reader::text() const {
  if (!value_.IsString()) fail("a string");
  return value_.As<Napi::String>().Utf8Value();
}

bool Reader::boolean() const {
  if (!value_.IsBoolean()) fail("true or false");
  return value_.As<Napi::Boolean>().Value();
}

uint64_t Reader::integer(uint64_t least, uint64_t most) const {
  double number = value_.IsNumber() ? value_.As<Napi::Number>().DoubleValue() : NAN;
  bool fits = number >= static_cast<double>(least) && number <= static_cast<double>(most) &&
              number == std::floor(number);
  if (!fits) {
    fail("an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<uint64_t>(number);
}

double Reader::number(double least, double most) const {
  const double number = value_.IsNumber() ? value_.As<Napi::Number>().DoubleValue() : NAN;
  if (!(number >= least && number <= most)) {
    fail("a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

uint64_t Reader::big() const {
  if (!value_.IsBigInt()) fail("a bigint");
  bool lossless = false;
  uint64_t number = value_.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) fail("a bigint of 64 bits");
  return number;
}

std::string Reader::bytes() const {
  if (!value_.IsTypedArray() ||
      value_.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    fail("a Uint8Array");
  }
  auto array = value_.As<Napi::Uint8Array>();
  return std::string(reinterpret_cast<const char*>(array.Data()), array.ByteLength());
}

std::string Reader::field_lines() const {
  std::string lines = text();
  for (size_t at = 0; at < lines.size();) {
    size_t end = lines.find("\r\n", at);
    if (end == std::string::npos) fail("field lines that end in CRLF");
    if (!is_field_line(std::string_view(lines).substr(at, end - at))) fail("valid field lines");
    at = end + 2;
  }
  return lines;
}

}  // namespace sluice::binding
