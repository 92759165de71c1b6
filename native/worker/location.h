// The Location of a redirect route, made from its template and the request.
// Bytes only; the worker's thread.
#pragma once

#include <string>

#include "http/request_head.h"
#include "route/snapshot.h"

namespace sluice::worker {

/// Never leads to another site unless the template names one: a result that would begin with "//"
/// or
/// "/\" (which browsers read as another host) is reduced to one slash.
std::string make_location(const route::RedirectAction& action, const http::RequestHead& head,
                          const route::Match& match);

}  // namespace sluice::worker
