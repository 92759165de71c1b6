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

namespace sluice::transfer {
namespace {

struct Context {
  int socket;
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
    ssize_t sent = sys::send(context.socket, bytes.data() + transfer.offset, want, MSG_NOSIGNAL);
    if (sent < 0) return stopped_by(sent, progress.moved);
    advance(transfer, progress, static_cast<size_t>(sent));
  }
  progress.step = after_budget(transfer);
  return progress;
}

/// Whether the byte at `offset` can be read without waiting for a disk. File systems that cannot
/// tell count as warm here.
bool is_warm(int fd, uint64_t offset) {
  char byte;
  iovec part{&byte, 1};
  return sys::preadv2(fd, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT) != -EAGAIN;
}

/// Both ends of what the next step may send; files that were wholly warm are not asked again soon.
bool window_is_warm(const Transfer& transfer, const Context& context) {
  const Source& source = *transfer.source;
  if (context.now_us < source.warm_until_us.load(std::memory_order_relaxed)) return true;
  uint64_t window = std::min(transfer.left, context.budget);
  if (!is_warm(source.fd, transfer.offset)) return false;
  if (!is_warm(source.fd, transfer.offset + window - 1)) return false;
  if (transfer.offset == 0 && window == source.size) {
    source.warm_until_us.store(context.now_us + kWarmUs, std::memory_order_relaxed);
  }
  return true;
}

Progress step_sendfile(Transfer& transfer, const Context& context) {
  Progress progress;
  if (transfer.left > 0 && !window_is_warm(transfer, context)) return {Step::cold, 0};
  while (transfer.left > 0 && progress.moved < context.budget) {
    size_t want = std::min(transfer.left, context.budget - progress.moved);
    off_t offset = static_cast<off_t>(transfer.offset);
    ssize_t sent = sys::sendfile(context.socket, transfer.source->fd, &offset, want);
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
  off_t offset = static_cast<off_t>(transfer.offset);
  iovec part{scratch.data(), std::min(want, scratch.size())};
  ssize_t got = sys::preadv2(source.fd, &part, 1, offset, RWF_NOWAIT);
  if (got != -EOPNOTSUPP && got != -ENOSYS && got != -EPERM) return got;
  return sys::pread(source.fd, part.iov_base, part.iov_len, offset);
}

Progress step_copy(Transfer& transfer, const Context& context) {
  if (transfer.source->in_memory()) return step_memory(transfer, context);
  Progress progress;
  while (transfer.left > 0 && progress.moved < context.budget) {
    size_t want = std::min(transfer.left, context.budget - progress.moved);
    ssize_t got = read_warm(transfer, context.scratch, want);
    if (got == -EAGAIN) return {Step::cold, progress.moved};
    if (got < 0) return {Step::failed, progress.moved};
    if (got == 0) return {Step::short_source, progress.moved};
    size_t bytes = static_cast<size_t>(got);
    ssize_t sent = sys::send(context.socket, context.scratch.data(), bytes, MSG_NOSIGNAL);
    if (sent < 0) return stopped_by(sent, progress.moved);
    advance(transfer, progress, static_cast<size_t>(sent));
  }
  progress.step = after_budget(transfer);
  return progress;
}

constexpr std::array<StepFunction, kEngineCount> kSteps = {step_memory, step_sendfile, step_copy};
constexpr std::array<std::string_view, kEngineCount> kNames = {"memory", "sendfile", "copy"};

}  // namespace

std::string_view engine_name(Engine engine) { return kNames[static_cast<size_t>(engine)]; }

Progress step(Transfer& transfer, int socket, uint64_t budget, std::span<char> scratch,
              int64_t now_us) {
  return kSteps[static_cast<size_t>(transfer.engine)](transfer, {socket, budget, scratch, now_us});
}

bool read_ahead(const Transfer& transfer, uint64_t budget) {
  thread_local std::vector<char> trash(256 * 1024);
  uint64_t left = std::min(transfer.left, budget);
  uint64_t offset = transfer.offset;
  while (left > 0) {
    size_t want = std::min<uint64_t>(left, trash.size());
    ssize_t got = sys::pread(transfer.source->fd, trash.data(), want, static_cast<off_t>(offset));
    if (got < 0) return false;
    if (got == 0) return true;  // shorter than promised: the engine finds out and says so
    offset += static_cast<uint64_t>(got);
    left -= static_cast<uint64_t>(got);
  }
  return true;
}

}  // namespace sluice::transfer
