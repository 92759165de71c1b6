// Cuts a stream into pieces that a reader can begin with: server-sent events, lines, what begins
// with a marker, or whatever came at once. Bytes stay as they are and none is lost; a piece that is
// very long goes on in parts, so that what is held here has a bound. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "route/channel.h"

namespace sluice::transfer {

using route::Cut;

class PieceCutter {
 public:
  /// One piece, or a part of one.
  struct Part {
    std::string_view bytes;  ///< valid until the callback returns
    bool begins = true;      ///< a piece begins with it
    bool ends = true;        ///< and ends; before a marker nobody knows
    std::string_view id;     ///< of the event, where it has one
  };
  using Emit = std::function<void(const Part&)>;

  /// Events and lines up to `whole_bytes` are held until they are whole. `marker` is not empty
  /// where it cuts.
  PieceCutter(Cut cut, std::string marker, size_t whole_bytes)
      : cut_(cut), marker_(std::move(marker)), whole_bytes_(whole_bytes) {}

  void take(std::string_view bytes, const Emit& emit);
  /// The stream has ended as it should: what is held is the last piece.
  void finish(const Emit& emit);
  /// Another stream begins. What was not whole is nobody's; the id of the last event stays.
  void restart();

  /// Of the last whole event that had one (or "", which takes it back).
  const std::string& last_id() const { return last_id_; }
  /// What the stream asked for, in milliseconds; -1: nothing.
  int64_t retry_ms() const { return retry_ms_; }

 private:
  void take_events(std::string_view bytes, const Emit& emit);
  void take_lines(std::string_view bytes, const Emit& emit);
  void take_marked(std::string_view bytes, const Emit& emit);
  void end_piece(std::string_view bytes, const Emit& emit);
  void hold(std::string_view bytes, const Emit& emit);
  void note_field(std::string_view bytes);
  void end_line();
  void end_event();
  size_t begun_marker(std::string_view bytes) const;

  Cut cut_;
  std::string marker_;
  size_t whole_bytes_;
  std::string held_;           ///< of the piece that is not whole; where a marker may have begun
  bool is_within_ = false;     ///< a part of the piece has gone out
  bool is_line_empty_ = true;  ///< nothing of the line has come
  bool was_return_ = false;    ///< the last byte was '\r': a '\n' belongs to it
  std::string field_;          ///< the line, as far as it may be `id` or `retry`
  std::string event_id_;       ///< of the event under way
  bool has_event_id_ = false;
  std::string last_id_;
  int64_t retry_ms_ = -1;
};

}  // namespace sluice::transfer
