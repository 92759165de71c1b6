// One listening socket of one worker: accepts a bounded number of connections a turn, pauses when
// descriptors have run out or the worker is full, refuses addresses that have too many. The
// worker's thread only. Owns the socket once it has started.
#pragma once

#include "core/alarm.h"
#include "net/event_loop.h"

namespace sluice::worker {

class Worker;

class Acceptor final : public net::EventHandler, public Alarm {
 public:
  /// `listener` is its number.
  Acceptor(Worker& worker, int fd, uint16_t listener)
      : worker_(worker), fd_(fd), listener_(listener) {}

  uint16_t listener() const { return listener_; }
  /// Begins or goes on accepting.
  void resume();
  /// Takes what the kernel has queued already, then closes the socket.
  void stop();
  /// Closes the socket, whoever is queued there.
  void close();
  void on_events(uint32_t events) override;
  void on_alarm() override { resume(); }

 private:
  void pause();
  void out_of_descriptors(int error);
  bool accept_one();

  Worker& worker_;
  const int fd_;
  const uint16_t listener_;
  bool listening_ = false;
  bool stopped_ = false;
  int64_t quiet_until_ms_ = 0;  ///< a shortage that lasts, or comes and goes, is logged once
};

}  // namespace sluice::worker
