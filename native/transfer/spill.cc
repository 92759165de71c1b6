// A file is written at its end and never overwritten: pages that sendfile has handed to a socket
// belong to the peer until it acknowledges them.
#include "transfer/spill.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "net/sys.h"

namespace sluice::transfer {
namespace {

/// Another file is begun from this size on.
constexpr uint64_t kFileBytes = 8 * 1024 * 1024;

}  // namespace

void Spill::clear() {
  for (const File& file : files_) sys::close(file.fd);
  files_.clear();
  size_ = 0;
}

Spill::File* Spill::last() {
  if (!files_.empty() && files_.back().end < kFileBytes) return &files_.back();
  const int fd = sys::memfd_create("sluice-behind", MFD_CLOEXEC);
  if (fd < 0) return nullptr;
  return &files_.emplace_back(File{fd, 0, 0});
}

bool Spill::take_pipe(int read_end, uint64_t bytes) {
  while (bytes > 0) {
    File* file = last();
    if (file == nullptr) return false;
    auto at = static_cast<off_t>(file->end);
    const ssize_t moved = sys::splice(read_end, nullptr, file->fd, &at, bytes, SPLICE_F_MOVE);
    if (moved <= 0) return false;
    file->end += static_cast<uint64_t>(moved);
    size_ += static_cast<uint64_t>(moved);
    bytes -= static_cast<uint64_t>(moved);
  }
  return true;
}

bool Spill::take(std::string_view bytes) {
  while (!bytes.empty()) {
    File* file = last();
    if (file == nullptr) return false;
    const ssize_t written =
        sys::pwrite(file->fd, bytes.data(), bytes.size(), static_cast<off_t>(file->end));
    if (written <= 0) return false;
    file->end += static_cast<uint64_t>(written);
    size_ += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

ssize_t Spill::send(int socket, uint64_t most) {
  const File& file = files_.front();
  auto at = static_cast<off_t>(file.begin);
  const ssize_t sent = sys::sendfile(socket, file.fd, &at, std::min(most, file.end - file.begin));
  if (sent == 0) return -EIO;  // nobody truncates it
  if (sent > 0) took(static_cast<uint64_t>(sent));
  return sent;
}

ssize_t Spill::read(std::string& out, uint64_t most) {
  const File& file = files_.front();
  const size_t had = out.size();
  const uint64_t want = std::min(most, file.end - file.begin);
  out.resize(had + want);
  const ssize_t got = sys::pread(file.fd, out.data() + had, want, static_cast<off_t>(file.begin));
  out.resize(had + (got > 0 ? static_cast<size_t>(got) : 0));
  if (got == 0) return -EIO;
  if (got > 0) took(static_cast<uint64_t>(got));
  return got;
}

void Spill::took(uint64_t bytes) {
  File& file = files_.front();
  file.begin += bytes;
  size_ -= bytes;
  if (file.begin < file.end) return;
  sys::close(file.fd);
  files_.pop_front();
}

}  // namespace sluice::transfer
