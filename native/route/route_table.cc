// The table itself: hosts lead to trees of paths, leaves of those to routes by method.
// Allow lists are made ahead for every union of methods that a lookup can meet, so that a 405 is as
// free of allocation as a match.
#include "route/route_table.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "route/host_index.h"
#include "route/path_trie.h"
#include "route/pattern.h"

namespace sluice::route {
namespace {

/// Unions beyond it are not made ahead: Allow then names the methods of the most specific pattern.
constexpr size_t kMaxAllowLists = 4096;

bool too_many_segments(std::string_view path) {
  if (path.size() <= kMaxSegments) return false;
  return static_cast<size_t>(std::count(path.begin(), path.end(), '/')) > kMaxSegments;
}

}  // namespace

struct RouteTable::Impl {
  struct AllowList {
    uint64_t methods;
    std::vector<std::string_view> names;  // of method_names
  };
  struct Added {
    std::string key;
    std::vector<std::string> params;
  };

  MethodId method_id(std::string_view method) const {
    const auto found = std::find(method_names.begin(), method_names.end(), method);
    if (found == method_names.end()) return kOtherMethod;
    return static_cast<MethodId>(found - method_names.begin());
  }

  /// The number of a route's method, a new one if need be; kOtherMethod when there are too many.
  MethodId add_method(std::string_view method) {
    if (method.empty()) return kAnyMethod;
    const MethodId id = method_id(method);
    if (id != kOtherMethod || method_names.size() == kMaxMethods) return id;
    method_names.emplace_back(method);
    return static_cast<MethodId>(method_names.size() - 1);
  }

  PathTrie& trie_of(std::string_view host) {
    const uint32_t known = hosts.of_pattern(host);
    if (known != kNoTrie) return tries[known];
    hosts.set(host, static_cast<uint32_t>(tries.size()));
    return tries.emplace_back();
  }

  std::set<uint64_t> unions() const {
    std::set<uint64_t> all;
    for (const PathTrie& trie : tries) {
      trie.for_each_leaf([&](const Leaf& leaf) {
        if (!leaf.takes_any()) all.insert(leaf.methods());
      });
    }
    const std::vector<uint64_t> single(all.begin(), all.end());
    for (const uint64_t methods : single) {
      const std::vector<uint64_t> before(all.begin(), all.end());
      for (const uint64_t other : before) {
        if (all.size() == std::max(kMaxAllowLists, single.size())) return all;
        all.insert(methods | other);
      }
    }
    return all;
  }

  std::vector<std::string_view> names_of(uint64_t methods) const {
    std::vector<std::string_view> names;
    for (size_t id = 0; id < method_names.size(); ++id) {
      if ((methods >> id & 1) != 0) names.push_back(method_names[id]);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const std::vector<std::string_view>* allow_list(uint64_t methods) const {
    const auto found =
        std::lower_bound(allow.begin(), allow.end(), methods,
                         [](const AllowList& list, uint64_t m) { return list.methods < m; });
    return found != allow.end() && found->methods == methods ? &found->names : nullptr;
  }

  HostIndex hosts;
  std::vector<PathTrie> tries;
  std::vector<std::string> method_names{"GET", "HEAD"};
  std::vector<AllowList> allow;  // sorted
  std::unordered_map<uint32_t, Added> added;
};

RouteTable::RouteTable() : impl_(std::make_unique<Impl>()) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

AddResult RouteTable::add(uint32_t route, std::string_view method, std::string_view host,
                          std::string_view path) {
  std::string key = key_of(method, host, path);
  auto refused = [&](const std::string& why) { return AddResult{false, "'" + key + "': " + why}; };
  PathPattern pattern;
  for (const std::string& problem :
       {problem_of_method(method), problem_of_host(host), parse_path(path, pattern)}) {
    if (!problem.empty()) return refused(problem);
  }
  if (route == kNoRoute || impl_->added.contains(route)) return refused("its number is taken");
  const MethodId id = impl_->add_method(method);
  if (id == kOtherMethod) return refused("more than 64 different methods");
  Leaf& leaf = impl_->trie_of(host).leaf(pattern);
  const uint32_t same = leaf.exact(id);
  if (same != kNoRoute) {
    return refused("ties with '" + impl_->added.at(same).key + "': both take the same requests");
  }
  leaf.set(id, route);
  std::vector<std::string> params;
  for (Segment& segment : pattern.segments) {
    if (segment.is_param) params.push_back(std::move(segment.text));
  }
  impl_->added.emplace(route, Impl::Added{std::move(key), std::move(params)});
  return {};
}

void RouteTable::finish() {
  impl_->allow.clear();
  for (const uint64_t methods : impl_->unions()) {
    impl_->allow.push_back({methods, impl_->names_of(methods)});
  }
}

void RouteTable::match(std::string_view method, std::string_view host, std::string_view path,
                       Match& result) const {
  result.route = kNoRoute;
  result.rest = {};
  result.param_count = 0;
  result.allow = nullptr;
  if (path.empty() || path.front() != '/' || too_many_segments(path)) return;
  Search search{impl_->method_id(method), path, result};
  auto find_in = [&](uint32_t trie) { return impl_->tries[trie].find(search); };
  if (impl_->hosts.visit(host, find_in) || search.methods == 0) return;
  result.allow = impl_->allow_list(search.methods);
  if (result.allow == nullptr) result.allow = impl_->allow_list(search.first_methods);
}

const std::vector<std::string>& RouteTable::param_names(uint32_t route) const {
  static const std::vector<std::string> kNone;
  const auto found = impl_->added.find(route);
  return found == impl_->added.end() ? kNone : found->second.params;
}

}  // namespace sluice::route
