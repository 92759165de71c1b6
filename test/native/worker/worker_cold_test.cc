// Bodies whose pages are not in memory: an I/O thread reads ahead while the worker serves others.
// The bytes are right on both twins, and a client or a file that goes meanwhile harms nobody. Where
// the file system keeps its pages or cannot tell, the same requests are merely answered.
#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "testing.h"
#include "worker/running_group.h"

namespace {

using sluice::ErrorCode;
using worker_tests::content_of;
using worker_tests::GroupSettings;
using worker_tests::request_for;
using worker_tests::Response;
using worker_tests::RunningGroup;
using worker_tests::SocketClient;

constexpr size_t kSize = 5'000'000;

/// Drops the pages of a file that is written to disk.
void chill(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  CHECK_EQ(::fsync(fd), 0);
  CHECK_EQ(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
  ::close(fd);
}

void on_both_twins(void (*run)(GroupSettings)) {
  for (const bool copy_only : {false, true}) {
    const testing::Context context(copy_only ? "copy" : "auto");
    const size_t base = testing::open_descriptors();
    run({.workers = 2, .copy_only = copy_only});
    CHECK_EQ(testing::open_descriptors(), base);
  }
}

std::string name_of(size_t index) { return "large-" + std::to_string(index); }

TEST(cold_files_arrive_whole) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    constexpr size_t kFiles = 6;
    for (size_t i = 0; i < kFiles; ++i) {
      group.site().write(name_of(i), content_of(name_of(i), kSize));
      chill(group.site() / name_of(i));
    }
    std::vector<std::thread> clients;
    for (size_t i = 0; i < 2 * kFiles; ++i) {
      clients.emplace_back([&group, name = name_of(i % kFiles)] {
        SocketClient client = group.connect();
        CHECK(client.get("/" + name).body == content_of(name, kSize));
        CHECK_EQ(client.get("/fixed").body, "fixed");
      });
    }
    for (std::thread& client : clients) client.join();
  });
}

TEST(client_that_leaves_while_its_pages_are_read_harms_nobody) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kSize));
    for (int round = 0; round < 30; ++round) {
      chill(group.site() / "large");
      SocketClient client = group.connect();
      CHECK(client.send(request_for("/large") + request_for("/fixed")));
      if (round % 3 == 0) client.wait_for_byte();
      if (round % 2 == 0) client.reset();
    }
    CHECK(group.wait_until("nobody to be left", [&] { return group.connections() == 0; }));
    chill(group.site() / "large");
    CHECK(group.connect().get("/large").body == content_of("large", kSize));
    group.evict_all();
    CHECK(group.wait_until("the descriptor to close", [&] { return group.descriptors() == 0; }));
  });
}

TEST(file_that_shrinks_while_its_pages_are_read_closes_the_connection) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    for (int round = 0; round < 10; ++round) {
      const std::string name = "shrinking-" + std::to_string(round);
      group.site().write(name, content_of(name, kSize));
      chill(group.site() / name);
      SocketClient client;
      CHECK(client.connect(group.endpoint(), 64 * 1024));
      CHECK(client.send(request_for("/" + name)));
      if (round % 2 == 0) client.wait_for_byte();
      CHECK_EQ(::truncate((group.site() / name).c_str(), 100'000), 0);
      const Response response = client.read();
      // Unless all of it was on its way, or the truncation came before the look.
      if (response.complete())
        CHECK(response.body.size() == kSize || response.body.size() == 100'000);
    }
    CHECK(group.wait_until("nobody to be left", [&] { return group.connections() == 0; }));
    CHECK_EQ(group.errors(ErrorCode::file_error), 0);
  });
}

TEST(stop_while_pages_are_read_ends_everything) {
  on_both_twins([](GroupSettings settings) {
    for (int round = 0; round < 5; ++round) {
      RunningGroup group(settings);
      group.site().write("large", content_of("large", kSize));
      std::vector<SocketClient> clients(8);
      chill(group.site() / "large");
      for (SocketClient& client : clients) {
        CHECK(client.connect(group.endpoint()));
        CHECK(client.send(request_for("/large")));
      }
      if (round % 2 == 0) clients[0].wait_for_byte();
      group.stop();
      group.end();
      CHECK_EQ(group.descriptors(), 0);
    }
  });
}

}  // namespace
