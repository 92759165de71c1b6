// Bodies that are under way while the ground moves: a file that shrinks, an answer that is
// forgotten, a gateway that stops or drains, a client that takes nothing.
#include <unistd.h>

#include <atomic>
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

constexpr size_t kLarge = 24'000'000;  // more than both sockets' buffers take
constexpr int kSmallBuffer = 64 * 1024;

/// A client whose answer has begun and that has read nothing of it.
SocketClient begin_large(RunningGroup& group) {
  SocketClient client;
  CHECK(client.connect(group.endpoint(), kSmallBuffer));
  CHECK(client.send(request_for("/large")));
  CHECK(client.wait_for_byte());
  return client;
}

void on_both_twins(void (*run)(GroupSettings)) {
  for (const bool copy_only : {false, true}) {
    const testing::Context context(copy_only ? "copy" : "auto");
    const size_t base = testing::open_descriptors();
    GroupSettings settings;
    settings.copy_only = copy_only;
    run(settings);
    CHECK_EQ(testing::open_descriptors(), base);
  }
}

TEST(file_that_shrinks_while_it_is_sent_closes_the_connection) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kLarge));
    SocketClient client = begin_large(group);
    CHECK_EQ(::truncate((group.site() / "large").c_str(), 1'000), 0);
    const Response response = client.read();
    CHECK(!response.complete());
    CHECK(response.received > 0 && response.received < kLarge);
    CHECK_EQ(group.errors(ErrorCode::short_file), 1);
    CHECK_EQ(group.faults("short-file"), 1);
    CHECK(group.wait_until("it to be gone", [&] { return group.connections() == 0; }));
    // The next client sees the file as it is now.
    CHECK(group.wait_until("the short file",
                           [&] { return group.connect().get("/large").body.size() == 1'000; }));
  });
}

TEST(evicted_descriptor_serves_the_transfer_that_runs) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    const std::string content = content_of("large", kLarge);
    group.site().write("large", content);
    SocketClient client = begin_large(group);
    CHECK_EQ(group.descriptors(), 1);
    group.evict_all();
    std::filesystem::remove(group.site() / "large");
    // Others take the numbers of descriptors that are closed too early.
    group.site().write("other", std::string(100'000, 'x'));
    for (int i = 0; i < 10; ++i) CHECK_EQ(group.connect().get("/other").status, 200);
    CHECK_EQ(group.connect().get("/large").status, 404);
    CHECK(client.read().body == content);
    group.evict_all();
    CHECK(group.wait_until("the descriptor to close", [&] { return group.descriptors() == 0; }));
  });
}

TEST(stop_in_the_middle_of_transfers_ends_everything) {
  on_both_twins([](GroupSettings settings) {
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kLarge));
    std::vector<SocketClient> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(begin_large(group));
    group.stop();
    group.end();
    for (SocketClient& client : clients) CHECK(!client.read().complete());
    CHECK(!SocketClient().connect(group.endpoint()));
    CHECK_EQ(group.descriptors(), 0);
  });
}

TEST(group_that_is_destroyed_under_load_leaves_nothing) {
  for (int round = 0; round < 5; ++round) {
    const size_t base = testing::open_descriptors();
    {
      RunningGroup group({.workers = 3});
      group.site().write("large", content_of("large", 300'000));
      std::atomic<size_t> served = 0;
      std::vector<std::thread> clients;
      for (int i = 0; i < 6; ++i) {
        clients.emplace_back([&] {
          SocketClient client = group.connect();
          while (client.get("/large").complete()) ++served;
        });
      }
      CHECK(group.wait_until("some answers", [&] { return served > 20; }));
      group.stop();
      group.end();
      for (std::thread& client : clients) client.join();
    }
    CHECK_EQ(testing::open_descriptors(), base);
  }
}

TEST(client_that_takes_nothing_is_closed_and_its_file_let_go) {
  on_both_twins([](GroupSettings settings) {
    settings.timeouts.write = 200;
    RunningGroup group(settings);
    group.site().write("large", content_of("large", kLarge));
    SocketClient client = begin_large(group);
    CHECK(group.wait_until("the timeout",
                           [&] { return group.errors(ErrorCode::write_timeout) == 1; }));
    CHECK(!client.read().complete());
    group.evict_all();
    CHECK(group.wait_until("the descriptor to close", [&] { return group.descriptors() == 0; }));
  });
}

}  // namespace
