// What an answer of an upstream may ask the gateway to do in its stead: to send a file. An
// application names it in X-Accel-Redirect where the route allows that; a handler in a field that
// carries the gateway's secret. Bytes only; what is taken out of the head is copied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/response_parser.h"
#include "route/upstream.h"

namespace sluice::proxy {

struct Instruction {
  uint16_t status = 200;
  std::string path;     ///< beneath the root, with its leading slash; percent-encoded
  bool is_path = true;  ///< false: what was named cannot be beneath the root
  std::string fields;   ///< "Name: value\r\n" lines for the client
  std::string pending;  ///< interim heads that go out first
};

/// The value of the field that `rule` names, behind its secret; a null view: there is none.
std::string_view instruction_in(const http::ResponseHead& head, const route::FileInstruction& rule);

/// Reads what instruction_in() found. `extra_fields`: lines that are added, as in ResponseShape.
void read_instruction(const http::ResponseHead& head, const route::ProxyAction& action,
                      std::string_view value, std::string_view extra_fields, Instruction& out);

}  // namespace sluice::proxy
