// Reading what a relay that speaks HTTP says of itself. Bytes only.
#include "proxy/relay.h"

namespace sluice::proxy {

ErrorCode fault_in(const http::ResponseHead& head) {
  const std::string_view fault = head.find(kFaultField);
  if (fault.data() == nullptr) return ErrorCode::none;
  return relay_fault(fault.size() == 1 ? fault[0] - '0' : 0);
}

}  // namespace sluice::proxy
