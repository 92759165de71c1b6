// Filling in templates: one part after the other. Any thread; allocates for the result alone.
#include "route/template.h"

namespace sluice::route {
namespace {

std::string_view value_of(const TemplatePart& part, const http::RequestHead& head,
                          const Match& match) {
  using Kind = TemplatePart::Kind;
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

}  // namespace

void fill_in(const Template& parts, const http::RequestHead& head, const Match& match,
             std::string& out) {
  for (const TemplatePart& part : parts) out.append(value_of(part, head, match));
}

}  // namespace sluice::route
