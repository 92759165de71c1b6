// Which fields of a message end with this hop (RFC 9110 §7.6.1): connection-specific ones, and
// those that Connection names. Made once per head; usual heads name nothing, and cost one load a
// field. Bytes only, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "http/request_head.h"

namespace sluice::http {

struct ResponseHead;

class HopByHop {
 public:
  /// Framing, Connection and Upgrade are written anew by whoever forwards.
  explicit HopByHop(const RequestHead& head);
  explicit HopByHop(const ResponseHead& head);

  /// Whether `field` passes.
  bool forwards(const Field& field) const;

 private:
  template <typename Head>
  void collect(const Head& head);
  void add_options(std::string_view connection);
  bool is_named(std::string_view name) const;

  /// Nobody names more; who does has the Connection fields read again for every field.
  static constexpr size_t kMaxNamed = 16;
  std::array<std::string_view, kMaxNamed> named_;
  size_t named_count_ = 0;
  std::span<const Field> fields_;
  bool has_more_ = false;
};

/// Whether a comma-separated list has `token` (lower case), whatever its case.
bool has_list_token(std::string_view list, std::string_view token);

}  // namespace sluice::http
