// Accepting. Level-triggered, so that a queue that is longer than one turn's share is seen again.
#include "worker/acceptor.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/limits.h"
#include "net/sys.h"
#include "worker/worker.h"

namespace sluice::worker {

void Acceptor::resume() {
  if (listening_ || stopped_) return;
  // EPOLLEXCLUSIVE: a unix socket is shared by the workers, and one connection should wake one.
  listening_ = worker_.loop().add(fd_, EPOLLIN | EPOLLEXCLUSIVE, this) == 0;
  if (!listening_) worker_.wheel().set(*this, worker_.now_ms() + kAcceptPauseMs);
}

void Acceptor::pause() {
  if (listening_) worker_.loop().remove(fd_);
  listening_ = false;
}

void Acceptor::stop() {
  if (stopped_) return;
  worker_.wheel().cancel(*this);
  for (unsigned i = 0; i < kBacklogTaken && worker_.has_room(listener_) && accept_one(); ++i) {
  }
  close();
}

void Acceptor::close() {
  if (stopped_) return;
  worker_.wheel().cancel(*this);
  pause();
  stopped_ = true;
  sys::close(fd_);
}

void Acceptor::on_events(uint32_t) {
  for (unsigned i = 0; i < kTurnAccepts && listening_; ++i) {
    if (!worker_.has_room(listener_)) {
      pause();
      worker_.wheel().set(*this, worker_.now_ms() + kAcceptPauseMs);
      return;
    }
    if (!accept_one()) return;
  }
}

/// False when there is nothing more to accept now.
bool Acceptor::accept_one() {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  int fd = sys::accept4(fd_, reinterpret_cast<sockaddr*>(&address), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    worker_.accept(fd, address, listener_);
    return true;
  }
  if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) out_of_descriptors(fd);
  return fd == -ECONNABORTED;
}

void Acceptor::out_of_descriptors(int error) {
  if (!stopped_) {
    pause();
    worker_.wheel().set(*this, worker_.now_ms() + kAcceptPauseMs);
  }
  worker_.stats().errors[static_cast<size_t>(ErrorCode::out_of_descriptors)].add();
  bool is_known = worker_.now_ms() < quiet_until_ms_;
  quiet_until_ms_ = worker_.now_ms() + kShortageQuietMs;
  if (is_known) return;
  worker_.fault("out-of-descriptors", error == -EMFILE
                                          ? "accepting pauses: the process is at its limit of open "
                                            "files (raise it with ulimit -n)"
                                          : "accepting pauses: the system is out of descriptors "
                                            "or socket memory");
}

}  // namespace sluice::worker
