// Checks of route keys. The messages are for whoever wrote the configuration; TypeScript has
// checked before, this is the check that safety rests on.
#include "route/pattern.h"

#include <algorithm>

#include "route/route_table.h"

namespace sluice::route {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_param_name(std::string_view name) {
  if (name.empty() || is_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; });
}

bool has_param(const PathPattern& pattern, std::string_view name) {
  return std::any_of(pattern.segments.begin(), pattern.segments.end(),
                     [&](const Segment& s) { return s.is_param && s.text == name; });
}

size_t param_count(const PathPattern& pattern) {
  return static_cast<size_t>(std::count_if(pattern.segments.begin(), pattern.segments.end(),
                                           [](const Segment& s) { return s.is_param; }));
}

std::string add_param(std::string_view name, PathPattern& pattern) {
  const std::string shown = "':" + std::string(name) + "'";
  if (!is_param_name(name)) return shown + " is no parameter: letters, digits and _ after the ':'";
  if (has_param(pattern, name)) return shown + " stands there twice";
  if (param_count(pattern) == kMaxParams) {
    return "more than " + std::to_string(kMaxParams) + " parameters";
  }
  pattern.segments.push_back({true, std::string(name)});
  return "";
}

std::string add_literal(std::string_view text, bool last, PathPattern& pattern) {
  if (text.empty() && !last) return "an empty segment ('//')";
  if (text == "." || text == "..")
    return "requests with dot segments are refused, so none can match";
  if (text.find('*') != text.npos) return "'*' has to be the whole last segment";
  if (text.find('\0') != text.npos) return "a NUL";
  pattern.segments.push_back({false, std::string(text)});
  return "";
}

bool is_token_char(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return is_upper(c) || is_digit(c) || kMarks.find(c) != kMarks.npos;
}

bool is_host_char(char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; }

}  // namespace

std::string parse_path(std::string_view path, PathPattern& pattern) {
  pattern = {};
  if (path.empty() || path.front() != '/') return "a path begins with '/'";
  for (size_t begin = 1;;) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view text = path.substr(begin, end - begin);
    const bool last = end == path.size();
    if (last && text == "*") {
      pattern.rest = true;
      return "";
    }
    const bool param = !text.empty() && text.front() == ':';
    std::string problem =
        param ? add_param(text.substr(1), pattern) : add_literal(text, last, pattern);
    if (!problem.empty()) return problem;
    if (pattern.segments.size() > kMaxSegments) {
      return "more than " + std::to_string(kMaxSegments) + " segments";
    }
    if (last) return "";
    begin = end + 1;
  }
}

std::string problem_of_method(std::string_view method) {
  const bool ok = std::all_of(method.begin(), method.end(), is_token_char);
  return ok ? "" : "'" + std::string(method) + "' is no method (upper-case letters)";
}

std::string problem_of_host(std::string_view host) {
  if (host.empty()) return "";
  const std::string shown = "'" + std::string(host) + "'";
  if (host.size() > kMaxHost) return shown + " is too long for a host";
  if (host.front() == '[' && host.back() == ']') return "";  // an IPv6 address, compared as text
  if (host.starts_with("*.")) host.remove_prefix(2);
  size_t label = 0;
  for (const char c : host) {
    if (c == '.' ? label == 0 : !is_host_char(c)) {
      return shown + " is no host: lower case, without port, '*.' only in front";
    }
    label = c == '.' ? 0 : label + 1;
  }
  return label > 0 ? "" : shown + " ends in a dot or is empty";
}

std::string key_of(std::string_view method, std::string_view host, std::string_view path) {
  std::string key(method);
  if (!key.empty()) key += ' ';
  return key.append(host).append(path);
}

}  // namespace sluice::route
