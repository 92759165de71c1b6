// Merging changes to header fields: those of a hook come after those of its route. Any thread.
#include "route/hooks.h"

#include <algorithm>

#include "http/chars.h"

namespace sluice::route {
namespace {

bool is_removed(std::string_view name, const FieldEdits& edits) {
  return std::ranges::any_of(edits.removed, [name](const std::string& removed) {
    return http::equals_ignoring_case(name, removed);
  });
}

void merge(FieldEdits& into, const FieldEdits& more) {
  if (more.empty()) return;
  std::string added;
  append_without_removed(into.added, more, added);
  into.added = added.append(more.added);
  into.removed.insert(into.removed.end(), more.removed.begin(), more.removed.end());
}

}  // namespace

void append_without_removed(std::string_view lines, const FieldEdits& edits, std::string& out) {
  if (edits.removed.empty()) {
    out.append(lines);
    return;
  }
  while (!lines.empty()) {
    size_t end = lines.find("\r\n");
    end = end == std::string_view::npos ? lines.size() : end + 2;
    const std::string_view line = lines.substr(0, end);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_removed(line.substr(0, colon), edits)) {
      out.append(line);
    }
    lines.remove_prefix(end);
  }
}

ProxyAction with_edits(const ProxyAction& action, const FieldEdits& request,
                       const FieldEdits& response) {
  ProxyAction changed = action;
  merge(changed.request, request);
  merge(changed.response, response);
  return changed;
}

}  // namespace sluice::route
