// One thread's event loop: epoll, tasks from other threads, a list of those who still have work.
// Everything but post() belongs to the loop's thread. It sleeps until something happens: with no
// timer armed it does not wake at all.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/limits.h"
#include "core/mailbox.h"
#include "net/socket_state.h"

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
  /// While the socket is deaf what arrives does not wake the loop; it counts as readable, since
  /// nobody is told. When it hears again, what has arrived meanwhile is an event.
  void set_deaf(SocketState& socket, bool is_deaf, EventHandler* handler);

  /// Runs `task` on the loop's thread in its next turn. Any thread; wakes the loop when it sleeps.
  void post(Task task);

  /// Waits at most `timeout_ms` (-1: until something happens). The caller then reads its clock and
  /// calls dispatch().
  void wait(int timeout_ms);
  /// Hands out the events that wait() found, then runs tasks.
  void dispatch();

 private:
  void run_tasks();

  int epoll_ = -1;
  int wake_ = -1;
  int error_ = 0;
  int ready_ = 0;  ///< events of the last wait()
  std::array<epoll_event, kEventsPerTurn> events_;
  Mailbox<Task> tasks_;
};

}  // namespace sluice::net
