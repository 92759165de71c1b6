// Content-Digest and Repr-Digest (RFC 9530) of a request: what its content is to hash to. Of the
// algorithms that a client may name, sha-256 is the one that is checked; others are ignored, as the
// RFC says. Bytes only, any thread.
#pragma once

#include "core/sha256.h"
#include "http/request_head.h"

namespace sluice::http {

enum class DigestCheck : uint8_t { none, found, malformed };

/// The sha-256 that the head promises. Both fields say the same of content without a coding; when
/// they do not, or one is no dictionary of byte sequences, it is malformed.
DigestCheck find_digest(const RequestHead& head, Sha256Digest& digest);

}  // namespace sluice::http
