// Recognises the field names that the gateway itself acts on; all others are opaque to it.
// Any thread, no allocation.
#pragma once

#include <string_view>

#include "http/request_head.h"

namespace sluice::http {

/// The id of `name`, whatever its case (RFC 9110 §5.1). `name` must be a token.
FieldId field_id(std::string_view name);

/// The lower-case name of a known field, for serialising. Not for FieldId::other.
std::string_view field_name(FieldId id);

}  // namespace sluice::http
