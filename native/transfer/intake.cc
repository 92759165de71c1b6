// The loop of an intake. A splice that says EAGAIN with bytes in the pipe does not say why (the
// socket is empty, or the pipe has no slot left): they are written first, then it is asked again.
// Of a body of known length exactly that much is received: what follows stays with the socket.
#include "transfer/intake.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/limits.h"
#include "net/sys.h"
#include "net/transport.h"

namespace sluice::transfer {
namespace {

/// A splice that brought less than this did not pay; after some in a row the bytes are copied.
constexpr size_t kSmallSplice = 16 * 1024;
constexpr uint8_t kSmallSplices = 4;

bool is_refused(ssize_t error) {
  return error == -EINVAL || error == -ENOSYS || error == -EPERM || error == -EOPNOTSUPP;
}

size_t free_room(const Load& load) { return kLoadBytes - load.size; }

char* room_of(Load& load) {
  if (!load.room) load.room = std::make_unique_for_overwrite<char[]>(kLoadBytes);
  return load.room.get() + load.size;
}

}  // namespace

Load::~Load() {
  if (!pipe) return;
  sys::close(pipe.read_end);
  sys::close(pipe.write_end);
}

void Intake::start(Inbound inbound, uint64_t length, uint64_t limit) {
  inbound_ = inbound;
  left_ = length;
  limit_ = limit;
  is_finished_ = inbound == Inbound::none || (inbound == Inbound::length && length == 0);
}

Intake::Step Intake::run(const IntakeContext& context, Load& load) {
  Step step = Step::going;
  while (step == Step::going) {
    if (is_finished_) return Step::done;
    const bool has_unread = !context.reader.unread().empty();
    if (!has_unread && !context.from.readable) {
      return load.in_pipe > 0 ? Step::full : Step::source_empty;
    }
    if (!has_unread && wants_splice(context)) {
      step = pull(context, load);
    } else if (load.in_pipe > 0 || free_room(load) == 0) {
      return Step::full;
    } else {
      step = has_unread ? frame(context, load) : receive(context, load);
    }
  }
  return step;
}

Intake::Step Intake::frame(const IntakeContext& context, Load& load) {
  if (inbound_ == Inbound::chunked) return frame_chunked(context, load);
  return keep(context, load, left_);
}

Intake::Step Intake::frame_chunked(const IntakeContext& context, Load& load) {
  const http::ChunkedDecoder::Result result = decoder_.next(context.reader.unread());
  context.reader.consume(result.consumed);
  switch (result.step) {
    case http::ChunkedDecoder::Step::payload: return keep(context, load, result.payload);
    case http::ChunkedDecoder::Step::need_more: return Step::going;
    case http::ChunkedDecoder::Step::done: is_finished_ = true; return Step::done;
    case http::ChunkedDecoder::Step::error: error_ = result.error; return Step::bad_framing;
  }
  return Step::going;
}

/// Copies what the reader has, at most `most` bytes of it, into the room.
Intake::Step Intake::keep(const IntakeContext& context, Load& load, uint64_t most) {
  const std::string_view unread = context.reader.unread();
  const size_t bytes = std::min<uint64_t>({most, unread.size(), free_room(load)});
  if (bytes == 0) return Step::going;
  std::memcpy(room_of(load), unread.data(), bytes);
  load.size += bytes;
  context.reader.consume(bytes);
  note(bytes);
  return taken_ > limit_ ? Step::too_large : Step::going;
}

/// Body bytes were taken.
void Intake::note(uint64_t bytes) {
  taken_ += bytes;
  if (inbound_ == Inbound::chunked) decoder_.took(bytes);
  if (inbound_ != Inbound::length) return;
  left_ -= bytes;
  is_finished_ = left_ == 0;
}

Intake::Step Intake::receive(const IntakeContext& context, Load& load) {
  if (inbound_ == Inbound::chunked) {
    size_t room = 0;
    switch (context.reader.fill(room)) {
      case Reader::Fill::got:
      case Reader::Fill::empty: return Step::going;
      case Reader::Fill::ended: return Step::ended;
      case Reader::Fill::failed: return Step::failed;
    }
  }
  const size_t want = std::min<uint64_t>(left_, free_room(load));
  const ssize_t got = net::receive(context.from, room_of(load), want);
  if (got == -EAGAIN) return Step::going;
  if (got <= 0) return got == 0 ? Step::ended : Step::failed;
  const auto bytes = static_cast<size_t>(got);
  if (bytes == kLoadBytes) small_splices_ = 0;  // it comes in bulk now
  load.size += bytes;
  direct_ += bytes;
  note(bytes);
  return Step::going;
}

/// Bytes of the source that come without framing in between.
uint64_t Intake::contiguous() const {
  if (inbound_ == Inbound::length) return left_;
  return decoder_.in_payload() ? decoder_.payload_left() : 0;
}

bool Intake::wants_splice(const IntakeContext& context) const {
  const uint64_t least = inbound_ == Inbound::chunked ? kSpliceChunkBytes : 1;
  // What OpenSSL has to decrypt cannot stay in the kernel.
  if (context.from.receives != nullptr) return false;
  return context.pipes != nullptr && is_spliceable_ && small_splices_ < kSmallSplices &&
         contiguous() >= std::max(context.splice_bytes, least);
}

Intake::Step Intake::pull(const IntakeContext& context, Load& load) {
  if (!load.pipe) load.pipe = context.pipes->take(context.now_us);
  if (!load.pipe) {
    is_spliceable_ = false;
    return Step::going;
  }
  const size_t want = std::min<uint64_t>(contiguous(), load.pipe.capacity - load.in_pipe);
  if (want == 0) return Step::full;
  const ssize_t got = sys::splice(context.from.fd, nullptr, load.pipe.write_end, nullptr, want,
                                  SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got == -EAGAIN) {
    if (load.in_pipe == 0) context.from.readable = false;
    if (load.in_pipe > 0 && load.in_pipe < kSmallSplice) ++small_splices_;
    return load.in_pipe > 0 ? Step::full : Step::going;
  }
  if (is_refused(got)) {
    is_spliceable_ = false;
    return Step::going;
  }
  if (got <= 0) return got == 0 ? Step::ended : Step::failed;
  const auto bytes = static_cast<uint64_t>(got);
  load.in_pipe += bytes;
  if (load.in_pipe >= kSmallSplice) small_splices_ = 0;
  spliced_ += bytes;
  direct_ += bytes;
  note(bytes);
  return taken_ > limit_ ? Step::too_large : Step::going;
}

}  // namespace sluice::transfer
