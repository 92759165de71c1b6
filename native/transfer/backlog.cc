// Filling and emptying a backlog. A pipe is held only while bytes are in it; a send that takes less
// than it was given means that the socket is full.
#include "transfer/backlog.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "net/sys.h"

namespace sluice::transfer {
namespace {

/// Bytes that are held in memory; beyond it they are spilled.
constexpr size_t kTextBytes = 64 * 1024;
/// What one sendfile is asked for, and what is read at once where bytes are copied.
constexpr uint64_t kSpillSendBytes = 1024 * 1024;
constexpr uint64_t kSpillReadBytes = 64 * 1024;

}  // namespace

bool Backlog::add(std::string_view bytes) {
  if (spill_.empty() && in_pipe_ == 0 && tail_.empty()) {
    if (sent_ == front_.size() || sent_ >= kTextBytes) {
      front_.erase(0, sent_);
      sent_ = 0;
    }
    if (front_.size() - sent_ + bytes.size() <= kTextBytes) {
      front_.append(bytes);
      return true;
    }
  } else if (tail_.size() + bytes.size() <= kTextBytes) {
    tail_.append(bytes);
    return true;
  }
  return spill() && spill_.take(bytes);
}

bool Backlog::take_pipe(size_t capacity, int64_t now_us) {
  if (!pipe_) pipe_ = pipes_.take(now_us);
  if (pipe_ && pipe_.capacity >= capacity) return true;
  if (in_pipe_ == 0) drop_pipe();
  return false;
}

bool Backlog::spill() {
  if (in_pipe_ > 0) {
    if (!spill_.take_pipe(pipe_.read_end, in_pipe_)) return false;
    in_pipe_ = 0;
  }
  if (!spill_.take(tail_)) return false;
  tail_.clear();
  return true;
}

bool Backlog::tee(std::string_view before, int read_end, uint64_t bytes) {
  if (spill_.empty()) {
    front_.append(before);
  } else if (!spill_.take(before)) {
    return false;
  }
  const ssize_t got = sys::tee(read_end, pipe_.write_end, bytes, SPLICE_F_NONBLOCK);
  if (got > 0) in_pipe_ = static_cast<uint64_t>(got);
  return in_pipe_ == bytes;
}

Backlog::Step Backlog::send(net::SocketState& socket, uint64_t budget, uint64_t& moved) {
  const uint64_t enough = moved + budget;
  Step step = Step::done;
  while (step == Step::done && !empty()) {
    if (moved >= enough) return Step::more;
    if (!socket.writable) return Step::full;
    if (sent_ < front_.size()) {
      if (!send_front(socket, moved, step)) return step;
    } else if (!spill_.empty() && copies_) {
      front_.clear();
      sent_ = 0;
      if (spill_.read(front_, kSpillReadBytes) < 0) return Step::failed;
    } else if (!spill_.empty()) {
      const ssize_t sent = spill_.send(socket.fd, std::min(kSpillSendBytes, enough - moved));
      if (!note(socket, sent, moved, step)) return step;
    } else if (in_pipe_ > 0) {
      const ssize_t sent = sys::splice(pipe_.read_end, nullptr, socket.fd, nullptr, in_pipe_,
                                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (!note(socket, sent, moved, step)) return step;
      in_pipe_ -= static_cast<uint64_t>(sent);
    } else {
      front_.swap(tail_);
      tail_.clear();
      sent_ = 0;
    }
  }
  if (in_pipe_ == 0) drop_pipe();
  return step;
}

bool Backlog::send_front(net::SocketState& socket, uint64_t& moved, Step& step) {
  const size_t left = front_.size() - sent_;
  const int more = spill_.empty() && in_pipe_ == 0 ? 0 : MSG_MORE;
  const ssize_t sent = sys::send(socket.fd, front_.data() + sent_, left, MSG_NOSIGNAL | more);
  if (!note(socket, sent, moved, step)) return false;
  sent_ += static_cast<size_t>(sent);
  if (static_cast<size_t>(sent) < left) socket.writable = false;
  return true;
}

/// False: nothing went out; `step` says why.
bool Backlog::note(net::SocketState& socket, ssize_t sent, uint64_t& moved, Step& step) const {
  if (sent > 0) {
    moved += static_cast<uint64_t>(sent);
    return true;
  }
  step = sent == -EAGAIN ? Step::full : Step::failed;
  if (sent == -EAGAIN) socket.writable = false;
  return false;
}

void Backlog::clear() {
  drop_pipe();
  spill_.clear();
  std::string().swap(front_);
  std::string().swap(tail_);
  sent_ = 0;
}

void Backlog::drop_pipe() {
  if (!pipe_) return;
  if (in_pipe_ == 0) {
    pipes_.give_back(pipe_);
  } else {
    pipes_.discard(pipe_);
  }
  pipe_ = {};
  in_pipe_ = 0;
}

}  // namespace sluice::transfer
