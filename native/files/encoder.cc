// The thread that talks to the encoding process, in blocking calls. It sends the whole file before
// it reads a byte of the answer, and the process reads all of it before it writes: neither can wait
// for the other. What has been promised is sent in full, also of a file that shrinks meanwhile, so
// that the connection stays in step; such a result is thrown away.
#include "files/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "files/open_beneath.h"
#include "net/sys.h"

namespace sluice::files {
namespace {

struct Frame {
  uint32_t kind;  ///< coding or outcome
  uint32_t checksum;
  uint64_t length;
};
static_assert(sizeof(Frame) == 16);

/// What the process says of a file (src/files/encoder-process.ts).
enum Said : uint32_t { kEncoded = 0, kUseless = 1 };

constexpr size_t kPieceBytes = 64 * 1024;

/// 0, or the errno.
int send_all(int fd, const void* bytes, size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t sent = sys::send(fd, at, size, MSG_NOSIGNAL);
    if (sent < 0) return static_cast<int>(-sent);
    at += sent;
    size -= static_cast<size_t>(sent);
  }
  return 0;
}

int receive_all(int fd, void* buffer, size_t size) {
  char* at = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = sys::recv(fd, at, size, MSG_WAITALL);
    if (got <= 0) return got == 0 ? ECONNRESET : static_cast<int>(-got);
    at += got;
    size -= static_cast<size_t>(got);
  }
  return 0;
}

int send_zeros(int fd, uint64_t count) {
  static constexpr std::array<char, kPieceBytes> kZeros{};
  int error = 0;
  for (; count > 0 && error == 0; count -= std::min<uint64_t>(count, kZeros.size())) {
    error = send_all(fd, kZeros.data(), std::min<uint64_t>(count, kZeros.size()));
  }
  return error;
}

/// All of `file`; zeros where it has nothing (any more), or cannot be read.
int send_content(int fd, const File& file) {
  if (file.in_memory()) return send_all(fd, file.bytes.data(), file.bytes.size());
  std::string piece(kPieceBytes, '\0');
  for (uint64_t at = 0; at < file.size;) {
    const size_t want = std::min<uint64_t>(piece.size(), file.size - at);
    const ssize_t got = sys::pread(file.fd, piece.data(), want, static_cast<off_t>(at));
    if (got <= 0) return send_zeros(fd, file.size - at);
    if (int error = send_all(fd, piece.data(), static_cast<size_t>(got)); error != 0) return error;
    at += static_cast<uint64_t>(got);
  }
  return 0;
}

/// Whether what was sent is what the file's identity stands for.
bool is_unchanged(const File& file) {
  if (file.in_memory()) return true;
  struct stat status;
  return sys::fstat(file.fd, &status) == 0 && identity_of(status) == file.identity;
}

int write_all(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = sys::write(fd, bytes, size);
    if (written <= 0) return written == 0 ? ENOSPC : static_cast<int>(-written);
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return 0;
}

/// A file that no name leads to; or -errno.
int make_unnamed(const std::string& directory) {
  if (directory.empty()) return sys::memfd_create("sluice-encoding", MFD_CLOEXEC);
  return sys::openat(AT_FDCWD, directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int receive_bytes(int fd, uint64_t length, std::string& bytes) {
  bytes.resize(length);
  return receive_all(fd, bytes.data(), bytes.size());
}

/// Receives everything also where there is no room for it, to stay in step; 0, or the errno.
int receive_file(int fd, uint64_t length, const std::string& directory, OwnedFd& file) {
  file.reset(make_unnamed(directory));
  int problem = file.valid() ? 0 : -file.get();
  std::string piece(kPieceBytes, '\0');
  for (uint64_t left = length; left > 0;) {
    const size_t size = std::min<uint64_t>(left, piece.size());
    if (int error = receive_all(fd, piece.data(), size); error != 0) return error;
    if (problem == 0) problem = write_all(file.get(), piece.data(), size);
    left -= size;
  }
  return problem;
}

Encoded ended(Encoded::Outcome outcome, int error = 0) { return {outcome, {}, error}; }

Encoded failed(int error) { return ended(Encoded::Outcome::failed, error); }

}  // namespace

struct Encoder::Connection {
  explicit Connection(int descriptor) : fd(descriptor) {}
  ~Connection() { sys::close(fd); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// Wakes whoever waits on it; it stays open until they let go.
  void end() const { sys::shutdown(fd, SHUT_RDWR); }
  const int fd;
};

Encoder::Encoder(OpenOptions options, Done done)
    : options_(std::move(options)), done_(std::move(done)), thread_([this] { run(); }) {}

Encoder::~Encoder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (connection_) connection_->end();
  }
  ready_.notify_all();
  thread_.join();
}

int Encoder::connect() {
  int ends[2];
  const int error = sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
  if (error < 0) return error;
  disconnect();
  const std::lock_guard lock(mutex_);
  connection_ = std::make_shared<Connection>(ends[0]);
  return ends[1];
}

void Encoder::disconnect() {
  const std::lock_guard lock(mutex_);
  if (connection_) connection_->end();
  connection_.reset();
}

void Encoder::encode(EncodeJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  ready_.notify_all();
}

void Encoder::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals belong to the main thread
  pthread_setname_np(pthread_self(), "sluice-encode");
  std::unique_lock lock(mutex_);
  for (;;) {
    ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const EncodeJob job = std::move(jobs_.front());
    jobs_.pop_front();
    const std::shared_ptr<Connection> connection = connection_;
    lock.unlock();
    done_(job.id, connection ? perform(*connection, job) : failed(ENOTCONN));
    lock.lock();
  }
}

Encoded Encoder::perform(const Connection& connection, const EncodeJob& job) const {
  const File& file = *job.file;
  if (file.is_young()) return ended(Encoded::Outcome::changed);
  const Frame frame{static_cast<uint32_t>(job.coding), 0, file.size};
  int error = send_all(connection.fd, &frame, sizeof frame);
  if (error == 0) error = send_content(connection.fd, file);
  if (error != 0) return failed(error);
  Encoded encoded = take_in(connection, job);
  if (encoded.outcome == Encoded::Outcome::failed || is_unchanged(file)) return encoded;
  return ended(Encoded::Outcome::changed);
}

Encoded Encoder::take_in(const Connection& connection, const EncodeJob& job) const {
  Frame frame;
  if (int error = receive_all(connection.fd, &frame, sizeof frame); error != 0) {
    return failed(error);
  }
  if (frame.kind != kEncoded || frame.length == 0 || frame.length >= job.file->size) {
    if (frame.kind == kUseless && frame.length == 0) return ended(Encoded::Outcome::useless);
    connection.end();  // not what was agreed: nothing after it can be trusted
    return failed(EPROTO);
  }
  std::string bytes;
  OwnedFd unnamed;
  const bool in_memory = !options_.keep_descriptor && frame.length <= options_.memory_bytes;
  const int error = in_memory ? receive_bytes(connection.fd, frame.length, bytes)
                              : receive_file(connection.fd, frame.length, job.directory, unnamed);
  if (error != 0) return failed(error);
  Encoded encoded = ended(Encoded::Outcome::made);
  encoded.file = make_ref<File>(options_.counts, unnamed.release(), std::move(bytes),
                                in_memory ? 0 : frame.length);
  File& made = *encoded.file;
  made.size = frame.length;
  made.mtime_s = job.file->mtime_s;
  made.mtime_ns = job.file->mtime_ns;
  made.opened_s = job.file->opened_s;
  made.identity = job.file->identity;
  made.checksum = frame.checksum;
  made.lane = job.file->lane;
  return encoded;
}

}  // namespace sluice::files
