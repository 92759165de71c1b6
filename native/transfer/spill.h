// Bytes that somebody does not take yet, in files of memory (memfd), first in first out. Written by
// splice from a pipe or by a write, read by sendfile. A file that has been read to its end is
// closed, so that what is held is what waits, within a file's size. Never on a disk: a write to one
// can wait for it, and this is used on workers. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace sluice::transfer {

class Spill {
 public:
  Spill() = default;
  ~Spill() { clear(); }
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  bool empty() const { return size_ == 0; }
  uint64_t size() const { return size_; }

  void clear();
  /// `bytes` of the pipe, all that it has, move in. False: there is no memory or no descriptor.
  bool take_pipe(int read_end, uint64_t bytes);
  bool take(std::string_view bytes);
  /// Sends some of what waits, by sendfile. Bytes or -errno.
  ssize_t send(int socket, uint64_t most);
  /// Appends at most `most` of what waits to `out`. Bytes or -errno.
  ssize_t read(std::string& out, uint64_t most);

 private:
  struct File {
    int fd;
    uint64_t begin;  ///< all before has been taken out
    uint64_t end;
  };

  File* last();
  void took(uint64_t bytes);

  std::deque<File> files_;
  uint64_t size_ = 0;
};

}  // namespace sluice::transfer
