// The open end that lines of the access log are written to: a file, a pipe, a terminal or a unix
// socket. Pipes, terminals and sockets are never written to unless they have room, so that only a
// disk can hold the caller. The log's own thread, but for the first open().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "log/format.h"

namespace sluice::log {

class Outlet {
 public:
  explicit Outlet(Destination to) : to_(std::move(to)) {}
  ~Outlet() { close(); }
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  /// Opens, in place of what was open; on failure that stays. 0 or -errno.
  int open();
  bool is_open() const { return fd_ >= 0; }
  /// Whether nobody may be at the other end yet, which is no mistake in the configuration.
  bool may_come_later(int error) const;
  /// A name may lead elsewhere by now; standard output and error stay what they are.
  bool can_reopen() const {
    return to_.kind == Destination::Kind::file || to_.kind == Destination::Kind::socket;
  }

  /// Writes from the start of `lines`, which are whole lines but perhaps for the first: how many
  /// bytes it took, -EAGAIN when there is no room now (see wait_fd()), or -errno. Through a pipe go
  /// whole lines of at most PIPE_BUF bytes at once: nobody else's come between.
  ssize_t write(std::string_view lines);
  /// What to poll for room.
  int wait_fd() const { return fd_; }
  void close();

 private:
  enum class Way : uint8_t { disk, pipe, socket };

  int connect();
  int adopt(int fd);

  const Destination to_;
  int fd_ = -1;
  bool is_own_ = false;  ///< ours to close
  Way way_ = Way::disk;
};

}  // namespace sluice::log
