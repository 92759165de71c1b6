// The walk: what openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS) does, by hand, for kernels and
// filters that refuse that call. Each segment is opened without following it, so nobody can swap a
// symlink in between looking and going. `..` never asks the kernel: the names walked so far are
// known and free of symlinks, and the place above is found again from the root by those names, so
// a directory that is moved away during the walk cannot carry it out of the root.
#include "files/open_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "net/capabilities.h"

namespace sluice::files {
namespace {

constexpr int kMaxSymlinks = 40;  // as in the kernel (MAXSYMLINKS)
constexpr int kBusyRetries = 32;  // openat2 says EAGAIN when a rename anywhere crossed a `..`
constexpr uint64_t kFindFlags = O_PATH | O_CLOEXEC;
constexpr uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;

class Walk {
 public:
  explicit Walk(int root) : root_(root) {}

  Found run(const std::string& path) {
    Found found;
    found.error = follow(path);
    while (found.error == 0 && !pending_.empty()) found.error = step();
    if (found.error == 0) found.error = settle();
    if (found.error != 0) return found;
    found.fd = std::move(here_);
    found.status = status_;
    found.parent = std::move(parent_);
    if (!names_.empty()) found.name = names_.back();
    return found;
  }

 private:
  /// A path that is being walked: the request's own or a symlink's text.
  struct Pending {
    std::string text;
    size_t position = 0;
  };

  int follow(std::string text) {
    if (!text.empty() && text.front() == '/') return EXDEV;
    pending_.push_back({std::move(text), 0});
    return 0;
  }

  /// Goes one segment on.
  int step() {
    Pending& path = pending_.back();
    const size_t begin = path.text.find_first_not_of('/', path.position);
    if (begin == std::string::npos) {
      // A trailing slash asks for a directory.
      const bool slash = path.position < path.text.size();
      pending_.pop_back();
      return slash ? need_directory() : 0;
    }
    if (path.position > 0) {
      // There is more after what was found so far, so that has to be a directory.
      if (const int error = need_directory()) return error;
    }
    const size_t end = std::min(path.text.find('/', begin), path.text.size());
    path.position = end;
    const std::string name = path.text.substr(begin, end - begin);
    if (name == ".") return may_search();
    if (name == "..") return go_up();
    return enter(name);
  }

  int here() const { return here_.valid() ? here_.get() : root_; }

  int need_directory() {
    if (const int error = settle()) return error;
    return S_ISDIR(status_.st_mode) ? 0 : ENOTDIR;
  }

  /// The kernel wants search permission on a directory even for its own '.'.
  int may_search() {
    if (const int error = settle()) return error;
    const OwnedFd self(sys::openat(here(), ".", O_PATH | O_CLOEXEC, 0));
    return self.valid() ? 0 : -self.get();
  }

  int go_up() {
    if (const int error = may_search()) return error;
    if (names_.empty()) return EXDEV;
    names_.pop_back();
    moved_ = true;
    return 0;
  }

  /// After `..`: finds the place above again. At the start: the root itself.
  int settle() {
    if (!moved_) return 0;
    moved_ = false;
    here_.reset(-1);
    if (names_.empty()) {
      here_.reset(sys::openat(root_, ".", O_PATH | O_CLOEXEC, 0));
    }
    for (const std::string& name : names_) {
      const int fd = sys::openat(here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
      if (fd < 0) return -fd;
      here_.reset(fd);
    }
    if (!here_.valid()) return -here_.get();
    return -sys::fstat(here(), &status_);
  }

  int enter(const std::string& name) {
    if (const int error = settle()) return error;
    OwnedFd next(sys::openat(here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0));
    if (!next.valid()) return -next.get();
    struct stat status;
    if (const int error = -sys::fstat(next.get(), &status)) return error;
    if (S_ISLNK(status.st_mode)) return enter_symlink(next.get());
    parent_ = std::move(here_);
    here_ = std::move(next);
    status_ = status;
    names_.push_back(name);
    return 0;
  }

  /// A symlink's text is walked from the directory that it is in.
  int enter_symlink(int link) {
    if (++symlinks_ > kMaxSymlinks) return ELOOP;
    char text[PATH_MAX];
    const ssize_t size = sys::readlinkat(link, "", text, sizeof text);
    if (size < 0) return static_cast<int>(-size);
    if (size == 0) return ENOENT;
    return follow(std::string(text, static_cast<size_t>(size)));
  }

  const int root_;
  OwnedFd here_;           // what names_ leads to, when not moved_
  OwnedFd parent_;         // where here_ was entered from
  struct stat status_ {};  // of here_
  bool moved_ = true;      // here_ is to be found again
  std::vector<std::string> names_;
  std::vector<Pending> pending_;
  int symlinks_ = 0;
};

Found ask_kernel(int root, const std::string& path) {
  Found found;
  const char* name = path.empty() ? "." : path.c_str();
  int fd = -EAGAIN;
  for (int i = 0; i < kBusyRetries && fd == -EAGAIN; ++i) {
    fd = sys::openat2(root, name, kFindFlags, 0, kResolve);
  }
  if (fd < 0) {
    found.error = -fd;
    return found;
  }
  found.fd.reset(fd);
  found.error = -sys::fstat(fd, &found.status);
  return found;
}

Found walk(int root, const std::string& path) {
  Found found;
  found.error = ENAMETOOLONG;
  return path.size() < PATH_MAX ? Walk(root).run(path) : std::move(found);
}

}  // namespace

Found find_beneath(int root, const std::string& path, bool by_hand) {
  // Without /proc only a walk can open what it found: it knows the directory.
  using net::Feature;
  if (!by_hand && net::available(Feature::openat2) && net::available(Feature::proc_fd)) {
    Found found = ask_kernel(root, path);
    // Somebody renames without pause; the walk does not mind.
    if (found.error != EAGAIN) return found;
  }
  return walk(root, path);
}

Found find_anywhere(int root, const std::string& path, bool by_hand) {
  Found found;
  found.follow = true;
  found.name = path.empty() ? "." : path;
  const char* name = found.name.c_str();
  const int fd = !by_hand && net::available(net::Feature::openat2)
                     ? sys::openat2(root, name, kFindFlags, 0, RESOLVE_NO_MAGICLINKS)
                     : sys::openat(root, name, static_cast<int>(kFindFlags), 0);
  found.fd.reset(fd);
  found.error = fd < 0 ? -fd : -sys::fstat(fd, &found.status);
  if (found.error == 0 && (by_hand || !net::available(net::Feature::proc_fd))) {
    found.parent.reset(sys::openat(root, ".", O_PATH | O_CLOEXEC, 0));
  }
  return found;
}

int open_found(const Found& found, bool by_hand) {
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  if (!by_hand && net::available(net::Feature::proc_fd)) {
    char link[32];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", found.fd.get());
    return sys::openat(AT_FDCWD, link, kFlags, 0);
  }
  const int flags = kFlags | (found.follow ? 0 : O_NOFOLLOW);
  OwnedFd fd(sys::openat(found.parent.get(), found.name.c_str(), flags, 0));
  if (!fd.valid()) return fd.get() == -ELOOP || fd.get() == -ENOENT ? -ESTALE : fd.get();
  struct stat status;
  if (const int result = sys::fstat(fd.get(), &status)) return result;
  const bool same = status.st_dev == found.status.st_dev && status.st_ino == found.status.st_ino;
  return same ? fd.release() : -ESTALE;
}

}  // namespace sluice::files
