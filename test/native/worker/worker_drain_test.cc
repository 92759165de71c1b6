// Draining: whoever has a connection gets the answers to what he sends, and is told that it ends;
// whoever comes later is refused by the system, not left waiting.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "testing.h"
#include "worker/running_group.h"

namespace {

using worker_tests::content_of;
using worker_tests::GroupSettings;
using worker_tests::request_for;
using worker_tests::Response;
using worker_tests::RunningGroup;
using worker_tests::SocketClient;

struct Outcome {
  std::atomic<size_t> answered{0};
  std::atomic<size_t> failed{0};
};

/// Asks without pause, on a connection while it lasts and then on another, until none can be had. A
/// connection that the system made and nobody accepted before the listener closed is none.
void keep_asking(RunningGroup& group, const std::string& path, size_t size, Outcome& outcome) {
  SocketClient client = group.connect();
  bool is_accepted = false;
  while (client.is_open()) {
    const Response response = client.get(path);
    if (response.received == 0 && !is_accepted) return;
    if (response.status != 200 || response.body.size() != size) {
      ++outcome.failed;
      return;
    }
    ++outcome.answered;
    is_accepted = response.keeps_open;
    if (!is_accepted) client = group.connect();
  }
}

void drain_under_load(GroupSettings settings) {
  const size_t base = testing::open_descriptors();
  {
    RunningGroup group(settings);
    group.site().write("small", content_of("small", 500));
    group.site().write("large", content_of("large", 600'000));
    Outcome outcome;
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
      const bool is_large = i % 2 == 1;
      clients.emplace_back([&group, &outcome, is_large] {
        keep_asking(group, is_large ? "/large" : "/small", is_large ? 600'000 : 500, outcome);
      });
    }
    CHECK(group.wait_until("load", [&] { return outcome.answered > 200; }));
    group.drain();
    group.end();
    for (std::thread& client : clients) client.join();
    CHECK_EQ(outcome.failed.load(), 0);
  }
  CHECK_EQ(testing::open_descriptors(), base);
}

TEST(drain_under_load_fails_no_request) {
  for (int round = 0; round < 5; ++round) drain_under_load({.workers = 3});
}

TEST(drain_of_a_unix_socket_fails_no_request) {
  for (int round = 0; round < 5; ++round) {
    drain_under_load({.workers = 2, .on_unix_socket = true});
  }
}

TEST(drain_refuses_new_clients_while_the_old_are_served) {
  RunningGroup group({.workers = 2});
  const std::string content = content_of("large", 24'000'000);
  group.site().write("large", content);
  SocketClient busy;
  CHECK(busy.connect(group.endpoint(), 64 * 1024));
  CHECK(busy.send(request_for("/large")));
  CHECK(busy.wait_for_byte());
  group.drain();
  CHECK(group.wait_until("new clients to be refused",
                         [&] { return !SocketClient().connect(group.endpoint()); }));
  CHECK(!group.ended());
  CHECK(busy.read().body == content);
  group.end();
}

TEST(drain_waits_for_an_answer_that_is_on_its_way) {
  RunningGroup group({.workers = 1});
  group.site().write("page", "page");
  group.set_policy(worker_tests::Policy::hold);
  SocketClient client = group.connect();
  CHECK(client.send(request_for("/page")));
  CHECK(group.wait_until("the question", [&] { return group.held() == 1; }));
  group.drain();
  CHECK(group.release("/page"));
  const Response response = client.read();
  CHECK_EQ(response.body, "page");
  CHECK(!response.keeps_open);
  group.end();
}

TEST(drain_cuts_off_what_does_not_end) {
  GroupSettings settings;
  settings.timeouts.drain = 200;
  RunningGroup group(settings);
  group.site().write("large", content_of("large", 24'000'000));
  group.set_policy(worker_tests::Policy::answer);
  SocketClient stuck;
  CHECK(stuck.connect(group.endpoint(), 64 * 1024));
  CHECK(stuck.send(request_for("/large")));
  CHECK(stuck.wait_for_byte());
  group.drain();
  group.end();
  CHECK(!stuck.read().complete());
}

TEST(idle_connections_end_soon_when_draining) {
  RunningGroup group({.workers = 2});
  std::vector<SocketClient> idle;
  for (int i = 0; i < 10; ++i) {
    idle.push_back(group.connect());
    CHECK_EQ(idle.back().get("/fixed").status, 200);
  }
  group.drain();
  group.end();
  bool ended = false;
  for (SocketClient& client : idle) {
    CHECK_EQ(client.read_to_end(&ended), "");
    CHECK(ended);
  }
}

}  // namespace
