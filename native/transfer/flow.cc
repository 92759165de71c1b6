// The loop of a flow and its two engines. A short send means that the sink is full; a splice that
// moves less than it was asked to proves nothing, so it is asked again until it says EAGAIN: with
// an empty pipe that means that the source is empty, else bytes are forwarded first.
#include "transfer/flow.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "core/limits.h"
#include "http/chunked_encoder.h"
#include "net/sys.h"
#include "net/transport.h"

namespace sluice::transfer {
namespace {

constexpr size_t kMaxPieces = 60;
/// A splice that brought less than this did not pay; after some in a row the bytes are copied.
constexpr size_t kSmallSplice = 16 * 1024;
constexpr uint8_t kSmallSplices = 4;
/// So many recvs in a row that filled their room show that a body of unknown length is a large one.
constexpr uint8_t kBulkReads = 2;

bool is_refused(ssize_t error) {
  return error == -EINVAL || error == -ENOSYS || error == -EPERM || error == -EOPNOTSUPP;
}

}  // namespace

/// What one call hands to the kernel: the payload of what was unread, without its framing.
struct Flow::Batch {
  std::array<iovec, kMaxPieces + 4> parts;
  size_t count = 1;  ///< the first is left for what is pending
  uint64_t payload = 0;
  bool has_last = false;  ///< of a chunked body

  void add(std::string_view bytes) {
    if (bytes.empty()) return;
    parts[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  bool full() const { return count > kMaxPieces; }
};

void Flow::start(std::string head, Inbound inbound, uint64_t length, Outbound outbound,
                 bool keeps) {
  assert(in_pipe_ == 0);
  pending_ = std::move(head);
  sent_ = 0;
  inbound_ = inbound;
  outbound_ = outbound;
  left_ = length;
  keeps_ = keeps && pending_.size() <= kReplayBytes;
  decoder_ = http::ChunkedDecoder();
  trailers_.clear();
  decoder_error_ = ErrorCode::none;
  taken_ = moved_ = spliced_ = 0;
  is_finished_ = inbound == Inbound::none;
  if (inbound == Inbound::length && length == 0) finish();
}

bool Flow::rewind(std::string_view patch, size_t at, size_t size) {
  if (!keeps_ && moved_ > 0) return false;
  sent_ = 0;
  moved_ = 0;
  if (!patch.empty()) pending_.replace(at, size, patch);
  return true;
}

std::string Flow::take_pending() {
  std::string rest = pending_.substr(sent_);
  pending_.clear();
  sent_ = 0;
  return rest;
}

void Flow::stop_keeping() {
  if (!keeps_) return;
  keeps_ = false;
  pending_.erase(0, sent_);
  sent_ = 0;
}

/// The last byte of the body has been taken.
void Flow::finish() {
  is_finished_ = true;
  if (outbound_ == Outbound::chunked) pending_.append(http::kLastChunk);
}

void Flow::drop_pipe() {
  if (!pipe_) return;
  if (in_pipe_ == 0) {
    pool_->give_back(pipe_);
  } else {
    pool_->discard(pipe_);
  }
  pipe_ = {};
}

Flow::Step Flow::run(const FlowContext& context) {
  const Step step = loop(context);
  if (in_pipe_ == 0) drop_pipe();
  return step;
}

Flow::Step Flow::loop(const FlowContext& context) {
  const uint64_t enough = moved_ + context.budget;
  for (;;) {
    Step step = Step::done;
    const bool has_unread = !is_finished_ && !context.reader.unread().empty();
    if (in_pipe_ > 0) {
      step = drain_pipe(context);
    } else if (sent_ < pending_.size() && (!has_unread || !context.to.writable)) {
      step = flush(context);
    } else if (is_finished_) {
      return Step::done;
    } else if (moved_ >= enough) {
      return Step::more;
    } else if (has_unread) {
      step = take(context);
    } else if (!context.from.readable) {
      return Step::source_empty;
    } else {
      step = wants_splice(context) ? splice_in(context) : on_fill(context);
    }
    if (step != Step::done) return step;
  }
}

Flow::Step Flow::flush(const FlowContext& context) {
  if (!context.to.writable) return Step::sink_full;
  Batch nothing;
  return transmit(context, nothing);
}

Flow::Step Flow::on_fill(const FlowContext& context) {
  size_t room = 0;
  switch (context.reader.fill(room)) {
    case Reader::Fill::got: {
      const bool is_full = context.reader.unread().size() == room;
      full_reads_ = is_full ? static_cast<uint8_t>(std::min(full_reads_ + 1, 100)) : uint8_t{0};
      if (is_full) small_splices_ = 0;
      return Step::done;
    }
    case Reader::Fill::empty: return Step::source_empty;
    case Reader::Fill::failed: return Step::source_failed;
    case Reader::Fill::ended: break;
  }
  if (inbound_ != Inbound::until_end) return Step::source_ended;
  finish();
  return Step::done;
}

Flow::Step Flow::take(const FlowContext& context) {
  Batch batch;
  const size_t used = frame(context.reader.unread(), batch);
  taken_ += batch.payload;
  if (decoder_error_ != ErrorCode::none) return Step::bad_framing;
  if (taken_ > limit_) return Step::too_large;
  if (tap_ != nullptr && batch.payload > 0) {
    tap_->on_bytes({batch.parts.data() + 1, batch.count - 1}, batch.payload);
  }
  fill_behind(context);
  const Step step = transmit(context, batch);  // before consume(): the batch views what is unread
  context.reader.consume(used);
  return step;
}

/// Fills the pipe ahead of the send of what comes before it: with more to follow that send is not
/// worth a packet of its own. Whatever goes wrong with the source is seen by its next call.
void Flow::fill_behind(const FlowContext& context) {
  const bool is_plain = inbound_ == Inbound::length && outbound_ == Outbound::plain;
  if (!is_plain || !context.from.readable || !wants_splice(context)) return;
  const ssize_t got = pull(context);
  if (got > 0) note_pulled(static_cast<uint64_t>(got));
}

/// Puts the payload at the start of `bytes` into the batch; how many bytes that and its framing
/// were.
size_t Flow::frame(std::string_view bytes, Batch& batch) {
  if (inbound_ == Inbound::chunked) return frame_chunked(bytes, batch);
  const size_t payload =
      inbound_ == Inbound::length ? std::min<uint64_t>(left_, bytes.size()) : bytes.size();
  batch.add(bytes.substr(0, payload));
  batch.payload = payload;
  if (inbound_ == Inbound::length) {
    left_ -= payload;
    batch.has_last = left_ == 0;
  }
  return payload;
}

size_t Flow::frame_chunked(std::string_view bytes, Batch& batch) {
  using Step = http::ChunkedDecoder::Step;
  std::string* const trailers = outbound_ == Outbound::chunked ? &trailers_ : nullptr;
  size_t used = 0;
  while (!batch.full()) {
    const http::ChunkedDecoder::Result result = decoder_.next(bytes.substr(used), trailers);
    used += result.consumed;
    if (result.step == Step::error) decoder_error_ = result.error;
    if (result.step == Step::done) batch.has_last = true;
    if (result.step != Step::payload) break;
    const std::string_view payload =
        bytes.substr(used, std::min<uint64_t>(result.payload, bytes.size() - used));
    if (payload.empty()) break;
    batch.add(payload);
    batch.payload += payload.size();
    decoder_.took(payload.size());
    used += payload.size();
  }
  return used;
}

/// The end of a chunked body, with its trailers; valid until the next start().
std::string_view Flow::last_chunk() {
  if (trailers_.empty()) return http::kLastChunk;
  std::string end;
  http::append_last_chunk(trailers_, hidden_trailers_, end);
  trailers_ = std::move(end);
  return trailers_;
}

/// One sendmsg of what is pending and the batch behind it.
Flow::Step Flow::transmit(const FlowContext& context, Batch& batch) {
  std::array<char, http::kChunkLineRoom> line_room;
  std::string_view line;
  if (outbound_ == Outbound::chunked && batch.payload > 0) {
    line = http::chunk_line(batch.payload, line_room);
    batch.add(http::kChunkEnd);
  }
  if (batch.has_last) {
    is_finished_ = true;
    if (outbound_ == Outbound::chunked) batch.add(last_chunk());
  }
  if (context.sink != nullptr) return hand_over(*context.sink, batch);
  if (!line.empty()) {
    pending_.append(line);  // some bytes: cheaper than a part of its own
  }
  batch.parts[0] = {pending_.data() + sent_, pending_.size() - sent_};
  const size_t first = batch.parts[0].iov_len > 0 ? 0 : 1;
  if (first == batch.count) return Step::done;
  size_t total = 0;
  for (size_t i = first; i < batch.count; ++i) total += batch.parts[i].iov_len;
  ssize_t sent = -EAGAIN;
  if (context.to.writable) {
    sent = net::send(context.to, batch.parts.data() + first, batch.count - first, in_pipe_ > 0);
  }
  if (sent < 0 && sent != -EAGAIN) return Step::sink_failed;
  if (sent < 0) sent = 0;
  moved_ += static_cast<uint64_t>(sent);
  keep_rest(batch, static_cast<size_t>(sent));
  if (static_cast<size_t>(sent) == total) return Step::done;
  context.to.writable = false;
  return Step::sink_full;
}

Flow::Step Flow::hand_over(Sink& sink, const Batch& batch) {
  for (size_t i = 1; i < batch.count; ++i) {
    const iovec& part = batch.parts[i];
    sink.take({static_cast<const char*>(part.iov_base), part.iov_len});
    moved_ += part.iov_len;
  }
  return Step::done;
}

/// What the sink did not take, and while it may be wanted again what it did, goes to pending_.
void Flow::keep_rest(const Batch& batch, size_t sent) {
  const size_t had = pending_.size() - sent_;
  size_t total = pending_.size();
  for (size_t i = 1; i < batch.count; ++i) total += batch.parts[i].iov_len;
  if (keeps_ && total > kReplayBytes) keeps_ = false;
  sent_ += std::min(sent, had);
  size_t skip = keeps_ ? 0 : sent - std::min(sent, had);
  if (keeps_) sent_ += sent - std::min(sent, had);
  for (size_t i = 1; i < batch.count; ++i) {
    const size_t gone = std::min(skip, batch.parts[i].iov_len);
    skip -= gone;
    pending_.append(static_cast<const char*>(batch.parts[i].iov_base) + gone,
                    batch.parts[i].iov_len - gone);
  }
  if (keeps_) return;
  if (sent_ == pending_.size()) {
    pending_.clear();
  } else {
    pending_.erase(0, sent_);
  }
  sent_ = 0;
}

/// Bytes of the source that come without framing in between.
uint64_t Flow::contiguous() const {
  switch (inbound_) {
    case Inbound::none: return 0;
    case Inbound::length: return left_;
    case Inbound::chunked: return decoder_.in_payload() ? decoder_.payload_left() : 0;
    case Inbound::until_end: return full_reads_ >= kBulkReads ? INT64_MAX : 0;
  }
  return 0;
}

bool Flow::wants_splice(const FlowContext& context) const {
  const uint64_t least = inbound_ == Inbound::chunked ? kSpliceChunkBytes : 1;
  // What OpenSSL has to see cannot stay in the kernel.
  if (context.from.receives != nullptr || context.to.sends != nullptr) return false;
  return context.pipes != nullptr && is_spliceable_ && small_splices_ < kSmallSplices &&
         contiguous() >= std::max(context.splice_bytes, least);
}

/// One splice into the pipe; -ENOSYS where there is none to be had.
ssize_t Flow::pull(const FlowContext& context) {
  if (!pipe_) {
    pipe_ = context.pipes->take(context.now_us);
    pool_ = context.pipes;
  }
  if (!pipe_ || (tap_ != nullptr && !tap_->can_tee(pipe_.capacity))) return -ENOSYS;
  const size_t want = std::min<uint64_t>(contiguous(), pipe_.capacity);
  const ssize_t got = sys::splice(context.from.fd, nullptr, pipe_.write_end, nullptr, want,
                                  SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got == -EAGAIN) context.from.readable = false;
  if (is_refused(got)) is_spliceable_ = false;
  return got;
}

/// Bytes have come into the pipe: what comes before them cannot be sent twice any more.
void Flow::note_pulled(uint64_t bytes) {
  stop_keeping();
  if (tap_ != nullptr) tap_->on_pipe(pipe_.read_end, bytes);
  small_splices_ = bytes < kSmallSplice ? static_cast<uint8_t>(small_splices_ + 1) : uint8_t{0};
  if (small_splices_ == kSmallSplices) full_reads_ = 0;
  in_pipe_ = bytes;
  taken_ += bytes;
  if (inbound_ == Inbound::length) left_ -= bytes;
  if (inbound_ == Inbound::chunked) decoder_.took(bytes);
}

Flow::Step Flow::splice_in(const FlowContext& context) {
  const ssize_t got = pull(context);
  if (got == -EAGAIN) return Step::source_empty;
  if (is_refused(got)) return on_fill(context);
  if (got < 0) return Step::source_failed;
  if (got == 0) {
    if (inbound_ != Inbound::until_end) return Step::source_ended;
    finish();
    return Step::done;
  }
  const auto bytes = static_cast<uint64_t>(got);
  note_pulled(bytes);
  if (outbound_ == Outbound::chunked) {
    std::array<char, http::kChunkLineRoom> room;
    pending_.append(http::chunk_line(bytes, room));
  }
  return taken_ > limit_ ? Step::too_large : Step::done;
}

Flow::Step Flow::drain_pipe(const FlowContext& context) {
  if (!context.to.writable) return Step::sink_full;
  while (sent_ < pending_.size()) {
    const ssize_t sent = sys::send(context.to.fd, pending_.data() + sent_, pending_.size() - sent_,
                                   MSG_NOSIGNAL | MSG_MORE);
    if (sent == -EAGAIN) {
      context.to.writable = false;
      return Step::sink_full;
    }
    if (sent < 0) return Step::sink_failed;
    sent_ += static_cast<size_t>(sent);
    moved_ += static_cast<uint64_t>(sent);
  }
  pending_.clear();
  sent_ = 0;
  const unsigned more = outbound_ == Outbound::chunked ? SPLICE_F_MORE : 0;
  const ssize_t moved = sys::splice(pipe_.read_end, nullptr, context.to.fd, nullptr, in_pipe_,
                                    SPLICE_F_MOVE | SPLICE_F_NONBLOCK | more);
  if (moved == -EAGAIN) {
    context.to.writable = false;
    return Step::sink_full;
  }
  if (moved <= 0) return Step::sink_failed;
  in_pipe_ -= static_cast<uint64_t>(moved);
  moved_ += static_cast<uint64_t>(moved);
  spliced_ += static_cast<uint64_t>(moved);
  if (in_pipe_ == 0) after_pipe();
  return Step::done;
}

void Flow::after_pipe() {
  if (outbound_ == Outbound::chunked) pending_.append(http::kChunkEnd);
  if (inbound_ == Inbound::length && left_ == 0) finish();
}

}  // namespace sluice::transfer
