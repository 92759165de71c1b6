// A timer of a worker's wheel that calls its owner. The worker's thread only.
#pragma once

#include "core/timer_wheel.h"

namespace sluice::worker {

class Alarm : public Timer {
 public:
  /// The deadline has passed; the alarm is disarmed and may be set again.
  virtual void on_alarm() = 0;

 protected:
  ~Alarm() = default;
};

}  // namespace sluice::worker
