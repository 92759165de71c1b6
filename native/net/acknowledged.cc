// TCP_INFO by the kernel's own header: the C library's copy of the structure ends too early.
#include "net/acknowledged.h"

#include <linux/tcp.h>
#include <netinet/in.h>

#include <cstddef>

#include "net/sys.h"

namespace sluice::net {

int64_t acknowledged_bytes(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (sys::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -1;
  constexpr size_t kNeeded = offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked;
  return length < kNeeded ? -1 : static_cast<int64_t>(info.tcpi_bytes_acked);
}

}  // namespace sluice::net
