// Reading plain JavaScript values with checks. Every failure is a TypeError that names the path of
// the value: "routes[3].action.status: expected an integer from 100 to 599". JavaScript's thread;
// no value is kept past the call.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

namespace sluice::binding {

/// One value and where it came from.
class Reader {
 public:
  Reader(Napi::Value value, std::string path) : value_(value), path_(std::move(path)) {}

  /// A property of an object.
  Reader at(const char* key) const;
  /// An element of an array.
  Reader at(uint32_t index) const;
  uint32_t length() const;

  std::string text() const;
  bool boolean() const;
  /// An integer within [least, most].
  uint64_t integer(uint64_t least, uint64_t most) const;
  /// A number within [least, most].
  double number(double least, double most) const;
  /// A BigInt.
  uint64_t big() const;
  /// The bytes of a Uint8Array.
  std::string bytes() const;
  bool is_text() const { return value_.IsString(); }
  bool is_null() const { return value_.IsNull() || value_.IsUndefined(); }

  /// Field lines as in NativeAnswer.fields: each "Name: value\r\n", nothing that could end the
  /// head.
  std::string field_lines() const;

  [[noreturn]] void fail(const std::string& expected) const;

 private:
  Napi::Value value_;
  std::string path_;
};

}  // namespace sluice::binding
