// A redirect's template, filled in, and what must not come of it.
#include "worker/location.h"

namespace sluice::worker {
namespace {

bool is_slash(char character) { return character == '/' || character == '\\'; }

/// Whether the template itself begins with "//": its author wants another host.
bool names_a_host(const route::RedirectAction& action) {
  return !action.location.empty() &&
         action.location[0].kind == route::TemplatePart::Kind::literal &&
         action.location[0].text.starts_with("//");
}

}  // namespace

std::string make_location(const route::RedirectAction& action, const http::RequestHead& head,
                          const route::Match& match) {
  std::string location;
  route::fill_in(action.location, head, match, location);
  if (!names_a_host(action)) {
    size_t slashes = 0;
    while (slashes < location.size() && is_slash(location[slashes])) ++slashes;
    if (slashes > 1) location.replace(0, slashes, "/");
  }
  if (location.empty()) location = "/";  // "$rest" where nothing is left: the root, not this page
  if (action.keep_query) location.append(head.query);
  return location;
}

}  // namespace sluice::worker
