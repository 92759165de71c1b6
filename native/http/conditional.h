// Conditional requests (RFC 9110 §13): validators of a representation and the preconditions of a
// request, evaluated in the order of §13.2.2. Bytes only, any thread, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/request_head.h"

namespace sluice::http {

/// The validators of the selected representation.
struct Validators {
  std::string_view etag;         ///< with its quotes and, when weak, its W/ prefix; may be empty
  int64_t last_modified_s = -1;  ///< seconds since the epoch; -1: none
};

enum class Precondition : uint8_t { pass, not_modified, failed };

/// If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, in that order. Fields that do
/// not apply to the method or do not parse are ignored as the RFC says. `now_s` decides whether a
/// Last-Modified is strong enough (§8.8.2.2).
Precondition evaluate_preconditions(const RequestHead& head, const Validators& validators,
                                    int64_t now_s);

/// Whether a Range may be applied: no If-Range, or one that matches by strong comparison (§13.1.5).
bool if_range_matches(const RequestHead& head, const Validators& validators, int64_t now_s);

/// Weak comparison of two entity-tags, each with quotes and optional W/ (§8.8.3.2).
bool etag_weak_equal(std::string_view left, std::string_view right);

}  // namespace sluice::http
