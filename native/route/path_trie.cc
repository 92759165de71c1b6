// Building and searching the tree. Segments of requests arrive percent-encoded and are compared
// with decoded literals byte by byte, without a copy; %2F decodes to a byte that no literal has, so
// it never splits or joins segments.
#include "route/path_trie.h"

#include <algorithm>

namespace sluice::route {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The decoded byte at `position`, which moves past it. A '%' without two hex digits is itself.
unsigned char next_byte(std::string_view raw, size_t& position) {
  const char c = raw[position++];
  if (c != '%' || position + 2 > raw.size()) return static_cast<unsigned char>(c);
  const int high = hex_value(raw[position]);
  const int low = hex_value(raw[position + 1]);
  if (high < 0 || low < 0) return static_cast<unsigned char>(c);
  position += 2;
  return static_cast<unsigned char>(high * 16 + low);
}

/// Like raw.compare(literal), with `raw` decoded on the way.
int compare_decoded(std::string_view raw, std::string_view literal) {
  size_t position = 0;
  for (const char c : literal) {
    if (position == raw.size()) return -1;
    const int difference = next_byte(raw, position) - static_cast<unsigned char>(c);
    if (difference != 0) return difference;
  }
  return position == raw.size() ? 0 : 1;
}

}  // namespace

uint32_t Leaf::exact(MethodId method) const {
  if (method == kAnyMethod) return any_;
  for (const Named& named : named_) {
    if (named.method == method) return named.route;
  }
  return kNoRoute;
}

void Leaf::set(MethodId method, uint32_t route) {
  if (method == kAnyMethod) {
    any_ = route;
    return;
  }
  named_.push_back({method, route});
  methods_ |= uint64_t{1} << method;
  if (method == kGet) methods_ |= uint64_t{1} << kHead;
}

uint32_t Leaf::route_for(MethodId method) const {
  const uint32_t named = exact(method);
  if (named != kNoRoute) return named;
  const uint32_t get = method == kHead ? exact(kGet) : kNoRoute;
  return get != kNoRoute ? get : any_;
}

uint32_t PathTrie::add_node() {
  nodes_.emplace_back();
  return static_cast<uint32_t>(nodes_.size() - 1);
}

uint32_t PathTrie::child_of(uint32_t node, const Segment& segment) {
  if (segment.is_param) {
    const uint32_t child = nodes_[node].param != kNone ? nodes_[node].param : add_node();
    return nodes_[node].param = child;
  }
  auto by_text = [](const Edge& edge, const std::string& text) { return edge.literal < text; };
  const auto& edges = nodes_[node].literals;
  const auto found = std::lower_bound(edges.begin(), edges.end(), segment.text, by_text);
  if (found != edges.end() && found->literal == segment.text) return found->child;
  const auto at = found - edges.begin();
  const uint32_t child = add_node();
  auto& grown = nodes_[node].literals;
  grown.insert(grown.begin() + at, {segment.text, child});
  return child;
}

Leaf& PathTrie::leaf(const PathPattern& pattern) {
  uint32_t node = 0;
  for (const Segment& segment : pattern.segments) node = child_of(node, segment);
  return pattern.rest ? nodes_[node].rest : nodes_[node].end;
}

uint32_t PathTrie::literal_child(const Node& node, std::string_view segment) const {
  const bool plain = segment.find('%') == segment.npos;
  auto compare = [&](const std::string& literal) {
    return plain ? segment.compare(literal) : compare_decoded(segment, literal);
  };
  const auto& edges = node.literals;
  const auto found = std::partition_point(
      edges.begin(), edges.end(), [&](const Edge& edge) { return compare(edge.literal) > 0; });
  return found != edges.end() && compare(found->literal) == 0 ? found->child : kNone;
}

bool PathTrie::accept(const Leaf& leaf, std::string_view rest, Search& search) {
  if (leaf.empty()) return false;
  const uint32_t route = leaf.route_for(search.method);
  if (route == kNoRoute) {
    if (search.methods == 0) search.first_methods = leaf.methods();
    search.methods |= leaf.methods();
    return false;
  }
  search.match.route = route;
  search.match.rest = rest;
  return true;
}

/// `position` is that of the '/' before the next segment, or the end of the path.
bool PathTrie::visit(uint32_t index, size_t position, Search& search) const {
  const Node& node = nodes_[index];
  const std::string_view rest = search.path.substr(position);
  if (rest.empty()) return accept(node.end, rest, search) || accept(node.rest, rest, search);
  const size_t next = std::min(search.path.find('/', position + 1), search.path.size());
  const std::string_view segment = search.path.substr(position + 1, next - position - 1);
  if (!node.literals.empty()) {
    const uint32_t child = literal_child(node, segment);
    if (child != kNone && visit(child, next, search)) return true;
  }
  if (node.param != kNone && !segment.empty()) {
    Match& match = search.match;
    match.params[match.param_count++] = segment;
    if (visit(node.param, next, search)) return true;
    --match.param_count;
  }
  return accept(node.rest, rest, search);
}

}  // namespace sluice::route
