// Which trees of paths a host has: its own, those of the '*.' patterns that it falls under, longest
// first, and the one for any host. Immutable while workers read it; lookups allocate nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "route/route_table.h"

namespace sluice::route {

inline constexpr uint32_t kNoTrie = UINT32_MAX;

class HostIndex {
 public:
  /// The tree of a host pattern, kNoTrie when it is new.
  uint32_t of_pattern(std::string_view pattern) const;
  void set(std::string_view pattern, uint32_t trie);

  /// Calls visit(trie) from the most to the least specific until it returns true.
  template <typename Visit>
  bool visit(std::string_view host, Visit visit) const {
    if (!named_.empty() && host.size() <= kMaxHost + 1) {
      std::array<char, kMaxHost + 1> room;
      const std::string_view name = normalised(host, room.data());
      // A name that begins with a dot is not one, and would be a wildcard's key.
      const uint32_t own = name.starts_with('.') ? kNoTrie : find(name);
      if (own != kNoTrie && visit(own)) return true;
      for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
        // Wildcards are kept with their dot; at least one character stands before it.
        const uint32_t trie = dot > 0 ? find(name.substr(dot)) : kNoTrie;
        if (trie != kNoTrie && visit(trie)) return true;
      }
    }
    return any_ != kNoTrie && visit(any_);
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  uint32_t find(std::string_view name) const;
  /// Lower case, without the dot that may end a fully qualified name.
  static std::string_view normalised(std::string_view host, char* room);

  /// "example.com", and ".example.com" for '*.example.com'.
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> named_;
  uint32_t any_ = kNoTrie;
};

}  // namespace sluice::route
