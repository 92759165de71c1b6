// Reads the quota files of cgroup v2 (cpu.max: "200000 100000" or "max 100000") and v1
// (cpu.cfs_quota_us: -1 for none, cpu.cfs_period_us). A group's own limit may be looser than that
// of one above it, so every one up to the top counts. Whatever cannot be read is no limit.
#include "net/cpus.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "net/sys.h"

namespace sluice::net {
namespace {

/// The first 4 KiB of a small file, "" when it cannot be read.
std::string text_of(const std::string& path) {
  const int fd = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return "";
  char text[4096];
  const ssize_t size = sys::read(fd, text, sizeof text);
  sys::close(fd);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : "";
}

/// The number that `text` begins with; 0 when there is none or it is negative.
int64_t number_in(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::max<int64_t>(number, 0);
}

int cpus_of(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::min<int64_t>((quota - 1) / period + 1, 1 << 20));
}

int quota_v2(const std::string& folder) {
  const std::string text = text_of(folder + "/cpu.max");
  const size_t space = text.find(' ');
  if (space == std::string::npos) return 0;
  return cpus_of(number_in(text), number_in(std::string_view(text).substr(space + 1)));
}

int quota_v1(const std::string& folder) {
  return cpus_of(number_in(text_of(folder + "/cpu.cfs_quota_us")),
                 number_in(text_of(folder + "/cpu.cfs_period_us")));
}

/// The smallest of `group` and of all above it.
int smallest(const std::string& mount, std::string group, int (*quota)(const std::string&)) {
  int least = 0;
  for (;;) {
    const int cpus = quota(mount + group);
    if (cpus > 0 && (least == 0 || cpus < least)) least = cpus;
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

bool lists_cpu(std::string_view controllers) {
  for (;;) {
    const size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

/// One line of /proc/self/cgroup: "0::/group" (v2) or "4:cpu,cpuacct:/group" (v1).
int quota_of_line(std::string_view line, const std::string& mount) {
  const size_t first = line.find(':');
  const size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
  if (second == line.npos) return 0;
  const std::string_view controllers = line.substr(first + 1, second - first - 1);
  const std::string group(line.substr(second + 1));
  if (controllers.empty()) return smallest(mount, group, quota_v2);
  return lists_cpu(controllers) ? smallest(mount + "/cpu", group, quota_v1) : 0;
}

}  // namespace

int quota_cpus(std::string_view membership, const std::string& mount) {
  int least = 0;
  while (!membership.empty()) {
    const size_t end = std::min(membership.find('\n'), membership.size());
    const int cpus = quota_of_line(membership.substr(0, end), mount);
    if (cpus > 0 && (least == 0 || cpus < least)) least = cpus;
    membership.remove_prefix(std::min(end + 1, membership.size()));
  }
  return least;
}

int usable_cpus() {
  const int affinity = std::max(sys::cpu_affinity(), 1);
  const int quota = quota_cpus(text_of("/proc/self/cgroup"), "/sys/fs/cgroup");
  return quota > 0 ? std::min(affinity, quota) : affinity;
}

}  // namespace sluice::net
