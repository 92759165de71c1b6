// A flow between two pairs of sockets: the test writes into the source and reads from the sink, and
// says what a loop would say of the sockets in between.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/sys.h"
#include "testing.h"
#include "transfer/flow.h"

namespace testing {

using sluice::net::SocketState;
using sluice::transfer::Flow;
using sluice::transfer::FlowContext;
using sluice::transfer::Inbound;
using sluice::transfer::Outbound;
using sluice::transfer::PipeCounts;
using sluice::transfer::PipePool;
using sluice::transfer::Reader;

class SocketReader final : public Reader {
 public:
  SocketReader(SocketState& socket, size_t room) : socket_(socket), room_(room) {}
  std::string_view unread() const override { return unread_; }
  void consume(size_t bytes) override { unread_.remove_prefix(bytes); }
  Fill fill(size_t& room) override {
    room = room_.size();
    const ssize_t got = sluice::sys::recv(socket_.fd, room_.data(), room_.size(), 0);
    socket_.on_received(got, room_.size());
    if (got > 0) {
      unread_ = {room_.data(), static_cast<size_t>(got)};
      return Fill::got;
    }
    if (got == -EAGAIN) return Fill::empty;
    return got == 0 ? Fill::ended : Fill::failed;
  }
  /// As if these bytes had come with a head.
  void give(std::string_view bytes) {
    given_ = bytes;
    unread_ = given_;
  }

 private:
  SocketState& socket_;
  std::vector<char> room_;
  std::string given_;
  std::string_view unread_;
};

class FlowRig {
 public:
  explicit FlowRig(bool splices, size_t room = 64 * 1024, int sink_bytes = 0) : splices_(splices) {
    make_pair(source_, from_.fd);
    make_pair(sink_, to_.fd);
    if (sink_bytes > 0) {
      ::setsockopt(to_.fd, SOL_SOCKET, SO_SNDBUF, &sink_bytes, sizeof sink_bytes);
    }
    reader = std::make_unique<SocketReader>(from_, room);
  }
  ~FlowRig() {
    flow.reset();
    for (const int fd : {source_, from_.fd, sink_, to_.fd}) {
      if (fd >= 0) ::close(fd);
    }
  }

  /// Writes to the source as much as fits; the loop would say that it is readable.
  size_t write(std::string_view bytes) {
    const ssize_t sent = ::send(source_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) from_.on_events(EPOLLIN);
    return sent > 0 ? static_cast<size_t>(sent) : 0;
  }
  void end_source() {
    ::shutdown(source_, SHUT_WR);
    from_.on_events(EPOLLIN | EPOLLRDHUP);
  }
  /// Reads from the sink at most `most`; the loop would say that it is writable.
  size_t drain(size_t most = SIZE_MAX) {
    size_t total = 0;
    std::vector<char> room(64 * 1024);
    while (total < most) {
      const ssize_t got =
          ::recv(sink_, room.data(), std::min(room.size(), most - total), MSG_DONTWAIT);
      if (got <= 0) break;
      received.append(room.data(), static_cast<size_t>(got));
      total += static_cast<size_t>(got);
    }
    if (total > 0) to_.on_events(EPOLLOUT);
    return total;
  }
  void close_sink() {
    ::close(sink_);
    sink_ = -1;
  }

  Flow::Step run(uint64_t budget = UINT64_MAX / 2) {
    return flow->run({*reader, from_, to_, splices_ ? &pipes : nullptr, 0, budget});
  }

  /// Sends `bytes` in pieces of `piece` and takes what comes out, until the flow is over or waits
  /// for more than there is.
  Flow::Step pass(std::string_view bytes, size_t piece, bool ends = false) {
    Flow::Step step = run();
    while (!bytes.empty() && !is_over(step)) {
      const size_t written = write(bytes.substr(0, piece));
      bytes.remove_prefix(written);
      step = run();
      const size_t drained = drain();
      if (written == 0 && drained == 0 && step == Flow::Step::source_empty) break;
    }
    if (ends && !is_over(step)) end_source();
    for (step = is_over(step) ? step : run(); drain() > 0 && !is_over(step);) step = run();
    drain();
    return step;
  }

  static bool is_over(Flow::Step step) {
    return step != Flow::Step::source_empty && step != Flow::Step::sink_full &&
           step != Flow::Step::more;
  }

  SocketState from_, to_;
  PipeCounts counts;
  PipePool pipes{counts};
  std::unique_ptr<SocketReader> reader;
  std::unique_ptr<Flow> flow = std::make_unique<Flow>();
  std::string received;

 private:
  static void make_pair(int& outside, int& inside) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) return;
    outside = ends[0];
    inside = ends[1];
  }

  const bool splices_;
  int source_ = -1, sink_ = -1;
};

/// Different at every offset.
inline std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 0x2545f491;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline std::string in_chunks(std::string_view body, size_t size, bool ends = true) {
  std::string bytes;
  for (size_t at = 0; at < body.size(); at += size) {
    const std::string_view part = body.substr(at, size);
    char line[24];
    bytes.append(line,
                 static_cast<size_t>(std::snprintf(line, sizeof line, "%zx\r\n", part.size())));
    bytes.append(part).append("\r\n");
  }
  if (ends) bytes.append("0\r\n\r\n");
  return bytes;
}

}  // namespace testing
