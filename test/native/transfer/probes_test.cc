// How often a file's pages are probed before they are sent: every stretch of a file that nobody
// knows to be in memory, none of one that was found there from end to end just now.
#include <fcntl.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "core/limits.h"
#include "net/sys.h"
#include "temporary_folder.h"
#include "testing.h"
#include "transfer/transfer.h"

namespace {

using namespace testing;
using sluice::kTurnBytes;
using sluice::kWarmUs;
using sluice::Ref;
using sluice::Source;
using sluice::net::SocketState;
using sluice::sys::Call;
using sluice::transfer::Engine;
using sluice::transfer::Step;
using sluice::transfer::Transfer;

constexpr uint64_t kBytes = 8 * kTurnBytes;
constexpr int64_t kStartUs = 1'000'000;

struct File final : Source {
  explicit File(int descriptor) : Source(descriptor, "") { size = kBytes; }
  ~File() override { sluice::sys::close(fd); }
};

/// A file whose pages are in memory, a socket, and who reads from it.
struct Rig {
  Rig() {
    folder.write("file", std::string(kBytes, 'x'));
    source = Ref<const Source>(new File(::open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC)));
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
    sluice::sys::count_into(&counts);
  }
  ~Rig() {
    sluice::sys::count_into(nullptr);
    for (const int end : ends) sluice::sys::close(end);
  }

  uint64_t probes() const { return counts.calls[static_cast<size_t>(Call::preadv2)].load(); }

  /// Sends [from, from + bytes) as the clock stands still; how it ended.
  Step send(uint64_t from, uint64_t bytes, int64_t now_us) {
    Transfer transfer{Engine::sendfile, source, from, bytes};
    return go_on(transfer, now_us);
  }

  Step go_on(Transfer& transfer, int64_t now_us) {
    for (;;) {
      SocketState socket{ends[0]};
      const Step step = sluice::transfer::step(transfer, socket, kTurnBytes, scratch, now_us).step;
      while (::recv(ends[1], room.data(), room.size(), 0) > 0) {
      }
      if (step != Step::blocked && step != Step::more) return step;
    }
  }

  TemporaryFolder folder;
  Ref<const Source> source;
  int ends[2] = {-1, -1};
  sluice::sys::SyscallCounts counts;
  std::vector<char> scratch = std::vector<char>(64 * 1024);
  std::vector<char> room = std::vector<char>(1024 * 1024);
};

TEST(probes_a_file_that_was_warm_from_end_to_end_is_not_asked_again_soon) {
  Rig rig;
  CHECK(rig.send(0, kBytes, kStartUs) == Step::done);
  const uint64_t first = rig.probes();
  CHECK(first > 0);
  CHECK(rig.send(0, kBytes, kStartUs + kWarmUs - 1) == Step::done);
  CHECK_EQ(rig.probes(), first);
  CHECK(rig.send(0, kBytes, kStartUs + kWarmUs) == Step::done);
  CHECK(rig.probes() > first);
}

TEST(probes_parts_of_a_file_say_nothing_of_the_whole) {
  Rig rig;
  CHECK(rig.send(0, kBytes - 1, kStartUs) == Step::done);
  CHECK(rig.send(1, kBytes - 1, kStartUs) == Step::done);
  const uint64_t first = rig.probes();
  CHECK(rig.send(kTurnBytes, 1, kStartUs) == Step::done);
  CHECK(rig.probes() > first);
}

TEST(probes_what_took_long_is_not_believed) {
  Rig rig;
  Transfer transfer{Engine::sendfile, rig.source, 0, kBytes};
  SocketState socket{rig.ends[0]};
  CHECK(sluice::transfer::step(transfer, socket, 4096, rig.scratch, kStartUs).step == Step::more);
  CHECK(rig.go_on(transfer, kStartUs + kWarmUs) == Step::done);
  const uint64_t first = rig.probes();
  CHECK(rig.send(0, kBytes, kStartUs + kWarmUs) == Step::done);
  CHECK(rig.probes() > first);
}

TEST(probes_a_file_with_a_cold_middle_is_not_taken_for_warm) {
  Rig rig;
  const off_t middle = 4 * kTurnBytes;
  ::fsync(rig.source->fd);
  ::posix_fadvise(rig.source->fd, middle, kTurnBytes, POSIX_FADV_DONTNEED);
  Transfer transfer{Engine::sendfile, rig.source, 0, kBytes};
  // Where the folder lies in memory, nothing is ever cold.
  if (rig.go_on(transfer, kStartUs) != Step::cold) return;
  CHECK(transfer.offset <= static_cast<uint64_t>(middle));
  sluice::transfer::accept(transfer, sluice::transfer::read_ahead(transfer, kTurnBytes, false));
  CHECK(rig.go_on(transfer, kStartUs) == Step::done);
  const uint64_t first = rig.probes();
  CHECK(rig.send(0, kBytes, kStartUs) == Step::done);
  CHECK(rig.probes() > first);
}

}  // namespace
