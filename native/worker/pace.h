// Judges how fast a client takes or sends a body: its progress is sampled twice in a period, and
// what it gained over a whole one is compared with the least that is allowed. Counting over a
// window, not from the beginning: a burst at first must not buy hours of a trickle. The first
// period and a half are its grace.
#pragma once

#include <cstdint>

namespace sluice::worker {

class Pace {
 public:
  enum class Verdict : uint8_t { fine, stalled, slow };

  bool has_begun() const { return begun_ms_ != 0; }
  void restart(int64_t now_ms) { *this = Pace(now_ms); }
  /// When the next sample is due.
  int64_t due_ms(int64_t period_ms) const { return begun_ms_ + (samples_ + 1) * period_ms / 2; }

  /// `bytes` is the progress so far, from any beginning; `least` bytes per second.
  Verdict sample(int64_t period_ms, uint64_t bytes, uint64_t least) {
    const uint64_t gained = bytes - older_;
    older_ = newer_;
    newer_ = bytes;
    if (++samples_ <= 2) return Verdict::fine;
    if (gained == 0) return Verdict::stalled;
    return gained * 1'000 < least * static_cast<uint64_t>(period_ms) ? Verdict::slow
                                                                     : Verdict::fine;
  }

  /// So long we kept the client waiting.
  void pause(int64_t ms) {
    if (has_begun()) begun_ms_ += ms;
  }

  Pace() = default;

 private:
  explicit Pace(int64_t now_ms) : begun_ms_(now_ms) {}

  int64_t begun_ms_ = 0;
  int64_t samples_ = 0;
  uint64_t older_ = 0, newer_ = 0;  ///< the last two samples
};

}  // namespace sluice::worker
