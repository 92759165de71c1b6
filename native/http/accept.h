// What a client would rather have: of two media types (Accept, RFC 9110 §12.5.1), and of content
// codings (Accept-Encoding, §12.5.3). Bytes only, any thread, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/request_head.h"

namespace sluice::http {

/// Whether `accept`, the value of an Accept field, prefers `type` to `other` (both lower case, such
/// as "text/html"): by weight, and when that is equal, because it names `type` and not `other`.
/// False without a field (a null view).
bool prefers(std::string_view accept, std::string_view type, std::string_view other);

/// The content codings that a file can be held in (RFC 9110 §8.4.1).
enum class Coding : uint8_t { identity, gzip, zstd, brotli };
inline constexpr size_t kCodings = 4;

/// "br" for Coding::brotli, as Content-Encoding says it.
std::string_view coding_name(Coding coding);

/// How a client takes each coding, in thousandths; 0: not at all, or without having said so.
class CodingWeights {
 public:
  /// By all Accept-Encoding fields of `head` together. Without one, nothing but identity.
  explicit CodingWeights(const RequestHead& head);

  /// Whether it would rather have `coding` than the bytes as they are. Also when it refuses both:
  /// then nobody is served by an error (§12.5.3).
  bool wants(Coding coding) const { return of(coding) > 0 && of(coding) >= of(Coding::identity); }
  int of(Coding coding) const { return weights_[static_cast<size_t>(coding)]; }

 private:
  std::array<int16_t, kCodings> weights_{};
};

}  // namespace sluice::http
