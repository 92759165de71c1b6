// A flow moves one message body, or one direction of a tunnel, from a socket to a socket while it
// arrives: takes its framing off, puts the sink's on, and lets the kernel splice what is large. It
// never waits for more than has come, holds at most what one recv or one pipe brought, and reads
// nothing while the sink is full. The worker's thread only; owns neither socket.
//
//   source ──recv──▶ unread ──frame──▶ pending_ ──send──▶ sink        copy
//   source ──splice──▶ pipe_ ──splice──▶ sink                         splice
//
// Order on the wire: pending_, then the pipe; what follows the pipe is put into pending_ when that
// is empty.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/limits.h"
#include "http/chunked_decoder.h"
#include "http/chunked_encoder.h"
#include "net/socket_state.h"
#include "transfer/pipe_pool.h"
#include "transfer/tap.h"

struct iovec;

namespace sluice::transfer {

/// How the end of what comes is known.
enum class Inbound : uint8_t { none, length, chunked, until_end };
/// How the end of what goes is shown: by its length or the connection's end, or by chunks.
enum class Outbound : uint8_t { plain, chunked };

/// The receiving side of a flow's source.
class Reader {
 public:
  enum class Fill : uint8_t { got, empty, ended, failed };
  /// Bytes that were received and not taken yet. Valid until the next call of any other function.
  virtual std::string_view unread() const = 0;
  virtual void consume(size_t bytes) = 0;
  /// One recv; only when nothing is unread. `room` is how much it asked for.
  virtual Fill fill(size_t& room) = 0;

 protected:
  ~Reader() = default;
};

/// Takes what comes in the place of a socket, and all of it.
class Sink {
 public:
  /// Payload, valid until this returns.
  virtual void take(std::string_view bytes) = 0;

 protected:
  ~Sink() = default;
};

struct FlowContext {
  Reader& reader;
  net::SocketState& from;
  net::SocketState& to;
  PipePool* pipes;  ///< null: nothing is spliced
  int64_t now_us;
  uint64_t budget;  ///< bytes that may be moved in this turn
  /// What comes in one piece is spliced from so many bytes on.
  uint64_t splice_bytes = kSpliceBytes;
  /// Takes the payload instead of `to`, which counts as writable; only Outbound::plain, no pipes.
  Sink* sink = nullptr;
};

class Flow {
 public:
  enum class Step : uint8_t {
    done,           ///< everything is with the sink's kernel
    more,           ///< the turn's budget is used up
    source_empty,   ///< waits for the source
    sink_full,      ///< waits for the sink
    source_ended,   ///< the source ended before the body did
    source_failed,  ///< reset
    sink_failed,    ///< reset, or it takes no more
    bad_framing,    ///< error() says what
    too_large       ///< more than limit() allows
  };

  Flow() = default;
  ~Flow() { drop_pipe(); }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// `head` goes out first, together with what follows it when that is there. `keeps`: what has
  /// been sent can be sent again (rewind) as long as it is short.
  void start(std::string head, Inbound inbound, uint64_t length, Outbound outbound, bool keeps);
  /// Goes on until it has to wait.
  Step run(const FlowContext& context);

  /// The same bytes once more, to another sink. False: too many went out already. `patch`, if not
  /// empty, stands instead of `size` bytes at `at`.
  bool rewind(std::string_view patch = {}, size_t at = 0, size_t size = 0);
  bool can_rewind() const { return keeps_; }
  /// An answer has begun: there will be no other try.
  void stop_keeping();
  /// Trailers of these names (in lower case) end here. Lives as long as the flow; not with start().
  void hide_trailers(std::span<const std::string> names) { hidden_trailers_ = names; }
  /// Body bytes that may come at most.
  void limit(uint64_t bytes) { limit_ = bytes; }
  /// Gets the body, too; null: nobody. Before the first run(), lives as long as it.
  void tap(Tap* tap) { tap_ = tap; }
  /// How a chunked body has ended, once it has: the last chunk, with the trailers that pass.
  std::string_view chunked_end() const {
    return trailers_.empty() ? http::kLastChunk : std::string_view(trailers_);
  }

  /// What the sink has not taken, for another start().
  std::string take_pending();

  bool is_done() const { return is_finished_ && in_pipe_ == 0 && sent_ == pending_.size(); }
  /// The last byte of the body has been taken from the source.
  bool has_all() const { return is_finished_; }
  /// Whether bytes wait for the sink.
  bool has_pending() const { return in_pipe_ > 0 || sent_ < pending_.size(); }
  ErrorCode error() const { return decoder_error_; }
  /// Bytes that the sink took (with head and framing), and of those, spliced ones.
  uint64_t moved() const { return moved_; }
  uint64_t spliced() const { return spliced_; }
  /// Body bytes taken from the source.
  uint64_t taken() const { return taken_; }

 private:
  struct Batch;

  Step loop(const FlowContext& context);
  Step flush(const FlowContext& context);
  Step take(const FlowContext& context);
  Step on_fill(const FlowContext& context);
  Step splice_in(const FlowContext& context);
  void fill_behind(const FlowContext& context);
  ptrdiff_t pull(const FlowContext& context);
  void note_pulled(uint64_t bytes);
  Step drain_pipe(const FlowContext& context);
  Step transmit(const FlowContext& context, Batch& batch);
  Step hand_over(Sink& sink, const Batch& batch);
  size_t frame(std::string_view bytes, Batch& batch);
  size_t frame_chunked(std::string_view bytes, Batch& batch);
  std::string_view last_chunk();
  void keep_rest(const Batch& batch, size_t sent);
  void finish();
  void after_pipe();
  uint64_t contiguous() const;
  bool wants_splice(const FlowContext& context) const;
  void drop_pipe();

  std::string pending_;  ///< bytes for the sink; all that went out while keeps_
  size_t sent_ = 0;      ///< of pending_
  Inbound inbound_ = Inbound::none;
  Outbound outbound_ = Outbound::plain;
  bool keeps_ = false;
  bool is_finished_ = true;
  bool is_spliceable_ = true;  ///< the kernel has not refused yet
  uint8_t small_splices_ = 0;  ///< in a row
  uint8_t full_reads_ = 0;     ///< in a row: the source sends in bulk
  ErrorCode decoder_error_ = ErrorCode::none;
  uint64_t left_ = 0;  ///< of a body of known length
  uint64_t limit_ = UINT64_MAX;
  uint64_t taken_ = 0, moved_ = 0, spliced_ = 0;
  http::ChunkedDecoder decoder_;
  std::span<const std::string> hidden_trailers_;
  std::string trailers_;  ///< of a chunked body, as they came; its end, when that goes out
  Tap* tap_ = nullptr;
  PipePool* pool_ = nullptr;  ///< where pipe_ came from
  Pipe pipe_;
  uint64_t in_pipe_ = 0;
};

}  // namespace sluice::transfer
