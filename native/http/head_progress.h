// Decides whether a head that arrives in pieces is worth parsing again: without it a head sent byte
// by byte would cost the square of its length. Any thread, no state, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http {

/// For heads that have no target.
inline constexpr size_t kNoTargetLimit = SIZE_MAX / 2;

/// Whether the bytes of `input` from `seen` on can have changed the parser's answer, which was
/// need_more for the first `seen` bytes. Says yes a bounded number of times per head, but for bytes
/// that are an error wherever they stand. `target_limit` and `field_limit`: see HeadLimits.
bool worth_parsing(std::string_view input, size_t seen, size_t target_limit, size_t field_limit);

}  // namespace sluice::http
