// Making pipes, and what size they really got: without room in the user's budget F_SETPIPE_SZ is
// refused, and a new pipe has two pages instead of sixteen.
#include "transfer/pipe_pool.h"

#include <fcntl.h>

#include "core/limits.h"
#include "net/sys.h"

namespace sluice::transfer {

PipePool::~PipePool() {
  for (const Pipe& pipe : idle_) discard(pipe);
}

void PipePool::want(size_t bytes) {
  if (bytes == wanted_) return;
  wanted_ = bytes;
  for (const Pipe& pipe : idle_) discard(pipe);
  idle_.clear();
}

Pipe PipePool::take(int64_t now_us) {
  if (!idle_.empty()) {
    const Pipe pipe = idle_.back();
    idle_.pop_back();
    return pipe;
  }
  if (now_us < refused_until_us_) return {};
  const Pipe pipe = make();
  if (pipe) return pipe;
  counts_.refused.add();
  refused_until_us_ = now_us + kPipeRetryUs;
  return {};
}

Pipe PipePool::make() {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return {};
  counts_.made.add();
  counts_.open.add();
  Pipe pipe{ends[0], ends[1], 0, wanted_};
  // The answer is what was granted; a refusal leaves what the pipe was born with.
  int granted = sys::fcntl(pipe.write_end, F_SETPIPE_SZ, static_cast<int>(wanted_));
  if (granted < 0) granted = sys::fcntl(pipe.write_end, F_GETPIPE_SZ, 0);
  pipe.capacity = granted < 0 ? 0 : static_cast<size_t>(granted);
  if (pipe.capacity >= kLeastPipeBytes) return pipe;
  discard(pipe);
  return {};
}

void PipePool::give_back(Pipe pipe) {
  if (idle_.size() >= kIdlePipes || pipe.wanted != wanted_) return discard(pipe);
  idle_.push_back(pipe);
}

void PipePool::discard(Pipe pipe) {
  sys::close(pipe.read_end);
  sys::close(pipe.write_end);
  counts_.open.subtract();
}

}  // namespace sluice::transfer
