// What a route key says, checked and taken apart: method, host, and the segments of its path.
// Used while a configuration is compiled, never per request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::route {

struct Segment {
  bool is_param = false;
  std::string text;  ///< the literal, decoded, or the parameter's name
};

struct PathPattern {
  std::vector<Segment> segments;
  bool rest = false;  ///< it ends in '*'
};

/// Takes `path` apart. Returns what is wrong with it, "" when nothing is.
std::string parse_path(std::string_view path, PathPattern& pattern);

/// What is wrong with a method ("" is any) or a host ("" is any), "" when nothing is.
std::string problem_of_method(std::string_view method);
std::string problem_of_host(std::string_view host);

/// "GET example.com/a/*", as a user would write it.
std::string key_of(std::string_view method, std::string_view host, std::string_view path);

}  // namespace sluice::route
