// Snapshots are replaced while workers serve: several workers, requests of every kind at the same
// time, on both twins.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "testing.h"
#include "worker/running_group.h"

namespace {

using worker_tests::content_of;
using worker_tests::GroupSettings;
using worker_tests::RunningGroup;
using worker_tests::SocketClient;

constexpr size_t kSize = 300'000;

TEST(a_replaced_snapshot_is_what_every_worker_serves) {
  RunningGroup group({.workers = 4});
  for (int round = 1; round <= 20; ++round) {
    const std::string body = "round " + std::to_string(round);
    group.replace(body);
    for (int n = 0; n < 4; ++n) {
      SocketClient client = group.connect();
      CHECK_EQ(client.get("/replaced").body, body);
      CHECK_EQ(client.get("/proxied").body, "fixed");
    }
  }
  group.wait_until("old ones to be gone", [&] { return group.retired() == 20; });
}

TEST(requests_of_every_kind_go_on_while_snapshots_are_replaced) {
  for (const bool copy_only : {false, true}) {
    const testing::Context context(copy_only ? "copy" : "auto");
    RunningGroup group({.workers = 4, .copy_only = copy_only});
    group.site().write("large", content_of("large", kSize));
    group.replace("0");
    std::atomic<bool> is_over{false};
    std::atomic<int> served{0};
    std::vector<std::thread> clients;
    for (int n = 0; n < 4; ++n) {
      clients.emplace_back([&] {
        while (!is_over) {
          SocketClient client = group.connect();
          CHECK(client.get("/large").body == content_of("large", kSize));
          CHECK_EQ(client.get("/proxied").body, "fixed");
          CHECK_EQ(client.get("/replaced").status, 200);
          CHECK_EQ(client.get("/fixed").body, "fixed");
          ++served;
        }
      });
    }
    for (int round = 1; round <= 30; ++round) group.replace(std::to_string(round));
    group.wait_until("some rounds", [&] { return served > 20; });
    is_over = true;
    for (std::thread& client : clients) client.join();
    group.wait_until("old ones to be gone", [&] { return group.retired() == 31; });
  }
}

TEST(a_parked_request_is_answered_on_the_snapshot_it_began_with) {
  RunningGroup group({.workers = 1});
  group.site().write("late", "late");
  group.set_policy(worker_tests::Policy::hold);
  SocketClient client = group.connect();
  client.send(worker_tests::request_for("/late"));
  group.wait_until("the question", [&] { return group.held() == 1; });
  group.replace("other");
  CHECK_EQ(group.connect().get("/replaced").body, "other");
  CHECK_EQ(group.retired(), 0u);
  CHECK(group.release("/late"));
  CHECK_EQ(client.read().body, "late");
  group.wait_until("the first to be gone", [&] { return group.retired() == 1; });
}

}  // namespace
