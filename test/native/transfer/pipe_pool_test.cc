// Pipes of a worker: made when wanted, kept when empty, counted, and done without when there are
// none to be had.
#include "transfer/pipe_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "core/limits.h"
#include "testing.h"

namespace {

using sluice::kIdlePipes;
using sluice::kLeastPipeBytes;
using sluice::kPipeRetryUs;
using sluice::transfer::Pipe;
using sluice::transfer::PipeCounts;
using sluice::transfer::PipePool;

TEST(pipe_pool_gives_the_same_pipe_again) {
  PipeCounts counts;
  PipePool pool(counts);
  const Pipe first = pool.take(0);
  REQUIRE(static_cast<bool>(first));
  CHECK(first.capacity >= kLeastPipeBytes);
  pool.give_back(first);
  const Pipe second = pool.take(0);
  CHECK_EQ(second.read_end, first.read_end);
  CHECK_EQ(counts.made.get(), 1);
  CHECK_EQ(counts.open.get(), 1);
  pool.discard(second);
  CHECK_EQ(counts.open.get(), 0);
}

TEST(pipe_pool_keeps_so_many_and_closes_all_at_its_end) {
  PipeCounts counts;
  {
    PipePool pool(counts);
    std::vector<Pipe> pipes;
    for (size_t n = 0; n < kIdlePipes + 5; ++n) pipes.push_back(pool.take(0));
    CHECK_EQ(counts.open.get(), kIdlePipes + 5);
    for (const Pipe& pipe : pipes) pool.give_back(pipe);
    CHECK_EQ(counts.open.get(), kIdlePipes);
  }
  CHECK_EQ(counts.open.get(), 0);
}

TEST(pipe_pool_makes_what_is_wanted_now_and_keeps_no_others) {
  PipeCounts counts;
  PipePool pool(counts);
  const Pipe idle = pool.take(0);
  const Pipe used = pool.take(0);
  pool.give_back(idle);
  pool.want(2 * kLeastPipeBytes);
  CHECK_EQ(counts.open.get(), 1);
  pool.give_back(used);
  CHECK_EQ(counts.open.get(), 0);
  const Pipe pipe = pool.take(0);
  CHECK_EQ(pipe.capacity, 2 * kLeastPipeBytes);
  pool.give_back(pipe);
  pool.want(2 * kLeastPipeBytes);
  CHECK_EQ(pool.take(0).read_end, pipe.read_end);
  pool.discard(pipe);
}

TEST(pipe_pool_does_without_for_a_while_after_a_refusal) {
  PipeCounts counts;
  PipePool pool(counts);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const int highest = ::dup(1);
  const rlimit few{static_cast<rlim_t>(highest) + 1, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  CHECK(!pool.take(1000));
  ::setrlimit(RLIMIT_NOFILE, &before);
  ::close(highest);
  CHECK_EQ(counts.refused.get(), 1);
  CHECK(!pool.take(1000 + kPipeRetryUs - 1));
  CHECK_EQ(counts.refused.get(), 1);
  const Pipe pipe = pool.take(1000 + kPipeRetryUs);
  CHECK(static_cast<bool>(pipe));
  pool.give_back(pipe);
}

}  // namespace
