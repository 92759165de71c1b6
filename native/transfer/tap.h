// Whoever else gets the body that a flow moves, while it moves: told of every byte once, as it is
// taken from the source, whatever becomes of it at the sink. Must not wait and must not fail: it
// has no say in the flow but for whether the kernel may keep the bytes to itself.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::transfer {

class Tap {
 public:
  /// Before bytes come into an empty pipe with room for `capacity`: whether they can be duplicated
  /// from there. False: the flow copies.
  virtual bool can_tee(size_t capacity) = 0;
  /// Bytes of the body, in parts that are valid during the call.
  virtual void on_bytes(std::span<const iovec> parts, uint64_t total) = 0;
  /// All that the pipe has, which is the next `bytes` of the body. After can_tee().
  virtual void on_pipe(int read_end, uint64_t bytes) = 0;

 protected:
  ~Tap() = default;
};

}  // namespace sluice::transfer
