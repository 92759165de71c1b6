// What a worker does while TypeScript thinks: answers that come late, never, or when the client
// has gone; paths that changed on disk since they were remembered.
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
using worker_tests::Policy;
using worker_tests::request_for;
using worker_tests::Response;
using worker_tests::RunningGroup;
using worker_tests::SocketClient;

GroupSettings with_head_timeout(int64_t ms) {
  GroupSettings settings;
  settings.workers = 1;
  settings.timeouts.head = ms;
  return settings;
}

TEST(request_that_is_never_answered_gets_503_in_time) {
  RunningGroup group(with_head_timeout(100));
  group.set_policy(Policy::drop);
  SocketClient client = group.connect();
  const Response response = client.get("/a");
  CHECK_EQ(response.status, 503);
  CHECK_EQ(response.field("Retry-After"), "1");
  CHECK_EQ(group.errors(ErrorCode::answer_timeout), 1);
}

TEST(connection_is_of_use_after_an_answer_that_never_came) {
  RunningGroup group(with_head_timeout(100));
  group.set_policy(Policy::drop);
  SocketClient client = group.connect();
  const Response response = client.get("/a");
  CHECK_EQ(response.status, 503);
  if (!response.keeps_open) client = group.connect();
  CHECK_EQ(client.get("/fixed").body, "fixed");
}

/// The answer to a question that the client no longer waits for must not be taken for the answer
/// to its next one.
TEST(late_answer_is_not_given_to_the_next_request) {
  RunningGroup group(with_head_timeout(300));
  group.site().write("first", "first");
  group.site().write("second", "second");
  group.set_policy(Policy::hold);
  SocketClient client = group.connect();
  const Response timed_out = client.get("/first");
  CHECK_EQ(timed_out.status, 503);
  if (!timed_out.keeps_open) client = group.connect();
  CHECK(client.send(request_for("/second")));
  CHECK(group.wait_until("the second question", [&] { return group.questions("/second") == 1; }));
  CHECK(group.release("/first"));
  CHECK(group.release("/second"));
  CHECK_EQ(client.read().body, "second");
}

TEST(late_answer_is_remembered_for_the_next_client) {
  RunningGroup group(with_head_timeout(100));
  group.site().write("page", "page");
  group.set_policy(Policy::hold);
  CHECK_EQ(group.connect().get("/page").status, 503);
  CHECK(group.release("/page"));
  CHECK(group.wait_until("the answer", [&] { return group.parked() == 0; }));
  group.set_policy(Policy::drop);
  CHECK_EQ(group.connect().get("/page").body, "page");
  CHECK_EQ(group.questions("/page"), 1);
}

TEST(client_that_leaves_while_it_waits_harms_nobody) {
  RunningGroup group(with_head_timeout(20'000));
  group.site().write("page", "page");
  group.set_policy(Policy::hold);
  std::vector<SocketClient> leaving;
  for (int i = 0; i < 20; ++i) {
    leaving.push_back(group.connect());
    CHECK(leaving.back().send(request_for("/page")));
  }
  CHECK(group.wait_until("all to wait", [&] { return group.parked() == 20; }));
  SocketClient staying = group.connect();
  CHECK(staying.send(request_for("/page")));
  CHECK(group.wait_until("one more", [&] { return group.parked() == 21; }));
  for (SocketClient& client : leaving) client.reset();
  CHECK(group.wait_until("them to be gone", [&] { return group.connections() == 1; }));
  // Whoever left takes no room from those who wait.
  CHECK_EQ(group.parked(), 1);
  CHECK(group.release("/page"));
  CHECK_EQ(staying.read().body, "page");
  CHECK_EQ(group.parked(), 0);
}

/// A request that waits behind answers which the client has not read is a request not yet begun:
/// what it says of connection and body must not be taken for the end of the answers before it.
void ask_behind_unread_answers(RunningGroup& group, size_t count, const std::string& last) {
  group.evict_all();
  std::string text;
  for (size_t i = 0; i < count; ++i) text += request_for("/fixed/large");
  SocketClient client;
  CHECK(client.connect(group.endpoint(), 4'096));
  // Sent from a thread of its own: neither side can take everything at once.
  std::thread sender([&] { client.send(text + last); });
  for (size_t i = 0; i < count; ++i) CHECK_EQ(client.read().body.size(), 4'000);
  CHECK_EQ(client.read().body, "page");
  sender.join();
  bool ended = false;
  CHECK_EQ(client.read_to_end(&ended), "");
  CHECK(ended);
}

TEST(request_behind_unread_answers_is_answered_too) {
  RunningGroup group({.workers = 1});
  group.site().write("page", "page");
  const std::string lasts[] = {
      request_for("/page", "Connection: close\r\n"),
      request_for("/page", "Connection: close\r\nContent-Length: 5\r\n") + "12345",
      request_for("/page", "Transfer-Encoding: chunked\r\nConnection: close\r\n") +
          "3\r\nabc\r\n0\r\n\r\n",
  };
  for (const std::string& last : lasts) {
    for (size_t count = 1'500; count < 1'508; ++count) {
      const testing::Context context(std::to_string(count) + " before " + last);
      ask_behind_unread_answers(group, count, last);
    }
  }
}

TEST(file_that_changed_is_noticed_and_asked_again) {
  RunningGroup group({.workers = 2});
  group.site().write("page", "before");
  SocketClient client = group.connect();
  CHECK_EQ(client.get("/page").body, "before");
  group.site().write("page", "after it changed");
  CHECK(group.wait_until("the new content",
                         [&] { return client.get("/page").body == "after it changed"; }));
  CHECK(group.stale() > 0);
}

TEST(many_clients_see_one_of_two_contents_while_a_file_changes) {
  RunningGroup group({.workers = 3});
  group.site().write("page", std::string(5'000, 'a'));
  std::atomic<bool> is_over = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&] {
      SocketClient client = group.connect();
      while (!is_over) {
        const std::string body = client.get("/page").body;
        CHECK(body == std::string(5'000, 'a') || body == std::string(6'000, 'b'));
      }
    });
  }
  CHECK(group.wait_until("a few answers", [&] { return group.requests() > 100; }));
  // Replaced, not rewritten: a reader sees the one or the other.
  group.site().write("new", std::string(6'000, 'b'));
  std::filesystem::rename(group.site() / "new", group.site() / "page");
  SocketClient client = group.connect();
  CHECK(
      group.wait_until("the new content", [&] { return client.get("/page").body.front() == 'b'; }));
  is_over = true;
  for (std::thread& each : clients) each.join();
}

}  // namespace
