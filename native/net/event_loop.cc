// epoll with an eventfd for tasks. The eventfd is level-triggered and read before the tasks are
// taken, so that a task posted in between wakes the loop once more instead of never.
#include "net/event_loop.h"

#include <sys/eventfd.h>

#include "net/sys.h"

namespace sluice::net {

EventLoop::EventLoop() {
  epoll_ = sys::epoll_create1(EPOLL_CLOEXEC);
  wake_ = sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0) error_ = epoll_;
  if (wake_ < 0) error_ = wake_;
  if (error_ == 0) error_ = add(wake_, EPOLLIN, nullptr);
}

EventLoop::~EventLoop() {
  if (wake_ >= 0) sys::close(wake_);
  if (epoll_ >= 0) sys::close(epoll_);
}

int EventLoop::add(int fd, uint32_t events, EventHandler* handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = handler;
  return sys::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void EventLoop::remove(int fd) { sys::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::set_deaf(SocketState& socket, bool is_deaf, EventHandler* handler) {
  if (socket.is_deaf == is_deaf) return;
  socket.is_deaf = is_deaf;
  if (is_deaf) socket.readable = true;
  epoll_event event{};
  event.events = is_deaf ? kDeafEvents : kSocketEvents;
  event.data.ptr = handler;
  sys::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket.fd, &event);
}

void EventLoop::post(Task task) {
  if (!tasks_.push(std::move(task))) return;
  uint64_t one = 1;
  sys::write(wake_, &one, sizeof one);
}

void EventLoop::run_tasks() {
  uint64_t count;
  sys::read(wake_, &count, sizeof count);
  for (Task& task : tasks_.take_all()) task();
}

void EventLoop::wait(int timeout_ms) {
  ready_ = sys::epoll_wait(epoll_, events_.data(), kEventsPerTurn, timeout_ms);
}

void EventLoop::dispatch() {
  bool woken = false;
  for (int i = 0; i < ready_; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    auto* handler = static_cast<EventHandler*>(event.data.ptr);
    if (handler == nullptr) {
      woken = true;  // after the events: a task may free what a later event points at
    } else {
      handler->on_events(event.events);
    }
  }
  ready_ = 0;
  if (woken) run_tasks();
}

}  // namespace sluice::net
