// An intake takes one message body from a socket while it arrives and gathers it in a load, which
// somebody who may wait for a disk writes to a file: large bodies by splice into a pipe, the rest
// copied. It never waits, reads nothing while its load is full, and holds a pipe only while bytes
// are in it. The worker's thread only; owns neither socket nor load.
//
//   socket ──splice──▶ pipe ──splice──▶ file        splice-in
//   socket ──recv────▶ room ──write───▶ file        copy
//
// What is in the room comes before what is in the pipe.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "http/chunked_decoder.h"
#include "net/socket_state.h"
#include "transfer/flow.h"
#include "transfer/pipe_pool.h"

namespace sluice::transfer {

/// Bytes that have come and are to be written. Used in turn by the worker and an I/O thread.
struct Load {
  Load() = default;
  ~Load();  ///< closes the pipe, which the worker rather gives back to its pool
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  std::unique_ptr<char[]> room;  ///< of kLoadBytes, made when first needed
  size_t size = 0;               ///< bytes in it
  Pipe pipe;
  uint64_t in_pipe = 0;

  uint64_t total() const { return size + in_pipe; }
};

struct IntakeContext {
  Reader& reader;
  net::SocketState& from;
  PipePool* pipes;  ///< null: nothing is spliced
  int64_t now_us;
  uint64_t splice_bytes;
};

class Intake {
 public:
  enum class Step : uint8_t {
    going,         ///< not an outcome
    full,          ///< the load wants to be written before more is taken
    source_empty,  ///< waits for the source; the load may have some bytes
    done,          ///< has everything; the load may have some bytes
    ended,         ///< the source ended before the body did
    failed,        ///< reset
    bad_framing,   ///< error() says what
    too_large      ///< more than the limit
  };

  /// `limit`: bytes that may come at most.
  void start(Inbound inbound, uint64_t length, uint64_t limit);
  /// Goes on until it has to wait.
  Step run(const IntakeContext& context, Load& load);

  bool has_all() const { return is_finished_; }
  ErrorCode error() const { return error_; }
  /// Body bytes taken, and of those, spliced ones.
  uint64_t taken() const { return taken_; }
  uint64_t spliced() const { return spliced_; }
  /// Of those taken, what did not come through the reader.
  uint64_t direct() const { return direct_; }

 private:
  Step frame(const IntakeContext& context, Load& load);
  Step frame_chunked(const IntakeContext& context, Load& load);
  Step receive(const IntakeContext& context, Load& load);
  Step pull(const IntakeContext& context, Load& load);
  Step keep(const IntakeContext& context, Load& load, uint64_t most);
  void note(uint64_t bytes);
  bool wants_splice(const IntakeContext& context) const;
  uint64_t contiguous() const;

  Inbound inbound_ = Inbound::none;
  bool is_finished_ = true;
  bool is_spliceable_ = true;  ///< the kernel has not refused yet
  uint8_t small_splices_ = 0;  ///< in a row
  ErrorCode error_ = ErrorCode::none;
  uint64_t left_ = 0;  ///< of a body of known length
  uint64_t limit_ = UINT64_MAX;
  uint64_t taken_ = 0, spliced_ = 0, direct_ = 0;
  http::ChunkedDecoder decoder_;
};

}  // namespace sluice::transfer
