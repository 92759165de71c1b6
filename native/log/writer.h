// The thread that writes the access log of a gateway, and the blocks in which lines come to it. A
// thread of its own and not an I/O thread: a log on a disk that hangs must not take one from those
// that open files, and whoever stops must not wait for it for ever: it is left behind then. It
// keeps what it uses alive itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/limits.h"
#include "log/format.h"

namespace sluice::log {

/// Records of one worker, one behind the other.
struct Block {
  size_t size = 0;
  uint32_t lines = 0;
  uint32_t worker = 0;
  alignas(Record::kAlignment) char bytes[kLogBlockBytes];
};

struct WriterCounts {
  uint64_t lines = 0, bytes = 0;  ///< written
  uint64_t dropped = 0;           ///< lines that could not be; those of full workers come on top
};

class Writer {
 public:
  /// Something an operator should know; any thread.
  using Report = std::function<void(std::string message)>;

  /// `routes`: keys by id.
  Writer(const Settings& settings, std::vector<std::string> routes, size_t workers, Report report);
  ~Writer() { close(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Opens the destination and starts the thread; 0 or -errno. Where nobody listens yet, it is
  /// tried again later. Throws std::system_error when there is no thread.
  int start();
  /// Writes what was handed over and ends; waits kLogPatienceUs at most. Idempotent.
  void close();

  /// An empty block of that worker's, on its thread; null: all of them are on their way.
  Block* take_block(uint32_t worker);
  /// Hands it over, to be written after the next wake(). The thread that took it.
  void submit(Block& block);
  /// What was handed over is to be written now. Any thread.
  void wake();
  /// Opens the destination anew: its name may be another file by now. Any thread.
  void reopen();
  /// Keys of routes by id, for what is submitted from now on. Any thread.
  void name_routes(std::vector<std::string> routes);
  /// Reports that lines are dropped, unless that was reported and has not ended since. Any thread.
  void complain(const char* reason, int64_t now_us);

  WriterCounts counts() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace sluice::log
