// The engines: a table of functions with one signature. Each moves until the budget is used up, the
// socket is full or the source ends, and says which. None waits for a disk: a page that is not in
// memory ends the step as `cold`.
#include "transfer/transfer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <vector>

#include "core/limits.h"
#include "net/sys.h"
#include "net/transport.h"

namespace sluice::transfer {
namespace {

struct Context {
  net::SocketState& socket;
  uint64_t budget;
  std::span<char> scratch;
  int64_t now_us;
};

using StepFunction = Progress (*)(Transfer&, const Context&);

Progress stopped_by(ssize_t error, uint64_t moved) {
  if (error == -EAGAIN) return {Step::blocked, moved};
  if (error == -EPIPE || error == -ECONNRESET || error == -ETIMEDOUT) {
    return {Step::peer_gone, moved};
  }
  return {Step::failed, moved};
}

void advance(Transfer& transfer, Progress& progress, size_t bytes) {
  transfer.offset += bytes;
  transfer.left -= bytes;
  progress.moved += bytes;
}

Step after_budget(const Transfer& transfer) { return transfer.left == 0 ? Step::done : Step::more; }

Progress step_memory(Transfer& transfer, const Context& context) {
  Progress progress;
  const std::string& bytes = transfer.source->bytes;
  assert(transfer.offset + transfer.left <= bytes.size());
  while (transfer.left > 0 && progress.moved < context.budget) {
    size_t want = std::min(transfer.left, context.budget - progress.moved);
    ssize_t sent = net::send(context.socket, bytes.data() + transfer.offset, want, false);
    if (sent < 0) return stopped_by(sent, progress.moved);
    advance(transfer, progress, static_cast<size_t>(sent));
  }
  progress.step = after_budget(transfer);
  return progress;
}

/// The file system or the kernel does not know RWF_NOWAIT.
bool cannot_tell(ssize_t error) {
  return error == -EOPNOTSUPP || error == -ENOSYS || error == -EPERM;
}

/// Whether the byte at `offset` can be read without waiting for a disk. Where nobody can tell, what
/// an I/O thread has read just now counts as warm.
bool is_warm(const Transfer& transfer, uint64_t offset) {
  char byte;
  iovec part{&byte, 1};
  const auto at = static_cast<off_t>(offset);
  const ssize_t got = sys::preadv2(transfer.source->fd, &part, 1, at, RWF_NOWAIT);
  return cannot_tell(got) ? offset < transfer.ready_to : got != -EAGAIN;
}

/// Sends the bytes that an I/O thread has read, if they are what comes next. False: the socket has
/// taken what it can, and `progress` says so.
bool send_filled(Transfer& transfer, const Context& context, Progress& progress) {
  while (transfer.left > 0 && progress.moved < context.budget) {
    const uint64_t from = transfer.offset - transfer.filled_at;
    if (from >= transfer.filled.size()) break;  // also when it wrapped around
    const size_t want =
        std::min({transfer.filled.size() - from, transfer.left, context.budget - progress.moved});
    const ssize_t sent = net::send(context.socket, transfer.filled.data() + from, want, false);
    if (sent < 0) {
      progress = stopped_by(sent, progress.moved);
      return false;
    }
    advance(transfer, progress, static_cast<size_t>(sent));
  }
  if (transfer.offset - transfer.filled_at >= transfer.filled.size()) {
    std::string().swap(transfer.filled);
  }
  return true;
}

/// How far apart the pages are that are asked for: the kernel reads ahead by so much at least.
constexpr uint64_t kProbeBytes = 128 * 1024;

/// What the next step may send, from its first page to its last: somebody may have read the ends of
/// a file and nothing between them. A file that was wholly warm is not asked again soon.
bool window_is_warm(Transfer& transfer, const Context& context) {
  const Source& source = *transfer.source;
  if (context.now_us < source.warm_until_us.load(std::memory_order_relaxed)) return true;
  const uint64_t window = std::min(transfer.left, context.budget);
  for (uint64_t at = 0; at < window; at += kProbeBytes) {
    if (!is_warm(transfer, transfer.offset + at)) return false;
  }
  if (!is_warm(transfer, transfer.offset + window - 1)) return false;
  if (transfer.offset == 0) transfer.warm_since_us = context.now_us;
  const bool is_whole = transfer.warm_since_us > 0 && transfer.offset + window == source.size;
  // From its first byte on, and not so long ago that those pages may be gone again.
  if (is_whole && context.now_us < transfer.warm_since_us + kWarmUs) {
    source.warm_until_us.store(transfer.warm_since_us + kWarmUs, std::memory_order_relaxed);
  }
  return true;
}

Progress step_sendfile(Transfer& transfer, const Context& context) {
  Progress progress;
  if (!send_filled(transfer, context, progress)) return progress;
  const bool goes_on = transfer.left > 0 && progress.moved < context.budget;
  if (goes_on && !window_is_warm(transfer, context)) {
    transfer.warm_since_us = 0;
    return {Step::cold, progress.moved};
  }
  while (transfer.left > 0 && progress.moved < context.budget) {
    size_t want = std::min(transfer.left, context.budget - progress.moved);
    off_t offset = static_cast<off_t>(transfer.offset);
    ssize_t sent = sys::sendfile(context.socket.fd, transfer.source->fd, &offset, want);
    if (sent < 0) return stopped_by(sent, progress.moved);
    if (sent == 0) return {Step::short_source, progress.moved};
    advance(transfer, progress, static_cast<size_t>(sent));
  }
  progress.step = after_budget(transfer);
  return progress;
}

/// Reads from the source into scratch without waiting for a disk: bytes, 0 at its end, or -errno
/// (-EAGAIN: cold).
ssize_t read_warm(const Transfer& transfer, std::span<char> scratch, size_t want) {
  const Source& source = *transfer.source;
  if (source.is_remote) return -EAGAIN;
  off_t offset = static_cast<off_t>(transfer.offset);
  iovec part{scratch.data(), std::min(want, scratch.size())};
  ssize_t got = sys::preadv2(source.fd, &part, 1, offset, RWF_NOWAIT);
  if (!cannot_tell(got)) return got;
  if (transfer.offset >= transfer.ready_to) return -EAGAIN;
  part.iov_len = std::min(part.iov_len, transfer.ready_to - transfer.offset);
  return sys::pread(source.fd, part.iov_base, part.iov_len, offset);
}

Progress step_copy(Transfer& transfer, const Context& context) {
  if (transfer.source->in_memory()) return step_memory(transfer, context);
  Progress progress;
  if (!send_filled(transfer, context, progress)) return progress;
  while (transfer.left > 0 && progress.moved < context.budget) {
    size_t want = std::min(transfer.left, context.budget - progress.moved);
    ssize_t got = read_warm(transfer, context.scratch, want);
    if (got == -EAGAIN) return {Step::cold, progress.moved};
    if (got < 0) return {Step::failed, progress.moved};
    if (got == 0) return {Step::short_source, progress.moved};
    size_t bytes = static_cast<size_t>(got);
    ssize_t sent = net::send(context.socket, context.scratch.data(), bytes, false);
    if (sent < 0) return stopped_by(sent, progress.moved);
    advance(transfer, progress, static_cast<size_t>(sent));
  }
  progress.step = after_budget(transfer);
  return progress;
}

/// Of bodies that come from a Source; what comes from a socket is a flow (transfer/flow.h).
constexpr std::array<StepFunction, kEngineCount> kSteps = {step_memory, step_sendfile, step_copy,
                                                           nullptr,     nullptr,       step_copy,
                                                           step_copy,   step_sendfile, nullptr};
constexpr std::array<std::string_view, kEngineCount> kNames = {
    "memory",   "sendfile",  "copy",          "splice",     "splice-in",
    "tls-copy", "ktls-copy", "ktls-sendfile", "ktls-splice"};

}  // namespace

std::string_view engine_name(Engine engine) { return kNames[static_cast<size_t>(engine)]; }

Progress step(Transfer& transfer, net::SocketState& socket, uint64_t budget,
              std::span<char> scratch, int64_t now_us) {
  assert(kSteps[static_cast<size_t>(transfer.engine)] != nullptr);
  return kSteps[static_cast<size_t>(transfer.engine)](transfer, {socket, budget, scratch, now_us});
}

bool wants_filling(Transfer& transfer) {
  const bool again = transfer.cold_at == transfer.offset;
  transfer.cold_at = transfer.offset;
  return again || transfer.source->is_remote;
}

ReadAhead read_ahead(const Transfer& transfer, uint64_t budget, bool fill) {
  thread_local std::vector<char> trash(256 * 1024);
  ReadAhead ahead;
  uint64_t left = std::min(transfer.left, fill ? kFillBytes : budget);
  ahead.ready_to = transfer.offset;
  if (fill) ahead.filled.resize(left);
  while (left > 0) {
    char* room = fill ? ahead.filled.data() + (ahead.ready_to - transfer.offset) : trash.data();
    const size_t want = fill ? left : std::min<uint64_t>(left, trash.size());
    const auto at = static_cast<off_t>(ahead.ready_to);
    const ssize_t got = sys::pread(transfer.source->fd, room, want, at);
    ahead.readable = got >= 0;
    if (got <= 0) break;
    ahead.ready_to += static_cast<uint64_t>(got);
    left -= static_cast<uint64_t>(got);
  }
  if (fill) ahead.filled.resize(ahead.ready_to - transfer.offset);
  ahead.is_short = ahead.readable && ahead.ready_to == transfer.offset;
  return ahead;
}

void accept(Transfer& transfer, ReadAhead ahead) {
  transfer.ready_to = ahead.ready_to;
  transfer.filled = std::move(ahead.filled);
  transfer.filled_at = transfer.offset;
}

}  // namespace sluice::transfer
