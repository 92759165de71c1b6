// The route table: patterns compiled once, looked up without allocation, immutable while workers
// read it. The most specific pattern wins whatever the order in which they were added:
// exact host > longer '*.' host > any host; then segment by segment literal > :name > *;
// then the method named > any. A pattern that does not take the method does not hide one that does.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::route {

inline constexpr size_t kMaxParams = 16;     ///< parameters in one pattern
inline constexpr size_t kMaxSegments = 128;  ///< of a pattern or a request path; more: no route
inline constexpr size_t kMaxHost = 253;      ///< longer hosts have no routes of their own
inline constexpr uint32_t kNoRoute = UINT32_MAX;

struct Match {
  uint32_t route = kNoRoute;
  /// What the final '*' matched, as received, with its leading slash; empty without one or when the
  /// path ended before it ('/docs/*' on '/docs').
  std::string_view rest;
  /// Raw (undecoded) values of the pattern's parameters, in order.
  std::array<std::string_view, kMaxParams> params;
  uint8_t param_count = 0;
  /// When route is kNoRoute but the path is routed for other methods: those (405), else empty.
  std::vector<std::string_view> const* allow = nullptr;
};

/// What add() refuses, and why, for a message.
struct AddResult {
  bool ok = true;
  std::string problem;
};

class RouteTable {
 public:
  RouteTable();
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  /// `method` upper case or "" for any ("GET" also takes HEAD unless a HEAD pattern exists); `host`
  /// lower case, "" for any, or "*.example.com" (any number of labels before it, at least one);
  /// `path` as '/a/:name/*' with literal segments decoded. Refuses malformed and tying patterns.
  AddResult add(uint32_t route, std::string_view method, std::string_view host,
                std::string_view path);

  /// Call once after the last add(): precomputes the Allow lists.
  void finish();

  /// `host` without port, any case; `path` as received, beginning with '/', or "*". Segments are
  /// compared after percent-decoding (%2F stays inside its segment). Any thread, no allocation.
  void match(std::string_view method, std::string_view host, std::string_view path,
             Match& result) const;

  /// The names of a route's parameters, in the order of Match::params.
  const std::vector<std::string>& param_names(uint32_t route) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::route
