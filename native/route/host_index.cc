// The table behind HostIndex: one hash map for exact names and, marked by their leading dot, for
// wildcards. Filled while a configuration is compiled.
#include "route/host_index.h"

namespace sluice::route {
namespace {

std::string_view key_of_pattern(std::string_view pattern) {
  return pattern.starts_with("*.") ? pattern.substr(1) : pattern;
}

}  // namespace

uint32_t HostIndex::of_pattern(std::string_view pattern) const {
  return pattern.empty() ? any_ : find(key_of_pattern(pattern));
}

void HostIndex::set(std::string_view pattern, uint32_t trie) {
  if (pattern.empty()) any_ = trie;
  else named_.insert_or_assign(std::string(key_of_pattern(pattern)), trie);
}

uint32_t HostIndex::find(std::string_view name) const {
  const auto found = named_.find(name);
  return found == named_.end() ? kNoTrie : found->second;
}

std::string_view HostIndex::normalised(std::string_view host, char* room) {
  if (host.ends_with('.')) host.remove_suffix(1);
  for (size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    room[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return {room, host.size()};
}

}  // namespace sluice::route
