// The boundaries. An event stream ends lines at CR, LF or both (WHATWG HTML §9.2.6); a '\n' that
// comes after its '\r' was cut off is the beginning of the next piece, where it is an empty line.
#include "transfer/piece_cutter.h"

#include <algorithm>
#include <charconv>

namespace sluice::transfer {
namespace {

/// Of a line that says `id` or `retry`; a longer one is not remembered.
constexpr size_t kFieldBytes = 1024;

}  // namespace

void PieceCutter::take(std::string_view bytes, const Emit& emit) {
  if (bytes.empty()) return;
  switch (cut_) {
    case Cut::event: return take_events(bytes, emit);
    case Cut::line: return take_lines(bytes, emit);
    case Cut::marker: return take_marked(bytes, emit);
    case Cut::bytes: return emit({bytes, true, true, {}});
  }
}

void PieceCutter::finish(const Emit& emit) {
  if (!held_.empty()) end_piece({}, emit);
  restart();
}

void PieceCutter::restart() {
  held_.clear();
  field_.clear();
  event_id_.clear();
  has_event_id_ = false;
  is_within_ = false;
  is_line_empty_ = true;
  was_return_ = false;
}

/// `bytes` are the end of the piece under way.
void PieceCutter::end_piece(std::string_view bytes, const Emit& emit) {
  const std::string_view id = has_event_id_ ? std::string_view(event_id_) : std::string_view();
  if (held_.empty()) {
    emit({bytes, !is_within_, true, id});
  } else {
    held_.append(bytes);
    emit({held_, !is_within_, true, id});
    held_.clear();
  }
  is_within_ = false;
}

/// `bytes` belong to the piece under way, whose end has not come.
void PieceCutter::hold(std::string_view bytes, const Emit& emit) {
  held_.append(bytes);
  if (held_.size() <= whole_bytes_) return;
  emit({held_, !is_within_, false, {}});
  is_within_ = true;
  held_.clear();
}

void PieceCutter::take_lines(std::string_view bytes, const Emit& emit) {
  for (;;) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) break;
    end_piece(bytes.substr(0, end + 1), emit);
    bytes.remove_prefix(end + 1);
  }
  if (!bytes.empty()) hold(bytes, emit);
}

void PieceCutter::take_events(std::string_view bytes, const Emit& emit) {
  size_t begin = 0, at = 0;
  if (was_return_ && bytes[0] == '\n') at = 1;
  was_return_ = false;
  while (at < bytes.size()) {
    const size_t end = std::min(bytes.find_first_of("\r\n", at), bytes.size());
    if (end > at) {
      note_field(bytes.substr(at, end - at));
      is_line_empty_ = false;
    }
    if (end == bytes.size()) break;
    at = end + 1;
    if (bytes[end] == '\r') {
      was_return_ = at == bytes.size();
      if (!was_return_ && bytes[at] == '\n') ++at;
    }
    if (!is_line_empty_) {
      end_line();
      continue;
    }
    end_piece(bytes.substr(begin, at - begin), emit);
    end_event();
    begin = at;
  }
  if (begin < bytes.size()) hold(bytes.substr(begin), emit);
}

void PieceCutter::note_field(std::string_view bytes) {
  const char first = is_line_empty_ ? bytes[0] : field_.empty() ? '\0' : field_[0];
  if ((first != 'i' && first != 'r') || field_.size() > kFieldBytes) return;
  field_.append(bytes.substr(0, kFieldBytes + 1 - field_.size()));
}

void PieceCutter::end_line() {
  is_line_empty_ = true;
  if (field_.empty()) return;
  const std::string_view line = field_;
  const size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  const bool is_whole = line.size() <= kFieldBytes;
  if (is_whole && name == "id" && value.find('\0') == std::string_view::npos) {
    event_id_ = value;
    has_event_id_ = true;
  } else if (is_whole && name == "retry") {
    uint32_t ms = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ms);
    if (error == std::errc() && end == value.data() + value.size()) retry_ms_ = ms;
  }
  field_.clear();
}

void PieceCutter::end_event() {
  if (has_event_id_) last_id_ = event_id_;
  has_event_id_ = false;
}

/// How many of the last bytes may be the beginning of a marker.
size_t PieceCutter::begun_marker(std::string_view bytes) const {
  for (size_t size = std::min(bytes.size(), marker_.size() - 1); size > 0; --size) {
    if (bytes.ends_with(std::string_view(marker_).substr(0, size))) return size;
  }
  return 0;
}

/// What comes goes on at once, but for what may be a marker's beginning.
void PieceCutter::take_marked(std::string_view bytes, const Emit& emit) {
  std::string joined;
  if (!held_.empty()) {
    joined = std::move(held_);
    joined.append(bytes);
    bytes = joined;
    held_.clear();
  }
  for (;;) {
    // The marker that a piece begins with is its own.
    const bool is_own = !is_within_ && bytes.starts_with(marker_);
    const size_t next = bytes.find(marker_, is_own ? marker_.size() : 0);
    if (next == std::string_view::npos) break;
    if (next > 0) emit({bytes.substr(0, next), !is_within_, true, {}});
    is_within_ = false;
    bytes.remove_prefix(next);
  }
  // Behind its own marker the next one may begin.
  const size_t own = !is_within_ && bytes.starts_with(marker_) ? marker_.size() : 0;
  const size_t begun = begun_marker(bytes.substr(own));
  const std::string_view goes = bytes.substr(0, bytes.size() - begun);
  if (!goes.empty()) {
    emit({goes, !is_within_, false, {}});
    is_within_ = true;
  }
  held_.assign(bytes.substr(goes.size()));
}

}  // namespace sluice::transfer
