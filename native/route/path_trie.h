// The paths of one host as a tree of segments. Each node is reached by one sequence of literals and
// parameters, so a lookup that tries literal, then parameter, then '*' at every node meets the
// patterns from the most to the least specific and looks at no node twice. Immutable while workers
// read it; lookups allocate nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "route/pattern.h"
#include "route/route_table.h"

namespace sluice::route {

/// A method's number in one table. Those of GET and HEAD are fixed.
using MethodId = uint8_t;
inline constexpr MethodId kGet = 0;
inline constexpr MethodId kHead = 1;
inline constexpr MethodId kMaxMethods = 64;  ///< different ones named in one table
inline constexpr MethodId kAnyMethod = 0xfe;
inline constexpr MethodId kOtherMethod = 0xff;  ///< one that no route names

/// The routes of one pattern, by method.
class Leaf {
 public:
  /// The route that has this very method (or kAnyMethod), else kNoRoute.
  uint32_t exact(MethodId method) const;
  void set(MethodId method, uint32_t route);
  /// The route that takes a request: the method named, GET's for HEAD, then any.
  uint32_t route_for(MethodId method) const;
  /// A bit per method that is taken; GET's brings HEAD's.
  uint64_t methods() const { return methods_; }
  bool takes_any() const { return any_ != kNoRoute; }
  bool empty() const { return named_.empty() && !takes_any(); }

 private:
  struct Named {
    MethodId method;
    uint32_t route;
  };
  std::vector<Named> named_;
  uint32_t any_ = kNoRoute;
  uint64_t methods_ = 0;
};

/// One request's way through the trees of its hosts.
struct Search {
  MethodId method;
  std::string_view path;
  Match& match;
  uint64_t methods = 0;        ///< of all patterns that match but for the method
  uint64_t first_methods = 0;  ///< of the most specific of them
};

class PathTrie {
 public:
  PathTrie() : nodes_(1) {}

  /// The routes of `pattern`, made when there are none.
  Leaf& leaf(const PathPattern& pattern);
  /// Fills in search.match; false when no pattern takes the request.
  bool find(Search& search) const { return visit(0, 0, search); }

  template <typename Visit>
  void for_each_leaf(Visit visit) const {
    for (const Node& node : nodes_) {
      if (!node.end.empty()) visit(node.end);
      if (!node.rest.empty()) visit(node.rest);
    }
  }

 private:
  static constexpr uint32_t kNone = 0;  // the root is nobody's child

  struct Edge {
    std::string literal;
    uint32_t child;
  };
  struct Node {
    std::vector<Edge> literals;  // sorted
    uint32_t param = kNone;
    Leaf end;   // the pattern ends here
    Leaf rest;  // a final '*'
  };

  uint32_t add_node();
  uint32_t child_of(uint32_t node, const Segment& segment);
  uint32_t literal_child(const Node& node, std::string_view segment) const;
  bool visit(uint32_t index, size_t position, Search& search) const;
  static bool accept(const Leaf& leaf, std::string_view rest, Search& search);

  std::vector<Node> nodes_;
};

}  // namespace sluice::route
