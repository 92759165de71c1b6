// The file and its name. The directory is found beneath the root each time it is needed, never by
// a path: a symlink that leads out of the root is no way to write there. What is at the name is
// never followed, only replaced, and only if it is a regular file.
#include "files/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cstdio>

#include "files/answer.h"
#include "http/conditional.h"
#include "net/capabilities.h"
#include "net/sys.h"

namespace sluice::files {
namespace {

constexpr int kRaceRetries = 16;  // somebody else, not of this gateway, changes what is at the name

/// What a failed call means for the client.
ErrorCode error_of(int error) {
  switch (error) {
    case 0: return ErrorCode::none;
    case ENOTDIR:
    case ENOENT:
    case EISDIR:
    case EEXIST: return ErrorCode::upload_conflict;
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL: return ErrorCode::upload_refused;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return ErrorCode::no_space;
    case EMFILE:
    case ENFILE: return ErrorCode::out_of_descriptors;
    default: return ErrorCode::file_error;
  }
}

std::string hidden_name() { return std::string(kHiddenPrefix) + random_digits(24); }

/// Writes what is in a directory to the disk: a name that was given or taken.
ErrorCode sync_folder(int folder) {
  const OwnedFd fd(sys::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  return fd.valid() ? error_of(-sys::fsync(fd.get())) : error_of(-fd.get());
}

bool cannot_splice(ssize_t error) {
  return error == -EINVAL || error == -ENOSYS || error == -EPERM || error == -EOPNOTSUPP;
}

}  // namespace

Demands::Demands(const http::RequestHead& head) {
  using http::FieldId;
  for (size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    switch (field.id) {
      case FieldId::if_match:
      case FieldId::if_none_match:
      case FieldId::if_unmodified_since:
        demands_.push_back({field.id, std::string(field.value)});
        break;
      default: break;
    }
  }
}

bool Demands::hold(std::string_view etag, int64_t modified_s) const {
  if (demands_.empty()) return true;
  auto head = std::make_unique<http::RequestHead>();
  head->method = http::Method::put;
  for (const Demand& demand : demands_) {
    // Without a representation no tag matches, "*" neither, and there is no date.
    if (etag.empty() && demand.id == http::FieldId::if_match) return false;
    if (etag.empty()) continue;
    uint16_t& first = head->first_of[static_cast<size_t>(demand.id)];
    head->fields[head->field_count++] = {{}, demand.value, demand.id};
    if (first == 0) first = head->field_count;
  }
  const http::Validators validators{etag, modified_s};
  return http::evaluate_preconditions(*head, validators, sys::wall_clock_s()) ==
         http::Precondition::pass;
}

/// What is at the name.
struct Upload::There {
  bool exists = false;
  struct stat status {};
  std::string etag;
};

Upload::~Upload() {
  if (!temporary_name_.empty()) {
    sys::unlinkat(temporary_folder_.get(), temporary_name_.c_str(), 0);
  }
  if (root_ && reserved_ > 0) root_->give_back(reserved_);
}

ErrorCode Upload::begin(UploadRoots& roots) {
  root_ = roots.at(request_.root);
  root_->prepare(request_.rules->quota_bytes != UINT64_MAX);
  const size_t slash = request_.path.rfind('/');
  folder_ = slash == std::string::npos ? "" : request_.path.substr(0, slash);
  name_ = slash == std::string::npos ? request_.path : request_.path.substr(slash + 1);
  if (request_.names_itself) name_ = random_digits(32);
  return name_.empty() ? ErrorCode::upload_conflict : ErrorCode::none;
}

ErrorCode Upload::open(UploadRoots& roots) {
  if (const ErrorCode error = begin(roots); error != ErrorCode::none) return error;
  int error = 0;
  OwnedFd folder = find_folder(false, error);
  There there;
  if (folder.valid()) {
    ErrorCode found = look(folder.get(), there);
    if (found == ErrorCode::none) found = allow(there);
    if (found != ErrorCode::none) return found;
  } else if (error != ENOENT || !request_.rules->folders) {
    return error_of(error);
  } else if (const ErrorCode refused = allow(there); refused != ErrorCode::none) {
    return refused;
  }
  if (const ErrorCode full = grow(request_.length.value_or(0)); full != ErrorCode::none) {
    return full;
  }
  if (folder.valid()) return make_file(folder.get());
  // Directories are made when all has come: until then the file is in the root.
  const OwnedFd top = root_->open();
  return top.valid() ? make_file(top.get()) : error_of(-top.get());
}

/// The directory of the name, or `error`. `make`: what is missing of it is made.
OwnedFd Upload::find_folder(bool make, int& error) {
  OwnedFd top = root_->open();
  error = top.valid() ? 0 : -top.get();
  if (error != 0) return {};
  for (int i = 0; i < kRaceRetries; ++i) {
    Found found = find_beneath(top.get(), folder_, false);
    error = found.error;
    if (error == 0 && !S_ISDIR(found.status.st_mode)) error = ENOTDIR;
    if (error == 0) return std::move(found.fd);
    if (error != ENOENT || !make) return {};
    error = make_folders(top.get());
    if (error != 0) return {};
  }
  return {};
}

/// Makes the directories of the name that are missing, from the first one on: 0 or errno.
int Upload::make_folders(int top) {
  OwnedFd above(sys::openat(top, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  for (size_t end = 0; end < folder_.size();) {
    const size_t begin = end == 0 ? 0 : end + 1;
    end = std::min(folder_.find('/', begin), folder_.size());
    Found found = find_beneath(top, folder_.substr(0, end), false);
    if (found.error == ENOENT) {
      const std::string name = folder_.substr(begin, end - begin);
      const int made = sys::mkdirat(above.get(), name.c_str(), 0777);
      if (made < 0 && made != -EEXIST) return -made;
      if (made == 0 && request_.rules->sync) sync_folder(above.get());
      found = find_beneath(top, folder_.substr(0, end), false);
    }
    if (found.error != 0) return found.error;
    above = std::move(found.fd);
  }
  return 0;
}

ErrorCode Upload::look(int folder, There& there) const {
  const int result = sys::fstatat(folder, name_.c_str(), &there.status, AT_SYMLINK_NOFOLLOW);
  if (result == -ENOENT) return ErrorCode::none;
  if (result < 0) return error_of(-result);
  if (!S_ISREG(there.status.st_mode)) return ErrorCode::upload_conflict;
  there.exists = true;
  there.etag = etag_of(static_cast<uint64_t>(there.status.st_size), there.status.st_mtim.tv_sec,
                       static_cast<uint32_t>(there.status.st_mtim.tv_nsec));
  return ErrorCode::none;
}

ErrorCode Upload::allow(const There& there) const {
  if (!request_.demands.hold(there.etag, there.status.st_mtim.tv_sec)) {
    return ErrorCode::precondition_failed;
  }
  const bool is_fine = !there.exists || request_.rules->replace;
  return is_fine ? ErrorCode::none : ErrorCode::upload_conflict;
}

ErrorCode Upload::make_file(int folder) {
  if (!request_.force_named && net::available(net::Feature::proc_fd)) {
    OwnedFd file(sys::openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666));
    if (file.valid()) {
      file_ = std::move(file);
      // For when it gets a hidden name: see remove_leftover().
      sys::flock(file_.get(), LOCK_EX | LOCK_NB);
      return ErrorCode::none;
    }
    const int error = -file.get();
    if (error != EOPNOTSUPP && error != EISDIR && error != ENOENT && error != EINVAL) {
      return error_of(error);
    }
  }
  return make_named(folder);
}

/// Where there are no files without names.
ErrorCode Upload::make_named(int folder) {
  constexpr int kFlags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC;
  OwnedFd here(sys::openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  if (!here.valid()) return error_of(-here.get());
  for (int i = 0; i < kRaceRetries; ++i) {
    const std::string name = hidden_name();
    OwnedFd file(sys::openat(here.get(), name.c_str(), kFlags, 0666));
    if (!file.valid()) return error_of(-file.get());
    sys::flock(file.get(), LOCK_EX | LOCK_NB);
    struct stat status;
    // A gateway that starts may have swept it before it was locked.
    if (sys::fstat(file.get(), &status) == 0 && status.st_nlink == 0) continue;
    file_ = std::move(file);
    temporary_folder_ = std::move(here);
    temporary_name_ = name;
    return ErrorCode::none;
  }
  return ErrorCode::file_error;
}

/// Room for `bytes` altogether.
ErrorCode Upload::grow(uint64_t bytes) {
  if (bytes <= reserved_) return ErrorCode::none;
  if (!root_->reserve(bytes - reserved_, request_.rules->quota_bytes)) {
    return ErrorCode::quota_exceeded;
  }
  reserved_ = bytes;
  return ErrorCode::none;
}

ErrorCode Upload::write() {
  ErrorCode error = grow(size_ + load.total());
  if (error == ErrorCode::none) error = keep(load.room.get(), load.size);
  load.size = 0;
  if (error == ErrorCode::none) error = keep_pipe();
  return error;
}

ErrorCode Upload::keep(const char* bytes, size_t size) {
  if (request_.digest && size > 0) hash_.update({bytes, size});
  while (size > 0) {
    const ssize_t got = sys::pwrite(file_.get(), bytes, size, static_cast<off_t>(size_));
    if (got < 0) return error_of(static_cast<int>(-got));
    bytes += got;
    size -= static_cast<size_t>(got);
    size_ += static_cast<uint64_t>(got);
  }
  return ErrorCode::none;
}

ErrorCode Upload::keep_pipe() {
  while (load.in_pipe > 0) {
    auto offset = static_cast<off_t>(size_);
    const ssize_t moved =
        sys::splice(load.pipe.read_end, nullptr, file_.get(), &offset, load.in_pipe, SPLICE_F_MOVE);
    if (cannot_splice(moved)) return copy_pipe(load.in_pipe);
    if (moved <= 0) return moved == 0 ? ErrorCode::file_error : error_of(static_cast<int>(-moved));
    load.in_pipe -= static_cast<uint64_t>(moved);
    size_ += static_cast<uint64_t>(moved);
  }
  return ErrorCode::none;
}

/// For file systems that take nothing from a pipe.
ErrorCode Upload::copy_pipe(size_t bytes) {
  std::array<char, 64 * 1024> room;
  while (bytes > 0) {
    const ssize_t got = sys::read(load.pipe.read_end, room.data(), std::min(bytes, room.size()));
    if (got <= 0) return ErrorCode::file_error;
    bytes -= static_cast<size_t>(got);
    load.in_pipe = bytes;
    if (const ErrorCode error = keep(room.data(), static_cast<size_t>(got));
        error != ErrorCode::none) {
      return error;
    }
  }
  return ErrorCode::none;
}

ErrorCode Upload::store() {
  if (request_.length && size_ != *request_.length) return ErrorCode::internal_error;
  if (request_.digest && hash_.finish() != *request_.digest) return ErrorCode::digest_mismatch;
  const int64_t time_ns = root_->next_time_ns();
  const auto nanoseconds = static_cast<uint32_t>(time_ns % 1'000'000'000);
  sys::set_modified(file_.get(), time_ns / 1'000'000'000, nanoseconds);
  if (request_.rules->sync) {
    if (const int error = -sys::fsync(file_.get()); error != 0) return error_of(error);
  }
  int error = 0;
  const OwnedFd folder = find_folder(request_.rules->folders, error);
  if (!folder.valid()) return error_of(error);
  const std::lock_guard lock(root_->lock_of(request_.path));
  for (int i = 0; i < kRaceRetries; ++i) {
    There there;
    ErrorCode result = look(folder.get(), there);
    if (result == ErrorCode::none) result = allow(there);
    if (result == ErrorCode::none) result = publish(folder.get(), there);
    // Between looking and linking somebody else has made a file of that name: look again.
    if (result == ErrorCode::upload_conflict && !there.exists) continue;
    return result;
  }
  return ErrorCode::upload_conflict;
}

/// Under the lock of the name.
ErrorCode Upload::publish(int folder, const There& there) {
  if (there.exists) {
    if (const ErrorCode error = replace(folder); error != ErrorCode::none) return error;
  } else if (const int error = link_as(folder, name_.c_str()); error != 0) {
    return error_of(error);
  }
  struct stat status;
  if (const int error = -sys::fstat(file_.get(), &status); error != 0) return error_of(error);
  is_new_ = !there.exists;
  etag_ = etag_of(static_cast<uint64_t>(status.st_size), status.st_mtim.tv_sec,
                  static_cast<uint32_t>(status.st_mtim.tv_nsec));
  root_->settle(std::exchange(reserved_, 0), static_cast<uint64_t>(there.status.st_size));
  return request_.rules->sync ? sync_folder(folder) : ErrorCode::none;
}

/// Gives the file a name that nothing has: 0 or errno.
int Upload::link_as(int folder, const char* name) {
  if (temporary_name_.empty()) {
    char path[32];
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", file_.get());
    return -sys::linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW);
  }
  const int from = temporary_folder_.get();
  int error = -sys::renameat2(from, temporary_name_.c_str(), folder, name, RENAME_NOREPLACE);
  if (error == EINVAL || error == ENOSYS) {  // an old kernel or file system
    error = -sys::linkat(from, temporary_name_.c_str(), folder, name, 0);
    if (error == 0) sys::unlinkat(from, temporary_name_.c_str(), 0);
  }
  if (error == 0) temporary_name_.clear();
  return error;
}

/// Takes the place of the file that is there, in one step for whoever looks.
ErrorCode Upload::replace(int folder) {
  if (temporary_name_.empty()) {
    OwnedFd here(sys::openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
    if (!here.valid()) return error_of(-here.get());
    const std::string name = hidden_name();
    if (const int error = link_as(folder, name.c_str()); error != 0) return error_of(error);
    temporary_folder_ = std::move(here);
    temporary_name_ = name;
  }
  const int error =
      -sys::renameat2(temporary_folder_.get(), temporary_name_.c_str(), folder, name_.c_str(), 0);
  if (error == 0) temporary_name_.clear();
  return error_of(error);
}

ErrorCode Upload::remove(UploadRoots& roots) {
  if (const ErrorCode error = begin(roots); error != ErrorCode::none) return error;
  int error = 0;
  const OwnedFd folder = find_folder(false, error);
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::not_found;
  if (!folder.valid()) return error_of(error);
  const std::lock_guard lock(root_->lock_of(request_.path));
  There there;
  if (const ErrorCode found = look(folder.get(), there); found != ErrorCode::none) return found;
  if (!request_.demands.hold(there.etag, there.status.st_mtim.tv_sec)) {
    return ErrorCode::precondition_failed;
  }
  if (!there.exists) return ErrorCode::not_found;
  error = -sys::unlinkat(folder.get(), name_.c_str(), 0);
  if (error != 0) return error == ENOENT ? ErrorCode::not_found : error_of(error);
  root_->removed(static_cast<uint64_t>(there.status.st_size));
  return request_.rules->sync ? sync_folder(folder.get()) : ErrorCode::none;
}

}  // namespace sluice::files
