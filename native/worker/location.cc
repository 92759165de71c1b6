// Filling in a redirect's template. Every variable is a view of the request as received, which has
// no control characters (the parser refused them), so no value can add a line to the head.
#include "worker/location.h"

namespace sluice::worker {
namespace {

using Kind = route::LocationPart::Kind;

std::string_view value_of(const route::LocationPart& part, const http::RequestHead& head,
                          const route::Match& match) {
  switch (part.kind) {
    case Kind::literal: return part.text;
    case Kind::path: return head.path;
    case Kind::query: return head.query;
    case Kind::host: return head.host;
    case Kind::rest: return match.rest;
    case Kind::param: return match.params[part.param];
  }
  return {};
}

bool is_slash(char character) { return character == '/' || character == '\\'; }

/// Whether the template itself begins with "//": its author wants another host.
bool names_a_host(const route::RedirectAction& action) {
  return !action.location.empty() && action.location[0].kind == Kind::literal &&
         action.location[0].text.starts_with("//");
}

}  // namespace

std::string make_location(const route::RedirectAction& action, const http::RequestHead& head,
                          const route::Match& match) {
  std::string location;
  for (const route::LocationPart& part : action.location) {
    location.append(value_of(part, head, match));
  }
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
