// Has files encoded by another process (src/files/encoder-process.ts) and takes in what that makes:
// one thread, one file at a time, over a socket. The thread reads the file and writes the result,
// so that neither a worker nor an I/O thread waits for a compressor, nor the main thread for a
// disk. The process is given bytes and gives bytes: no path, no descriptor of ours. Whoever steers
// starts and ends it; the end of the connection fails the job that is under way.
//
//   to the process:   u32 coding, u32 0, u64 length, then the bytes of the file
//   from it:          u32 outcome, u32 checksum, u64 length, then the encoded bytes
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/ref.h"
#include "files/file.h"
#include "files/opener.h"
#include "http/accept.h"

namespace sluice::files {

struct EncodeJob {
  uint64_t id = 0;
  Ref<const File> file;
  http::Coding coding = http::Coding::gzip;
  /// Where an encoding that does not fit into memory is kept, without a name; empty: in memory.
  std::string directory;
};

struct Encoded {
  /// useless: hardly smaller than the file. changed: another content by now, or young. failed: the
  /// process ended, or there is no room.
  enum class Outcome : uint8_t { made, useless, changed, failed };
  Outcome outcome = Outcome::failed;
  Ref<File> file;  ///< when made: with the times of the file that it was made from
  int error = 0;   ///< errno when failed
};

class Encoder {
 public:
  /// Called on the encoder's thread.
  using Done = std::function<void(uint64_t id, Encoded encoded)>;

  /// `options` as for opening files: what is held in memory, and by whom counted.
  Encoder(OpenOptions options, Done done);
  /// Cuts off what is under way; queued jobs are dropped.
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// A new connection instead of the one before: the descriptor for the process, which the caller
  /// closes, or -errno.
  int connect();
  /// The process sees the end of its input.
  void disconnect();
  /// Jobs are done in their order; each is answered once.
  void encode(EncodeJob job);

 private:
  struct Connection;

  void run();
  Encoded perform(const Connection& connection, const EncodeJob& job) const;
  Encoded take_in(const Connection& connection, const EncodeJob& job) const;

  const OpenOptions options_;
  const Done done_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<EncodeJob> jobs_;
  std::shared_ptr<Connection> connection_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace sluice::files
