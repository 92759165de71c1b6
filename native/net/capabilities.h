// What this kernel, its filters and this user's budgets allow. Each call is tried once, harmlessly,
// at first use; from then on any thread reads the result. Every refused call has another way, named
// in `detail`: nothing in here is needed to serve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::net {

enum class Feature : uint8_t {
  openat2,
  proc_fd,  ///< /proc/self/fd/N can be opened
  sendfile,
  splice,
  tee,
  vmsplice,
  preadv2_nowait,  ///< preadv2 with RWF_NOWAIT
  large_pipes,     ///< a pipe really gets 1 MiB
  inotify,
  memfd,
  reuseport,   ///< SO_REUSEPORT
  kernel_tls,  ///< kTLS, and an OpenSSL that knows it
  count_
};
inline constexpr size_t kFeatureCount = static_cast<size_t>(Feature::count_);

/// Strings have static storage.
struct Capability {
  const char* name;
  bool available;
  int error;           ///< errno when not available
  const char* detail;  ///< what it is used for, or what is used instead
};

/// By Feature, in order.
const std::vector<Capability>& capabilities();

bool available(Feature feature);

/// Tries everything again, without changing what the two above say.
std::vector<Capability> probe_capabilities();

}  // namespace sluice::net
