// Many clients on several workers at once: keep-alive, pipelining, aborts at any moment, answers
// evicted under them. Whatever arrives is right, and when the clients have gone nothing is left:
// no connection, no parked request, no descriptor. Run under ThreadSanitizer too.
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "testing.h"
#include "worker/running_group.h"

namespace {

using worker_tests::content_of;
using worker_tests::GroupSettings;
using worker_tests::Response;
using worker_tests::RunningGroup;
using worker_tests::SocketClient;

constexpr size_t kClients = 8;
constexpr int kRounds = 60;

/// Below and above the size that is held in memory, and larger than a turn's budget.
constexpr size_t kSizes[] = {0, 1, 700, 5'000, 16'384, 16'385, 100'000, 1'500'000};

std::string name_of(size_t index) { return "file-" + std::to_string(index); }

class Visitor {
 public:
  Visitor(RunningGroup& group, uint32_t seed) : group_(group), random_(seed) {}

  void visit() {
    for (int round = 0; round < kRounds; ++round) {
      if (!client_.is_open()) client_ = group_.connect();
      switch (pick(0, 5)) {
        case 0: abort_somewhere(); break;
        case 1: pipeline(); break;
        case 2: ask_for_part(); break;
        default: ask_once();
      }
    }
  }

 private:
  size_t pick(size_t from, size_t to) {
    return std::uniform_int_distribution<size_t>(from, to)(random_);
  }

  /// A path and the body that it has; the last one does not exist.
  std::string pick_path(std::string& body, int& status) {
    const size_t index = pick(0, std::size(kSizes));
    status = index < std::size(kSizes) ? 200 : 404;
    if (status == 200) body = content_of(name_of(index), kSizes[index]);
    return "/" + name_of(index);
  }

  void check(const Response& response, int status, const std::string& body) {
    CHECK_EQ(response.status, status);
    if (status == 200) CHECK(response.body == body);
  }

  void ask_once() {
    std::string body;
    int status;
    const std::string path = pick_path(body, status);
    check(client_.get(path), status, body);
  }

  void ask_for_part() {
    std::string body;
    int status;
    const std::string path = pick_path(body, status);
    const size_t first = pick(0, body.size());
    const size_t last = first + pick(0, body.size());
    const std::string field =
        "Range: bytes=" + std::to_string(first) + "-" + std::to_string(last) + "\r\n";
    const Response response = client_.get(path, field);
    if (status != 200) return check(response, status, body);
    if (first >= body.size()) return check(response, 416, "");
    CHECK_EQ(response.status, 206);
    CHECK(response.body == body.substr(first, last - first + 1));
  }

  /// A request of any kind and what has to come back.
  struct Exchange {
    std::string text;
    int status = 200;
    bool headless = false;
    std::string body;
  };

  Exchange pick_exchange() {
    Exchange each;
    const std::string path = pick_path(each.body, each.status);
    each.text = worker_tests::request_for(path);
    switch (pick(0, 6)) {
      case 0:
        each.text.replace(0, 3, "HEAD");
        each.headless = true;
        return each;
      case 1:  // files take no POST, and its body is no request
        each = {"POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n", 405, false,
                ""};
        each.text += "GET /x HTTP/1.1\r\n\r\n\r";
        return each;
      case 2:
        return {
            "GET /fixed HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
            "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            200, false, "fixed"};
      case 3:
        return {worker_tests::request_for("/fixed/large"), 200, false, content_of("large", 4'000)};
      default: return each;
    }
  }

  void pipeline() {
    // Little room for what was not read, so that the worker is stuck somewhere in the middle.
    const bool is_narrow = pick(0, 2) == 0;
    if (is_narrow) CHECK(client_.connect(group_.endpoint(), 4'096));
    std::vector<Exchange> exchanges(pick(2, 30));
    std::string text;
    for (Exchange& each : exchanges) text += (each = pick_exchange()).text;
    CHECK(client_.send(text));
    for (const Exchange& each : exchanges) {
      const Response response = client_.read(each.headless);
      check(response, each.status, each.headless ? "" : each.body);
    }
    if (is_narrow) client_.close();
  }

  void abort_somewhere() {
    std::string body;
    int status;
    std::string text = worker_tests::request_for(pick_path(body, status));
    if (pick(0, 1) == 0) text.resize(pick(0, text.size()));
    client_.send(text);
    if (text.ends_with("\r\n\r\n") && pick(0, 1) == 0) client_.wait_for_byte();
    if (pick(0, 1) == 0) client_.reset();
    else client_.close();
  }

  RunningGroup& group_;
  SocketClient client_;
  std::mt19937 random_;
};

void serve_many(GroupSettings settings) {
  const size_t base = testing::open_descriptors();
  {
    RunningGroup group(settings);
    for (size_t i = 0; i < std::size(kSizes); ++i) {
      group.site().write(name_of(i), content_of(name_of(i), kSizes[i]));
    }
    std::atomic<bool> is_over = false;
    std::thread evictor([&] {
      while (!is_over) {
        group.evict_all();
        std::this_thread::yield();
      }
    });
    std::vector<std::thread> clients;
    for (uint32_t seed = 0; seed < kClients; ++seed) {
      clients.emplace_back([&group, seed] { Visitor(group, seed).visit(); });
    }
    for (std::thread& client : clients) client.join();
    is_over = true;
    evictor.join();
    CHECK(group.wait_until("no connection", [&] { return group.connections() == 0; }));
    CHECK(group.wait_until("no parked request", [&] { return group.parked() == 0; }));
    group.evict_all();
    CHECK(group.wait_until("no descriptor", [&] { return group.descriptors() == 0; }));
    CHECK_EQ(group.errors(sluice::ErrorCode::short_file), 0);
    CHECK_EQ(group.errors(sluice::ErrorCode::file_error), 0);
  }
  CHECK_EQ(testing::open_descriptors(), base);
}

TEST(many_clients_get_what_they_ask_for_and_leave_nothing) { serve_many({.workers = 3}); }

TEST(many_clients_of_the_copying_twin_too) { serve_many({.workers = 2, .copy_only = true}); }

TEST(many_clients_on_one_unix_socket_that_workers_share) {
  serve_many({.workers = 3, .on_unix_socket = true});
}

TEST(one_path_is_asked_once_by_each_worker_however_many_wait) {
  RunningGroup group({.workers = 2});
  group.site().write("page", content_of("page", 500));
  group.set_policy(worker_tests::Policy::hold);
  std::vector<SocketClient> clients;
  for (size_t i = 0; i < 40; ++i) {
    clients.push_back(group.connect());
    CHECK(clients.back().send(worker_tests::request_for("/page")));
  }
  CHECK(group.wait_until("all to be parked", [&] { return group.parked() == 40; }));
  CHECK(group.wait_until("all to be answered", [&] {
    group.release("/page");
    return group.parked() == 0;
  }));
  const size_t asked = group.questions("/page");
  CHECK(asked == 1 || asked == 2);
  for (SocketClient& client : clients) CHECK(client.read().body == content_of("page", 500));
  for (SocketClient& client : clients) CHECK_EQ(client.get("/page").status, 200);
  CHECK_EQ(group.questions("/page"), asked);
}

}  // namespace
