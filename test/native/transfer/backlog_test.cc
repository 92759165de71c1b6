// A backlog keeps the order of what it is given, whatever part of it waits where, holds what has
// not been taken and nothing else, and gives its pipe and files back.
#include "transfer/backlog.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "core/limits.h"
#include "testing.h"

namespace {

using sluice::net::SocketState;
using sluice::transfer::Backlog;
using sluice::transfer::PipeCounts;
using sluice::transfer::PipePool;

/// `size` bytes that say where they stand.
std::string pattern(size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + i / 251 + seed) & 0xff);
  return bytes;
}

/// Descriptors that are open in this process, by their numbers.
size_t open_descriptors() {
  size_t count = 0;
  for (int fd = 0; fd < 512; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) ++count;
  }
  return count;
}

/// A backlog, a socket that it goes to, and a pipe that it is teed from.
struct Rig {
  explicit Rig(bool copies) : pool(counts), backlog(pool, copies) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    sink = SocketState{ends[0]};
    far = ends[1];
    REQUIRE(pipe2(source, O_NONBLOCK) == 0);
    REQUIRE(fcntl(source[1], F_SETPIPE_SZ, 1 << 20) > 0);
  }
  ~Rig() {
    close(sink.fd);
    close(far);
    close(source[0]);
    close(source[1]);
  }

  void add(const std::string& bytes) {
    REQUIRE(backlog.add(bytes));
    expected.append(bytes);
  }

  /// As a flow does: fills the pipe, has it duplicated, empties it.
  void tee(const std::string& before, const std::string& bytes) {
    REQUIRE(write(source[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    if (!backlog.has_room_for_tee()) REQUIRE(backlog.spill());
    REQUIRE(backlog.take_pipe(1 << 20, 0));
    REQUIRE(backlog.tee(before, source[0], bytes.size()));
    expected.append(before).append(bytes);
    std::string rest(bytes.size(), '\0');
    REQUIRE(read(source[0], rest.data(), rest.size()) == static_cast<ssize_t>(rest.size()));
  }

  /// Sends and receives until nothing is left, or `turns` times.
  void pass(int turns = 10'000) {
    char room[50'000];
    while (turns-- > 0 && !backlog.empty()) {
      sink.writable = true;
      uint64_t moved = 0;
      REQUIRE(backlog.send(sink, 300'000, moved) != Backlog::Step::failed);
      sent += moved;
      const ssize_t got = read(far, room, sizeof room);
      if (got > 0) received.append(room, static_cast<size_t>(got));
    }
    for (;;) {
      const ssize_t got = read(far, room, sizeof room);
      if (got <= 0) break;
      received.append(room, static_cast<size_t>(got));
    }
  }

  PipeCounts counts;
  PipePool pool;
  Backlog backlog;
  SocketState sink;
  int far = -1;
  int source[2];
  std::string expected, received;
  uint64_t sent = 0;
};

/// Everything in turn, with the socket taking some in between.
void mix(Rig& rig, bool tees) {
  rig.add("head\r\n\r\n");
  unsigned seed = 0;
  for (const size_t size : {10ul, 300'000ul, 4ul, 70'000ul, 900'000ul, 1ul, 200'000ul}) {
    ++seed;
    if (tees) {
      rig.tee(seed % 2 == 0 ? "line\r\n" : "", pattern(size, seed));
    } else {
      rig.add(pattern(size, seed));
    }
    rig.add("\r\n");
    if (seed % 3 == 0) rig.pass(2);
  }
  CHECK(rig.backlog.spilled() > 0);
  rig.pass();
  CHECK(rig.backlog.empty());
  CHECK_EQ(rig.backlog.spilled(), 0);
  CHECK_EQ(rig.sent, rig.expected.size());
  CHECK(rig.received == rig.expected);
}

TEST(backlog_keeps_the_order_of_text_pipe_and_spill) {
  Rig rig(false);
  mix(rig, true);
  mix(rig, true);
}

TEST(backlog_keeps_the_order_of_what_is_copied) {
  Rig rig(true);
  mix(rig, false);
  mix(rig, false);
}

TEST(backlog_sends_what_was_copied_by_sendfile) {
  Rig rig(false);
  mix(rig, false);
}

TEST(backlog_gives_its_pipe_back_when_it_is_empty) {
  Rig rig(false);
  rig.tee("", pattern(100'000, 1));
  CHECK_EQ(rig.counts.open.get(), 1);
  rig.pass();
  const auto pipe = rig.pool.take(0);
  CHECK_EQ(rig.counts.made.get(), 1);
  rig.pool.give_back(pipe);
}

TEST(backlog_closes_files_as_they_are_read_and_all_when_it_is_cleared) {
  const size_t before = open_descriptors();
  {
    Rig rig(true);
    for (unsigned n = 0; n < 30; ++n) rig.add(pattern(1'000'000, n));
    CHECK(rig.backlog.spilled() > 29'000'000);
    const size_t full = open_descriptors();
    rig.pass(500);
    CHECK(open_descriptors() < full);
    rig.backlog.clear();
    CHECK(rig.backlog.empty());
    CHECK_EQ(rig.backlog.spilled(), 0);
  }
  CHECK_EQ(open_descriptors(), before);
}

TEST(backlog_holds_little_text_however_long_it_is_used) {
  Rig rig(true);
  for (unsigned n = 0; n < 300; ++n) {
    rig.add(pattern(20'000, n));
    rig.pass(1);
  }
  rig.pass();
  CHECK(rig.received == rig.expected);
}

TEST(backlog_says_when_no_pipe_is_as_large_as_the_one_that_is_teed) {
  Rig rig(false);
  rig.pool.want(sluice::kLeastPipeBytes);
  CHECK(!rig.backlog.take_pipe(1 << 20, 0));
  rig.pool.want(1 << 20);
  CHECK(rig.backlog.take_pipe(1 << 20, 0));
}

TEST(backlog_says_when_the_other_side_is_gone) {
  Rig rig(false);
  rig.add("head");
  close(rig.far);
  rig.far = dup(rig.sink.fd);
  uint64_t moved = 0;
  CHECK(rig.backlog.send(rig.sink, 1000, moved) == Backlog::Step::failed);
  CHECK_EQ(moved, 0);
}

}  // namespace
