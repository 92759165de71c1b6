// Values made from a request: a Location, a rewritten path. A template is a list of parts, compiled
// once; filling it in copies views of the request as received, which has no control characters (the
// parser refused them), so no value can add a line to a head.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "http/request_head.h"
#include "route/route_table.h"

namespace sluice::route {

/// A piece of a value: literal text, or something of the request.
struct TemplatePart {
  enum class Kind : uint8_t { literal, path, query, host, rest, param };
  Kind kind = Kind::literal;
  std::string text;   ///< of a literal
  uint8_t param = 0;  ///< index into Match::params
};

using Template = std::vector<TemplatePart>;

/// Appends the value that `parts` have for this request.
void fill_in(const Template& parts, const http::RequestHead& head, const Match& match,
             std::string& out);

}  // namespace sluice::route
