// Who a request is really from, when the peer is a proxy that is trusted: what X-Forwarded-For
// says, walked from the right, past every trusted address. Bytes only.
#pragma once

#include <vector>

#include "core/address_counts.h"
#include "http/request_head.h"
#include "net/network.h"

namespace sluice::proxy {

bool is_trusted(const AddressKey& address, const std::vector<net::Network>& trusted);

/// `peer`, who is trusted, or whoever it and the proxies before it speak for. What is no address
/// ends the walk: nobody vouches for what stands before it.
AddressKey client_of(const http::RequestHead& head, const AddressKey& peer,
                     const std::vector<net::Network>& trusted);

}  // namespace sluice::proxy
