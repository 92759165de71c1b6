// One thread's event loop: epoll, tasks from other threads, a list of those who still have work.
// Everything but post() belongs to the loop's thread. It sleeps until something happens: with no
// timer armed it does not wake at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/mailbox.h"

namespace sluice::net {

/// Whoever has a descriptor in the loop. Must outlive the turn in which it removes itself.
class EventHandler {
 public:
  /// `events`: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~EventHandler() = default;
};

class EventLoop {
 public:
  using Task = std::function<void()>;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// 0, or -errno when the loop could not be made (no descriptors).
  int error() const { return error_; }

  /// Registers `fd`. 0 or -errno.
  int add(int fd, uint32_t events, EventHandler* handler);
  void remove(int fd);

  /// Runs `task` on the loop's thread in its next turn. Any thread; wakes the loop when it sleeps.
  void post(Task task);

  /// Waits at most `timeout_ms` (-1: until something happens), then dispatches tasks and events.
  void turn(int timeout_ms);

 private:
  void run_tasks();

  int epoll_ = -1;
  int wake_ = -1;
  int error_ = 0;
  Mailbox<Task> tasks_;
};

}  // namespace sluice::net
