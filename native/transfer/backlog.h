// What is on its way to a socket that nobody waits for: whoever fills it goes on at once. Bytes are
// held in memory while they are few, in one pipe that tee(2) fills, and beyond that in a spill. One
// thread; owns neither socket nor pool.
//
//   front_  →  spill_  →  pipe_  →  tail_        (order on the wire)
//
// tee always begins at the head of its source, so it goes into an empty pipe, all or nothing: what
// the pipe and tail_ have is moved to the spill before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/socket_state.h"
#include "transfer/pipe_pool.h"
#include "transfer/spill.h"

namespace sluice::transfer {

class Backlog {
 public:
  /// `copies`: what the spill has goes out by read and send.
  Backlog(PipePool& pipes, bool copies) : pipes_(pipes), copies_(copies) {}
  ~Backlog() { drop_pipe(); }
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  bool empty() const { return size() == 0; }
  /// Bytes that wait.
  uint64_t size() const { return front_.size() - sent_ + spill_.size() + in_pipe_ + tail_.size(); }
  /// Of those, in the spill: beyond memory and pipe, which are bounded.
  uint64_t spilled() const { return spill_.size(); }
  bool has_room_for_tee() const { return in_pipe_ == 0 && tail_.empty(); }

  /// False: they would have to be spilled and cannot be.
  bool add(std::string_view bytes);
  /// After it there is an empty pipe with room for what one of `capacity` can hold, or false.
  bool take_pipe(size_t capacity, int64_t now_us);
  /// Makes room for tee: what stands behind the spill is moved into it. False: it cannot be.
  bool spill();
  /// `before`, which is short, and then the next `bytes`, which are all that `read_end` has. After
  /// take_pipe(), with room. False: not all of them could be had.
  bool tee(std::string_view before, int read_end, uint64_t bytes);

  /// Lets go of everything.
  void clear();

  enum class Step : uint8_t { done, more, full, failed };
  /// Sends until the socket is full or `budget` bytes are out; `moved` grows by what it took.
  Step send(net::SocketState& socket, uint64_t budget, uint64_t& moved);

 private:
  bool send_front(net::SocketState& socket, uint64_t& moved, Step& step);
  bool note(net::SocketState& socket, ssize_t sent, uint64_t& moved, Step& step) const;
  void drop_pipe();

  PipePool& pipes_;
  const bool copies_;
  std::string front_;
  size_t sent_ = 0;  ///< of front_
  Spill spill_;
  Pipe pipe_;
  uint64_t in_pipe_ = 0;
  std::string tail_;
};

}  // namespace sluice::transfer
