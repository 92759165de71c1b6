// How many CPUs this process may use: its affinity, and the quota of the control groups it is in
// (what a container's --cpus sets). Asked once at start, on the main thread.
#pragma once

#include <string>
#include <string_view>

namespace sluice::net {

/// CPUs by affinity and quota, at least 1. A quota of one and a half CPUs counts as two.
int usable_cpus();

/// The smallest quota, in CPUs rounded up, on the way from the group to the top; 0: there is none.
/// `membership` is the text of /proc/self/cgroup, `mount` where the hierarchies are,
/// "/sys/fs/cgroup".
int quota_cpus(std::string_view membership, const std::string& mount);

}  // namespace sluice::net
