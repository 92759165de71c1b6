// Reading what a relay that speaks HTTP says of itself. Bytes only.
#include "proxy/relay.h"

#include "http/chars.h"

namespace sluice::proxy {

ErrorCode fault_in(const http::ResponseHead& head) {
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (!http::equals_ignoring_case(field.name, kFaultField)) continue;
    return relay_fault(field.value.size() == 1 ? field.value[0] - '0' : 0);
  }
  return ErrorCode::none;
}

}  // namespace sluice::proxy
