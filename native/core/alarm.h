// A timer that calls its owner: every timer in a worker's wheel is one. The worker's thread only.
// Derive from it, or embed a class that does; the wheel never owns it.
#pragma once

#include "core/timer_wheel.h"

namespace sluice {

class Alarm : public Timer {
 public:
  /// The deadline has passed; the alarm is disarmed and may be set again.
  virtual void on_alarm() = 0;

 protected:
  ~Alarm() = default;
};

}  // namespace sluice
