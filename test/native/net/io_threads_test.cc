// The I/O threads: everything queued runs once, lanes are bounded and do not block each other, and
// the counters add up. Also run under ThreadSanitizer. Gates instead of sleeps.
#include "net/io_threads.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "testing.h"

namespace {

using sluice::net::IoThreads;

/// Jobs that call wait() stand until somebody calls open().
class Gate {
 public:
  void open() { promise_.set_value(); }
  void wait() const { future_.wait(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

TEST(io_threads_run_every_job_once_from_many_posters) {
  std::vector<std::atomic<int>> runs(4'000);
  {
    IoThreads io(3, runs.size());
    std::vector<std::thread> posters;
    for (size_t poster = 0; poster < 4; ++poster) {
      posters.emplace_back([&, poster] {
        for (size_t i = poster; i < runs.size(); i += 4) {
          CHECK(io.post([&runs, i] { runs[i].fetch_add(1); }, i / 100));
        }
      });
    }
    for (std::thread& poster : posters) poster.join();
  }  // the destructor runs what is still queued
  for (const auto& count : runs) CHECK_EQ(count.load(), 1);
}

TEST(jobs_of_one_lane_begin_in_order) {
  std::vector<int> order;
  {
    IoThreads io(1, 100);
    for (int i = 0; i < 100; ++i) CHECK(io.post([&order, i] { order.push_back(i); }, 5));
  }
  REQUIRE_EQ(order.size(), 100);
  for (int i = 0; i < 100; ++i) CHECK_EQ(order[static_cast<size_t>(i)], i);
}

TEST(full_lane_refuses_and_others_take_on) {
  Gate gate;
  std::promise<void> begun;
  IoThreads io(1, 2);
  CHECK(io.post([&] {
    begun.set_value();
    gate.wait();
  }));
  begun.get_future().wait();
  CHECK(io.post([] {}));
  CHECK(io.post([] {}));
  CHECK(!io.post([] {}));
  CHECK(io.post([] {}, 1));
  CHECK_EQ(io.waiting(), 3);
  gate.open();
}

TEST(lane_that_hangs_leaves_a_thread_to_the_others) {
  Gate gate;
  {
    IoThreads io(3, 100);
    for (int i = 0; i < 20; ++i) CHECK(io.post([&] { gate.wait(); }, 1));
    for (size_t lane = 2; lane < 5; ++lane) {
      std::promise<void> done;
      CHECK(io.post([&] { done.set_value(); }, lane));
      done.get_future().wait();
    }
    CHECK(io.waiting() >= 18);
    gate.open();
  }
}

TEST(lanes_that_hang_together_leave_a_thread_to_the_others) {
  Gate gate;
  {
    IoThreads io(3, 100, 8);
    std::atomic<int> hung{0};
    for (size_t lane = 1; lane <= 3; ++lane) {
      for (int i = 0; i < 10; ++i) {
        CHECK(io.post(
            [&] {
              ++hung;
              gate.wait();
            },
            lane));
      }
    }
    while (hung < 3) std::this_thread::yield();
    for (size_t lane = 4; lane < 40; ++lane) {
      std::promise<void> done;
      CHECK(io.post([&] { done.set_value(); }, lane));
      done.get_future().wait();
    }
    CHECK(hung.load() <= 6);  // two for each
    gate.open();
  }
}

TEST(threads_are_bounded_and_no_more_than_are_needed) {
  Gate gate;
  {
    IoThreads io(3, 100, 5);
    for (int i = 0; i < 30; ++i) CHECK(io.post([] {}, 1));
    CHECK_EQ(io.threads(), 3);
    for (size_t lane = 2; lane < 20; ++lane) CHECK(io.post([&] { gate.wait(); }, lane));
    CHECK_EQ(io.threads(), 5);
    gate.open();
  }
}

TEST(lanes_take_turns) {
  std::string order;
  Gate gate;
  {
    IoThreads io(1, 10);
    CHECK(io.post([&] { gate.wait(); }, 0));
    for (int i = 0; i < 4; ++i) CHECK(io.post([&] { order += 'a'; }, 2));
    for (int i = 0; i < 4; ++i) CHECK(io.post([&] { order += 'b'; }, 5));
    gate.open();
  }
  CHECK_EQ(order, "abababab");
}

TEST(lane_goes_on_by_itself_after_its_limit) {
  std::atomic<int> runs{0};
  {
    IoThreads io(2, 1'000);
    for (int i = 0; i < 1'000; ++i) CHECK(io.post([&] { ++runs; }, 3));
    std::promise<void> last;
    while (!io.post([&] { last.set_value(); }, 3)) std::this_thread::yield();
    last.get_future().wait();
  }
  CHECK_EQ(runs.load(), 1'000);
}

TEST(job_lets_go_of_what_it_holds_before_the_next) {
  IoThreads io(1, 10);
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  CHECK(io.post([held = std::move(held)] {}));
  std::promise<bool> gone;
  CHECK(io.post([&] { gone.set_value(seen.expired()); }));
  CHECK(gone.get_future().get());
}

TEST(system_calls_of_io_threads_are_summed) {
  namespace sys = sluice::sys;
  IoThreads io(2, 100);
  for (int i = 0; i < 50; ++i) CHECK(io.post([] { sys::close(-1); }, static_cast<size_t>(i)));
  while (io.done() < 50) std::this_thread::yield();
  CHECK_EQ(io.syscalls()[static_cast<size_t>(sys::Call::close)], 50);
  CHECK_EQ(io.syscalls()[static_cast<size_t>(sys::Call::read)], 0);
  CHECK_EQ(io.threads(), 2);
}

}  // namespace
