// Looks only at the bytes that are new; but when one of them ends a line, it counts the lines
// before them, with memchr and at most once per field: less than receiving those bytes costs.
#include "http/head_progress.h"

#include <cassert>

#include "http/request_line.h"
#include "http/scan.h"

namespace sluice::http {
namespace {

/// Calls that start within this much of a head always parse: the method is judged here.
constexpr size_t kEagerBytes = kMaxMethodBytes + 4;

enum class Arrival {
  part_of_line,
  line,    ///< at least one line ended
  decided  ///< the head is complete, or has a byte that no head may hold
};

/// Whether the target passed its limit between `seen` and now.
bool target_outgrown(std::string_view input, size_t seen, size_t target_limit) {
  const size_t method_end = input.substr(0, kEagerBytes).find(' ');
  if (method_end == std::string_view::npos) return false;
  const size_t longest = method_end + 1 + target_limit;
  return seen <= longest && input.size() > longest;
}

Arrival look_at_new_bytes(std::string_view input, size_t seen) {
  const char* const end = input.data() + input.size();
  // The CR of a line end may have been the last byte of the earlier piece.
  const char* at = input.data() + (input[seen - 1] == '\r' ? seen - 1 : seen);
  Arrival arrival = Arrival::part_of_line;
  while ((at = skip_field_content(at, end)) != end) {
    if (*at != '\r') return Arrival::decided;
    if (end - at < 2) break;
    if (at[1] != '\n' || at[-1] == '\n') return Arrival::decided;
    arrival = Arrival::line;
    at += 2;
  }
  return arrival;
}

size_t count_lines(std::string_view text, size_t at_most) {
  size_t lines = 0;
  while (lines < at_most) {
    const size_t newline = text.find('\n');
    if (newline == std::string_view::npos) break;
    ++lines;
    text.remove_prefix(newline + 1);
  }
  return lines;
}

}  // namespace

bool worth_parsing(std::string_view input, size_t seen, size_t target_limit, size_t field_limit) {
  assert(seen <= input.size());
  if (seen < kEagerBytes) return true;
  if (target_outgrown(input, seen, target_limit)) return true;
  const Arrival arrival = look_at_new_bytes(input, seen);
  if (arrival != Arrival::line) return arrival == Arrival::decided;
  // Before the second line end the request line may just have been completed: an empty line may
  // stand before it. More lines than these are one field too many.
  const size_t most = field_limit + 1;
  return count_lines(input.substr(0, seen), 2) < 2 || count_lines(input, most + 1) > most;
}

}  // namespace sluice::http
