// The responses of one connection that have begun and are not out yet, with their records as far as
// they are made. The connection's output is one stream: each response lies in it from the first
// byte of its head to the last of its body, and is over when the socket has taken that. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "log/record_maker.h"

namespace sluice::log {

class Lines {
 public:
  struct Line {
    Begun text;
    uint64_t body_at = 0;  ///< in the stream, from where the socket had come
    uint64_t ends_at = 0;
    int64_t started_us = 0;
    std::string_view engine;
    uint16_t status = 0;
    ErrorCode error = ErrorCode::none;
  };

  bool empty() const { return next_ == lines_.size(); }
  Text& text() { return text_; }
  uint64_t taken() const { return taken_; }
  void add(const Line& line) { lines_.push_back(line); }

  /// The socket took `bytes` more: `over(line, begun, body_bytes)` for each response whose
  /// last one was among them.
  template <typename Over>
  void took(uint64_t bytes, Over&& over) {
    taken_ += bytes;
    while (!empty() && lines_[next_].ends_at <= taken_) pass(over);
    if (empty()) clear();
  }

  /// The stream ends here: the same for all that are left, with what went out of their bodies.
  template <typename Over>
  void cut_off(Over&& over) {
    while (!empty()) pass(over);
    clear();
  }

  /// Moves what is left to lines of its own, to be kept beyond the turn.
  Lines take_rest() {
    Lines rest;
    for (; next_ < lines_.size(); ++next_) {
      Line line = lines_[next_];
      const size_t begin = rest.text_.size();
      rest.text_.append(text_.part(line.text.begin, line.text.end));
      line.text = {begin, rest.text_.size()};
      rest.lines_.push_back(line);
    }
    rest.taken_ = taken_;
    clear();
    return rest;
  }

 private:
  template <typename Over>
  void pass(Over&& over) {
    const Line& line = lines_[next_++];
    const uint64_t out = std::min(taken_, line.ends_at);
    over(line, text_.part(line.text.begin, line.text.end),
         out > line.body_at ? out - line.body_at : 0);
  }

  void clear() {
    text_.clear();
    lines_.clear();
    next_ = 0;
    taken_ = 0;
  }

  Text text_;
  std::vector<Line> lines_;
  size_t next_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace sluice::log
