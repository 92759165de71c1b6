// Two workers' logs and the thread that writes them, while the file is opened anew all the time:
// every line is whole, in the order of its worker, and either written or counted as dropped.
#include "log/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/timer_wheel.h"
#include "log/access_log.h"
#include "temporary_folder.h"
#include "testing.h"

namespace {

using namespace sluice;

constexpr uint32_t kWorkers = 2;
constexpr uint64_t kEach = 20'000;

log::Settings settings(const std::string& path) {
  log::Settings made;
  made.fields = {log::Field::worker, log::Field::bytes};
  made.sample.fill(1);
  made.to = {log::Destination::Kind::file, path};
  return made;
}

/// Logs `count` requests, the n-th with n bytes; returns how many this worker dropped.
uint64_t log_many(const log::Settings& settings, log::Writer& writer, uint32_t worker,
                  uint64_t count) {
  TimerWheel wheel(0);
  log::AccessLog log(settings, writer, wheel, worker);
  log::Outcome outcome;
  outcome.status = 200;
  for (uint64_t n = 1; n <= count; ++n) {
    outcome.bytes = n;
    log.log({}, outcome);
  }
  log.flush();
  return log.dropped();
}

}  // namespace

TEST(log_writer_takes_from_workers_and_reopens) {
  testing::TemporaryFolder folder;
  const std::string path = folder / "log";
  const log::Settings all = settings(path);
  log::Writer writer(all, {}, kWorkers, [](std::string) {});
  REQUIRE(writer.start() == 0);
  std::vector<uint64_t> dropped(kWorkers);
  std::vector<std::thread> workers;
  for (uint32_t i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&, i] { dropped[i] = log_many(all, writer, i, kEach); });
  }
  for (int i = 0; i < 100; ++i) writer.reopen();
  for (std::thread& worker : workers) worker.join();
  writer.close();
  std::vector<uint64_t> last(kWorkers), lines(kWorkers);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    uint32_t worker = kWorkers;
    uint64_t bytes = 0;
    REQUIRE(sscanf(line.c_str(), "{\"worker\":%u,\"bytes\":%lu}", &worker, &bytes) == 2);
    REQUIRE(worker < kWorkers);
    CHECK(bytes > last[worker]);
    last[worker] = bytes;
    ++lines[worker];
  }
  for (uint32_t i = 0; i < kWorkers; ++i) CHECK_EQ(lines[i] + dropped[i], kEach);
  CHECK_EQ(writer.counts().lines, lines[0] + lines[1]);
  CHECK_EQ(writer.counts().dropped, 0u);
}

TEST(log_writer_ends_although_a_pipe_is_full) {
  testing::TemporaryFolder folder;
  const std::string path = folder / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  const log::Settings all = settings(path);
  log::Writer writer(all, {}, 1, [](std::string) {});
  REQUIRE(writer.start() == 0);
  const uint64_t dropped = log_many(all, writer, 0, kEach);
  writer.close();
  const log::WriterCounts counts = writer.counts();
  CHECK_EQ(counts.lines + counts.dropped + dropped, kEach);
  CHECK(counts.dropped + dropped > 0);
  CHECK(counts.lines > 0);
  ::close(reader);
}

TEST(log_writer_says_why_it_cannot_start) {
  testing::TemporaryFolder folder;
  const log::Settings all = settings(folder / "none/log");
  log::Writer writer(all, {}, 1, [](std::string) {});
  CHECK_EQ(writer.start(), -ENOENT);
}
