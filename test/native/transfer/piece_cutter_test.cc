// Streams cut into pieces: the same pieces wherever the stream is split on its way, every byte of
// it, and nothing held that is longer than the bound.
#include "transfer/piece_cutter.h"

#include <algorithm>
#include <string>
#include <vector>

#include "testing.h"

using sluice::transfer::Cut;
using sluice::transfer::PieceCutter;

namespace {

struct Piece {
  std::string bytes;
  std::string id;
};

/// Puts parts together again.
class Collector {
 public:
  void operator()(const PieceCutter::Part& part) {
    CHECK(!part.bytes.empty());
    if (part.begins) pieces.emplace_back();
    if (!part.begins) ++continuations;
    REQUIRE(!pieces.empty());
    pieces.back().bytes.append(part.bytes);
    pieces.back().id.append(part.id);
    all.append(part.bytes);
    longest = std::max(longest, part.bytes.size());
  }
  std::vector<Piece> pieces;
  std::string all;
  size_t continuations = 0;
  size_t longest = 0;
};

std::vector<std::string> bytes_of(const std::vector<Piece>& pieces) {
  std::vector<std::string> bytes;
  for (const Piece& piece : pieces) bytes.push_back(piece.bytes);
  return bytes;
}

void check_pieces(const Collector& got, const std::vector<std::string>& expected) {
  CHECK_EQ(got.pieces.size(), expected.size());
  for (size_t i = 0; i < std::min(got.pieces.size(), expected.size()); ++i) {
    CHECK_EQ(bytes_of(got.pieces)[i], expected[i]);
  }
}

/// The same pieces, in one go and split in two at every point.
void check_cut(Cut cut, const std::string& marker, const std::vector<std::string>& expected) {
  std::string stream;
  for (const std::string& piece : expected) stream.append(piece);
  for (size_t at = 0; at <= stream.size(); ++at) {
    const testing::Context context("split at " + std::to_string(at));
    PieceCutter cutter(cut, marker, 1000);
    Collector got;
    const auto emit = [&got](const PieceCutter::Part& part) { got(part); };
    cutter.take(std::string_view(stream).substr(0, at), emit);
    cutter.take(std::string_view(stream).substr(at), emit);
    cutter.finish(emit);
    CHECK_EQ(got.all, stream);
    check_pieces(got, expected);
  }
}

}  // namespace

TEST(cutter_lines) { check_cut(Cut::line, "", {"a\n", "\n", "{\"b\": 1}\r\n", "rest"}); }

TEST(cutter_events) {
  check_cut(Cut::event, "", {"data: a\n\n", "id: 5\ndata: b\ndata: c\n\n", ": sign of life\n\n"});
}

TEST(cutter_markers) {
  check_cut(Cut::marker, "--x", {"before", "--xone", "--x", "--x-two-", "--x--three--"});
  check_cut(Cut::marker, "aab", {"aab", "aabaa", "aabaaa"});
  check_cut(Cut::marker, "G", {"G1", "G", "G22"});
}

TEST(cutter_events_with_other_line_ends) {
  const std::string stream("data: a\r\n\r\nid: 1\rdata: b\r\rdata: c\n\r\ndata: d\r\n\n");
  for (size_t at = 0; at <= stream.size(); ++at) {
    const testing::Context context("split at " + std::to_string(at));
    PieceCutter cutter(Cut::event, "", 1000);
    Collector got;
    const auto emit = [&got](const PieceCutter::Part& part) { got(part); };
    cutter.take(stream.substr(0, at), emit);
    cutter.take(stream.substr(at), emit);
    CHECK_EQ(got.all, stream);
    // A '\n' whose '\r' ended a piece may begin the next one.
    CHECK_EQ(got.pieces.size(), size_t{4});
    CHECK_EQ(cutter.last_id(), "1");
    CHECK_EQ(got.pieces[1].id, "1");
  }
}

TEST(cutter_notes_ids_and_retry) {
  PieceCutter cutter(Cut::event, "", 1000);
  const auto emit = [](const PieceCutter::Part&) {};
  cutter.take("id: one\ndata: x\n\nid: two\n", emit);
  CHECK_EQ(cutter.last_id(), "one");
  cutter.take("data: y\n", emit);
  cutter.restart();  // the event was not whole
  CHECK_EQ(cutter.last_id(), "one");
  cutter.take("retry: 250\n\nid:three\n\nidle: 4\nretry: soon\n\n", emit);
  cutter.take({"id: n\0ul\n\n", 11}, emit);
  CHECK_EQ(cutter.last_id(), "three");
  CHECK_EQ(cutter.retry_ms(), 250);
  cutter.take("id: " + std::string(2000, 'i') + "\n\n", emit);
  CHECK_EQ(cutter.last_id(), "three");
  cutter.take("id\n\n", emit);
  CHECK_EQ(cutter.last_id(), "");
}

TEST(cutter_passes_long_pieces_on_in_parts) {
  for (const Cut cut : {Cut::event, Cut::line}) {
    PieceCutter cutter(cut, "", 100);
    Collector got;
    const auto emit = [&got](const PieceCutter::Part& part) { got(part); };
    std::string sent;
    for (int i = 0; i < 1000; ++i) {
      cutter.take("0123456789", emit);
      sent.append("0123456789");
    }
    CHECK_EQ(got.pieces.size(), size_t{1});
    CHECK(got.continuations > 50);
    CHECK(got.longest <= 110);
    cutter.take("\n\nnext\n\n", emit);
    CHECK_EQ(got.all, sent + "\n\nnext\n\n");
    CHECK_EQ(got.pieces.back().bytes, cut == Cut::event ? "next\n\n" : "\n");
  }
}

TEST(cutter_forgets_what_was_not_whole) {
  PieceCutter cutter(Cut::line, "", 100);
  Collector got;
  const auto emit = [&got](const PieceCutter::Part& part) { got(part); };
  cutter.take("whole\nhal", emit);
  cutter.restart();
  cutter.take("another\n", emit);
  check_pieces(got, {"whole\n", "another\n"});
}

TEST(cutter_bytes_are_pieces_as_they_come) {
  PieceCutter cutter(Cut::bytes, "", 100);
  Collector got;
  const auto emit = [&got](const PieceCutter::Part& part) { got(part); };
  cutter.take("one", emit);
  cutter.take(std::string(5000, 'x'), emit);
  CHECK_EQ(got.pieces.size(), size_t{2});
}
