// Events and reading. Reads go into a scratch room of the worker that no downstream connection uses
// in between; what is not taken in the same turn is kept.
#include "proxy/upstream_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/limits.h"
#include "net/sys.h"
#include "proxy/relay.h"
#include "proxy/upstreams.h"

namespace sluice::proxy {

UpstreamConnection::UpstreamConnection(Upstreams& owner, uint32_t upstream, Ref<Target> target,
                                       int fd)
    : owner_(owner), upstream_(upstream), target_(std::move(target)), socket_{fd} {
  target_->connections.fetch_add(1, std::memory_order_relaxed);
}

UpstreamConnection::~UpstreamConnection() {
  target_->connections.fetch_sub(1, std::memory_order_relaxed);
}

void UpstreamConnection::on_events(uint32_t events) {
  if (is_closed_) return;
  socket_.on_events(events);
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) is_broken_ = true;
  if (!is_connected_ && (events & EPOLLOUT) != 0 && !is_broken_) is_connected_ = true;
  if (user_ != nullptr) return user_->on_upstream();
  // An idle connection has nothing to say: bytes would answer a request that nobody made. An event
  // of this turn may tell of bytes that its last response has taken meanwhile.
  constexpr uint32_t kGone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kGone) != 0 || ((events & EPOLLIN) != 0 && !is_silent())) owner_.close(*this);
  socket_.readable = false;
}

void UpstreamConnection::on_alarm() {
  if (!is_closed_ && user_ == nullptr) owner_.expire(*this);
}

bool UpstreamConnection::is_greeted(ErrorCode& error) {
  if (is_greeted_) return true;
  // What a relay has said before it closed is still there to be read.
  if (!socket_.readable && !is_broken_) return false;
  char byte = 0;
  const ssize_t got = sys::recv(socket_.fd, &byte, 1, 0);
  socket_.on_received(got, 1);
  if (got == -EAGAIN && !is_broken_) return false;
  speaks_for_target_ = got == 1 && byte == kRelaySpeaks;
  is_greeted_ = speaks_for_target_ || (got == 1 && byte == kRelayReady);
  if (!is_greeted_) error = got == 1 ? relay_fault(byte) : ErrorCode::upstream_refused;
  return is_greeted_;
}

transfer::Reader::Fill UpstreamConnection::fill(size_t& room) {
  return receive(owner_.scratch(), room);
}

transfer::Reader::Fill UpstreamConnection::receive(std::span<char> scratch, size_t& room) {
  room = scratch.size();
  const ssize_t got = sys::recv(socket_.fd, scratch.data(), scratch.size(), 0);
  socket_.on_received(got, scratch.size());
  if (got > 0) {
    unread_ = {scratch.data(), static_cast<size_t>(got)};
    return Fill::got;
  }
  if (got == -EAGAIN) return Fill::empty;
  return got == 0 ? Fill::ended : Fill::failed;
}

transfer::Reader::Fill UpstreamConnection::fill_more() {
  if (unread_.empty()) {
    size_t room = 0;
    const std::span<char> scratch = owner_.scratch();
    return receive(sends_bulk_ ? scratch.first(kBulkHeadBytes) : scratch, room);
  }
  constexpr size_t kLeastRoom = 2048;
  save();
  const size_t had = kept_.size();
  const size_t room = std::max(had, kLeastRoom);
  kept_.resize(had + room);
  const ssize_t got = sys::recv(socket_.fd, kept_.data() + had, room, 0);
  socket_.on_received(got, room);
  kept_.resize(had + (got > 0 ? static_cast<size_t>(got) : 0));
  unread_ = kept_;
  if (got > 0) return Fill::got;
  if (got == -EAGAIN) return Fill::empty;
  return got == 0 ? Fill::ended : Fill::failed;
}

bool UpstreamConnection::is_silent() const {
  char byte;
  return sys::recv(socket_.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -EAGAIN;
}

void UpstreamConnection::save() {
  if (unread_.empty()) {
    if (!kept_.empty()) std::string().swap(kept_);
    unread_ = {};
    return;
  }
  const char* at = unread_.data();
  if (at >= kept_.data() && at < kept_.data() + kept_.size()) {
    kept_.erase(0, static_cast<size_t>(at - kept_.data()));
  } else {
    kept_.assign(unread_);
  }
  unread_ = kept_;
}

}  // namespace sluice::proxy
