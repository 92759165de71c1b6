// The Accept field (RFC 9110 §12.5.1), as far as one question: which of two media types a client
// would rather have. Bytes only, any thread, no allocation.
#pragma once

#include <string_view>

namespace sluice::http {

/// Whether `accept`, the value of an Accept field, prefers `type` to `other` (both lower case, such
/// as "text/html"): by weight, and when that is equal, because it names `type` and not `other`.
/// False without a field (a null view).
bool prefers(std::string_view accept, std::string_view type, std::string_view other);

}  // namespace sluice::http
