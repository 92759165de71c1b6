// Flows of both engines: every framing at every split point, slow and full sinks, ends and resets,
// what may be sent again, and pipes that only go back empty.
#include "transfer/flow.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/limits.h"
#include "flow_rig.h"
#include "http/chunked_decoder.h"
#include "testing.h"

namespace {

using namespace testing;
using Step = Flow::Step;
using sluice::ErrorCode;
using sluice::kReplayBytes;

constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\n\r\n";

/// What a chunked stream carries; `ok`: it is complete and nothing follows.
std::string unchunked(std::string_view bytes, bool& ok) {
  using Decoder = sluice::http::ChunkedDecoder;
  Decoder decoder;
  std::string body;
  ok = false;
  for (;;) {
    const Decoder::Result result = decoder.next(bytes);
    bytes.remove_prefix(result.consumed);
    if (result.step == Decoder::Step::done) ok = bytes.empty();
    if (result.step != Decoder::Step::payload || bytes.empty()) return body;
    const size_t part = std::min<uint64_t>(result.payload, bytes.size());
    body.append(bytes.substr(0, part));
    decoder.took(part);
    bytes.remove_prefix(part);
  }
}

/// A head and a body went out, framed as `outbound`.
void check_received(const FlowRig& rig, std::string_view body, Outbound outbound) {
  CHECK(rig.received.starts_with(kHead));
  const std::string_view rest = std::string_view(rig.received).substr(kHead.size());
  bool ok = outbound == Outbound::plain;
  CHECK((outbound == Outbound::plain ? std::string(rest) : unchunked(rest, ok)) == body);
  CHECK(ok);
}

/// The wire form of `body` for each way that its end is known.
std::string wire(std::string_view body, Inbound inbound, size_t chunk) {
  return inbound == Inbound::chunked ? in_chunks(body, chunk) : std::string(body);
}

void pass_small(Inbound inbound, Outbound outbound, size_t piece, size_t given) {
  const Context context("inbound " + printed(inbound) + ", outbound " + printed(outbound) +
                        ", pieces of " + printed(piece) + ", given " + printed(given));
  const std::string body = "The quick brown fox jumps over the lazy dog.";
  const std::string bytes = wire(body, inbound, 7);
  FlowRig rig(false);
  rig.reader->give(std::string_view(bytes).substr(0, given));
  rig.flow->start(std::string(kHead), inbound, body.size(), outbound, false);
  const bool ends = inbound == Inbound::until_end;
  CHECK(rig.pass(std::string_view(bytes).substr(given), piece, ends) == Step::done);
  check_received(rig, body, outbound);
  CHECK(rig.flow->is_done());
  CHECK_EQ(rig.flow->taken(), body.size());
  CHECK_EQ(rig.flow->moved(), rig.received.size());
}

TEST(flow_small_bodies_of_every_framing_at_every_split_point) {
  for (const Inbound inbound : {Inbound::length, Inbound::chunked, Inbound::until_end}) {
    for (const Outbound outbound : {Outbound::plain, Outbound::chunked}) {
      for (size_t at = 0; at < 44; ++at) pass_small(inbound, outbound, SIZE_MAX, at);
      for (size_t piece = 1; piece < 30; ++piece) pass_small(inbound, outbound, piece, 0);
    }
  }
}

TEST(flow_large_bodies_of_every_framing_by_both_engines) {
  const std::string body = pattern(1'500'000);
  for (const bool splices : {false, true}) {
    for (const Inbound inbound : {Inbound::length, Inbound::chunked, Inbound::until_end}) {
      for (const Outbound outbound : {Outbound::plain, Outbound::chunked}) {
        for (const size_t chunk : {size_t{1000}, size_t{200'000}, size_t{2'000'000}}) {
          const Context context(std::string(splices ? "splice" : "copy") + ", inbound " +
                                printed(inbound) + ", outbound " + printed(outbound) +
                                ", chunks of " + printed(chunk));
          FlowRig rig(splices);
          rig.flow->start(std::string(kHead), inbound, body.size(), outbound, false);
          const bool ends = inbound == Inbound::until_end;
          CHECK(rig.pass(wire(body, inbound, chunk), 150'001, ends) == Step::done);
          check_received(rig, body, outbound);
          // Chunks of less than the threshold are copied, and so is what does not come in bulk.
          const bool must = splices && (inbound == Inbound::length ||
                                        (inbound == Inbound::chunked && chunk > 1000));
          if (must) CHECK(rig.flow->spliced() > 0);
          if (!splices) CHECK_EQ(rig.flow->spliced(), 0);
        }
      }
    }
  }
}

TEST(flow_a_sink_that_takes_little_gets_all_in_order) {
  const std::string body = pattern(900'000);
  for (const bool splices : {false, true}) {
    for (const Outbound outbound : {Outbound::plain, Outbound::chunked}) {
      const Context context(std::string(splices ? "splice" : "copy") + printed(outbound));
      FlowRig rig(splices, 64 * 1024, 4096);
      rig.flow->start(std::string(kHead), Inbound::length, body.size(), outbound, false);
      std::string_view rest = body;
      Step step = Step::source_empty;
      bool was_full = false;
      for (size_t round = 0; round < 100'000 && !FlowRig::is_over(step); ++round) {
        rest.remove_prefix(rig.write(rest.substr(0, 70'000)));
        step = rig.run();
        was_full = was_full || step == Step::sink_full;
        // Nothing is read ahead of what the sink takes, but what one recv or one pipe brought.
        CHECK(rig.flow->taken() <= rig.received.size() + 1'200'000);
        rig.drain(1 + round % 3000);
      }
      while (rig.drain() > 0) {
      }
      CHECK(step == Step::done);
      CHECK(was_full);
      check_received(rig, body, outbound);
    }
  }
}

TEST(flow_waits_without_a_system_call) {
  sluice::sys::SyscallCounts counts;
  sluice::sys::count_into(&counts);
  const auto total = [&counts] {
    uint64_t sum = 0;
    for (const auto& calls : counts.calls) sum += calls.load();
    return sum;
  };
  for (const bool splices : {false, true}) {
    FlowRig rig(splices, 64 * 1024, 4096);
    rig.flow->start(std::string(kHead), Inbound::length, 1'000'000, Outbound::plain, false);
    while (rig.run() == Step::more) {
    }
    CHECK(rig.run() == Step::source_empty);
    uint64_t before = total();
    for (int n = 0; n < 100; ++n) CHECK(rig.run() == Step::source_empty);
    CHECK_EQ(total(), before);
    rig.write(pattern(150'000));
    CHECK(rig.run() == Step::sink_full);
    before = total();
    for (int n = 0; n < 100; ++n) CHECK(rig.run() == Step::sink_full);
    CHECK_EQ(total(), before);
  }
  sluice::sys::count_into(nullptr);
}

/// A turn ends within one recv of its budget, or within one pipe.
TEST(flow_keeps_to_its_budget) {
  for (const bool splices : {false, true}) {
    const uint64_t most = 8192 + (splices ? 64 * 1024 : 4096);
    FlowRig rig(splices, 4096);
    const std::string body = pattern(4'000'000);
    rig.flow->start({}, Inbound::length, body.size(), Outbound::plain, false);
    for (int turn = 0; turn < 20; ++turn) {
      rig.write(std::string_view(body).substr(0, most - 8192));
      rig.drain();
      const uint64_t before = rig.flow->moved();
      rig.run(8192);
      CHECK(rig.flow->moved() - before <= most);
    }
  }
}

TEST(flow_tells_an_early_end_from_the_end) {
  for (const bool splices : {false, true}) {
    for (const Inbound inbound : {Inbound::length, Inbound::chunked}) {
      const std::string body = pattern(400'000);
      const std::string bytes = wire(body, inbound, body.size());
      for (const size_t cut : {size_t{0}, size_t{3}, size_t{1000}, size_t{300'000}}) {
        const Context context(printed(splices) + printed(inbound) + printed(cut));
        FlowRig rig(splices);
        rig.flow->start(std::string(kHead), inbound, body.size(), Outbound::chunked, false);
        CHECK(rig.pass(std::string_view(bytes).substr(0, cut), SIZE_MAX, true) ==
              Step::source_ended);
        CHECK(!rig.flow->has_all());
        CHECK(!rig.received.ends_with("0\r\n\r\n"));
      }
    }
  }
}

TEST(flow_leaves_what_follows_the_body) {
  for (const Inbound inbound : {Inbound::length, Inbound::chunked}) {
    FlowRig rig(false);
    const std::string bytes = wire("body", inbound, 3) + "next";
    rig.flow->start({}, inbound, 4, Outbound::plain, false);
    CHECK(rig.pass(bytes, SIZE_MAX) == Step::done);
    CHECK_EQ(rig.received, "body");
    CHECK_EQ(rig.reader->unread(), "next");
  }
}

TEST(flow_says_when_the_sink_is_gone) {
  for (const bool splices : {false, true}) {
    FlowRig rig(splices);
    rig.flow->start({}, Inbound::length, 1'000'000, Outbound::plain, false);
    rig.write(pattern(150'000));
    rig.close_sink();
    CHECK(rig.run() == Step::sink_failed);
  }
}

TEST(flow_refuses_bad_chunks_at_every_split_point) {
  for (const std::string_view bad :
       {"x\r\n", "\r\n", "2\r\nabc\r\n", "2\nab\r\n", "fffffffffffffffff\r\n"}) {
    const std::string bytes = "3\r\nabc\r\n" + std::string(bad);
    for (size_t piece = 1; piece <= bytes.size(); ++piece) {
      const Context context(quoted(bad) + " in pieces of " + printed(piece));
      FlowRig rig(false);
      rig.flow->start({}, Inbound::chunked, 0, Outbound::chunked, false);
      CHECK(rig.pass(bytes, piece) == Step::bad_framing);
      CHECK(rig.flow->error() != ErrorCode::none);
      CHECK(!rig.received.ends_with("0\r\n\r\n"));
    }
  }
}

TEST(flow_holds_bodies_to_their_limit) {
  const std::string body = pattern(500'000);
  for (const bool splices : {false, true}) {
    for (const uint64_t limit : {uint64_t{499'999}, uint64_t{500'000}, uint64_t{10}}) {
      for (const size_t chunk : {size_t{100}, size_t{500'000}}) {
        FlowRig rig(splices);
        rig.flow->start({}, Inbound::chunked, 0, Outbound::plain, false);
        rig.flow->limit(limit);
        const Step expected = limit < body.size() ? Step::too_large : Step::done;
        CHECK(rig.pass(in_chunks(body, chunk), 50'000) == expected);
        CHECK(rig.received.size() <= limit);
      }
    }
  }
}

TEST(flow_sends_again_what_went_out_while_it_is_short) {
  for (const Inbound inbound : {Inbound::none, Inbound::length, Inbound::chunked}) {
    const std::string body = inbound == Inbound::none ? "" : pattern(5000);
    const std::string bytes = inbound == Inbound::none ? "" : wire(body, inbound, 900);
    for (const size_t first : {size_t{0}, size_t{1}, size_t{1000}, bytes.size()}) {
      if (first > bytes.size()) continue;
      const Context context(printed(inbound) + ", " + printed(first));
      const Outbound outbound = inbound == Inbound::chunked ? Outbound::chunked : Outbound::plain;
      FlowRig rig(true);
      rig.flow->start(std::string(kHead), inbound, body.size(), outbound, true);
      rig.pass(std::string_view(bytes).substr(0, first), SIZE_MAX);
      CHECK(rig.flow->can_rewind());
      rig.received.clear();
      CHECK(rig.flow->rewind());
      CHECK_EQ(rig.flow->moved(), 0);
      CHECK(rig.pass(std::string_view(bytes).substr(first), SIZE_MAX) == Step::done);
      check_received(rig, body, outbound);
    }
  }
}

TEST(flow_rewinds_with_another_host) {
  FlowRig rig(false);
  rig.flow->start("Host: one\r\n\r\n", Inbound::none, 0, Outbound::plain, true);
  CHECK(rig.pass({}, 1) == Step::done);
  rig.received.clear();
  CHECK(rig.flow->rewind("another", 6, 3));
  CHECK(rig.pass({}, 1) == Step::done);
  CHECK_EQ(rig.received, "Host: another\r\n\r\n");
}

TEST(flow_cannot_rewind_what_was_long_or_answered) {
  const std::string body = pattern(kReplayBytes * 2);
  FlowRig longer(false);
  longer.flow->start(std::string(kHead), Inbound::length, body.size(), Outbound::plain, true);
  CHECK(longer.pass(body, 4000) == Step::done);
  CHECK(!longer.flow->can_rewind());
  CHECK(!longer.flow->rewind());
  check_received(longer, body, Outbound::plain);
  FlowRig answered(false);
  answered.flow->start(std::string(kHead), Inbound::length, 10, Outbound::plain, true);
  CHECK(answered.pass("12345", 5) == Step::source_empty);
  answered.flow->stop_keeping();
  CHECK(!answered.flow->rewind());
  CHECK(answered.pass("67890", 5) == Step::done);
  check_received(answered, "1234567890", Outbound::plain);
}

TEST(flow_gives_pipes_back_only_when_they_are_empty) {
  FlowRig rig(true, 64 * 1024, 4096);
  rig.flow->start({}, Inbound::length, 1'000'000, Outbound::plain, false);
  rig.write(pattern(200'000));
  CHECK(rig.run() == Step::sink_full);
  CHECK_EQ(rig.counts.open.get(), 1);
  // The client goes while bytes are in the pipe: it is closed, never used again.
  rig.flow = std::make_unique<Flow>();
  CHECK_EQ(rig.counts.open.get(), 0);
  FlowRig whole(true);
  whole.flow->start({}, Inbound::length, 150'000, Outbound::plain, false);
  CHECK(whole.pass(pattern(150'000), SIZE_MAX) == Step::done);
  CHECK_EQ(whole.counts.open.get(), 1);
  CHECK_EQ(whole.counts.made.get(), 1);
  const sluice::transfer::Pipe pipe = whole.pipes.take(0);
  char byte;
  CHECK_EQ(sluice::sys::read(pipe.read_end, &byte, 1), -EAGAIN);
  whole.pipes.give_back(pipe);
}

TEST(flow_copies_when_no_pipe_is_to_be_had) {
  FlowRig rig(true);
  // Take every descriptor that is left, so that pipe2 is refused.
  std::vector<int> taken;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{static_cast<rlim_t>(::dup(1)) + 1, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  const std::string body = pattern(700'000);
  rig.flow->start(std::string(kHead), Inbound::length, body.size(), Outbound::plain, false);
  CHECK(rig.pass(body, 100'000) == Step::done);
  ::setrlimit(RLIMIT_NOFILE, &before);
  ::close(static_cast<int>(few.rlim_cur) - 1);
  check_received(rig, body, Outbound::plain);
  CHECK_EQ(rig.flow->spliced(), 0);
  CHECK_EQ(rig.counts.open.get(), 0);
  CHECK(rig.counts.refused.get() > 0);
}

}  // namespace
