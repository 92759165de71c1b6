// The access log of one worker: makes records, gathers them in blocks and hands these to the thread
// that writes them. The worker's thread only. Never waits and never allocates for a request: when
// every block is on its way, lines are dropped and counted.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/alarm.h"
#include "core/counter.h"
#include "log/lines.h"
#include "log/record_maker.h"
#include "log/writer.h"

namespace sluice::log {

class AccessLog final : public Alarm {
 public:
  /// All of them outlive it.
  AccessLog(const Settings& settings, Writer& writer, TimerWheel& wheel, uint32_t worker);

  /// Both clocks at one moment; again whenever the second has changed.
  void set_clock(int64_t wall_us, int64_t now_us) { wall_offset_us_ = wall_us - now_us; }

  /// Whether a request with this answer is logged: all of them, or a share (0: no answer).
  bool wants(uint16_t status) {
    const uint32_t share = shares_[status / 100];
    return share == UINT32_MAX || next_random() < share;
  }

  /// The first half of a record, into `text`, while the views in `request` are valid.
  Begun begin(const Request& request, Text& text) {
    return begin_record(request, request.started_us + wall_offset_us_, text);
  }
  /// The whole record, from what begin() left. Once per request.
  void end(std::string_view begun, const Outcome& outcome);
  /// A request that got no answer.
  void log(const Request& request, const Outcome& outcome);

  /// Responses of the connection that has its turn; empty between turns.
  Lines& staged() { return staged_; }

  /// Hands over what there is, now: at the end of the worker.
  void flush();
  void on_alarm() override { flush(); }

  uint64_t dropped() const { return dropped_.get(); }

 private:
  bool has_room(size_t bytes, int64_t now_us);
  void hand_over();
  uint32_t next_random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    return random_;
  }

  Writer& writer_;
  TimerWheel& wheel_;
  const uint32_t worker_;
  std::array<uint32_t, 6> shares_;  ///< of 2^32 - 1, by status / 100
  int64_t wall_offset_us_ = 0;
  uint32_t random_;
  Lines staged_;
  Text alone_;  ///< of log()
  Block* block_ = nullptr;
  size_t waiting_ = 0;  ///< blocks that were handed over since the writer was woken
  Counter dropped_;
};

}  // namespace sluice::log
