// The pipes of one worker: what splice(2) moves bytes through. Taken only while bytes are in
// flight, given back only when they are proven empty, so that bytes of one client never reach
// another. The worker's thread only. Pipes are a budget of the user (pipe(7),
// pipe-user-pages-soft): when it is gone, take() says so and the copying twin does the job.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/counter.h"
#include "core/limits.h"

namespace sluice::transfer {

/// Both ends; -1: none.
struct Pipe {
  int read_end = -1;
  int write_end = -1;
  size_t capacity = 0;  ///< bytes that fit at best; fewer when they arrive in small pieces
  size_t wanted = 0;    ///< what was asked for when it was made
  explicit operator bool() const { return read_end >= 0; }
};

struct PipeCounts {
  Counter open;     ///< now, pooled ones included
  Counter made;     ///< since start
  Counter refused;  ///< times that none could be had
};

class PipePool {
 public:
  explicit PipePool(PipeCounts& counts) : counts_(counts) {}
  ~PipePool();
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  /// Pipes are made with room for so many bytes from now on, where the user's budget allows it.
  void want(size_t bytes);
  /// An empty pipe of a useful size, or none. After a refusal none is tried for a while.
  Pipe take(int64_t now_us);
  /// `pipe` is empty.
  void give_back(Pipe pipe);
  /// `pipe` may have bytes in it: closed.
  void discard(Pipe pipe);

 private:
  Pipe make();

  PipeCounts& counts_;
  std::vector<Pipe> idle_;
  size_t wanted_ = kPipeBytes;
  int64_t refused_until_us_ = 0;
};

}  // namespace sluice::transfer
