// Writes records: the first half while the views into a request's head are valid, the second when
// it is known what became of it. Any thread; no allocation but growth of the text.
#pragma once

#include "core/limits.h"
#include "log/record.h"
#include "log/text.h"

namespace sluice::log {

/// The most that a record takes, its upstream included.
inline constexpr size_t kMostRecord = 8192;

/// And of that what end_record() may add.
inline constexpr size_t kMostUpstream = kLogHostBytes + Record::kAlignment;

/// Where a record lies that has no outcome yet.
struct Begun {
  size_t begin = 0, end = 0;
};

/// Appends the facts of `request` to `text`, long values cut. `wall_us`: its beginning, since the
/// epoch.
Begun begin_record(const Request& request, int64_t wall_us, Text& text);

/// Copies what begin_record() left to `out`, which is aligned and has room for kMostUpstream more,
/// and adds the outcome; returns the record's size.
size_t end_record(std::string_view begun, const Outcome& outcome, char* out);

}  // namespace sluice::log
