// A head that arrives byte by byte costs what it weighs: it is parsed again only a bounded number
// of times, whatever its bytes are. Counted, not timed.
#include "http/head_progress.h"

#include <string>

#include "head_cases.h"
#include "http/scan.h"

namespace {

using sluice::http::worth_parsing;

constexpr size_t kTargetLimit = 8 * 1024;
constexpr size_t kFieldLimit = 100;
/// Those while the method may still grow, the ends of two lines, the limits, the end of the head.
constexpr size_t kMostParses = 48;

/// How often a parser that is fed `input` in pieces of `step` bytes parses it.
size_t parses_of(std::string_view input, size_t step) {
  size_t parses = 0;
  size_t seen = 0;
  for (size_t bytes = step; bytes <= input.size(); bytes += step) {
    if (worth_parsing(input.substr(0, bytes), seen, kTargetLimit, kFieldLimit)) ++parses;
    seen = bytes;
  }
  return parses;
}

std::string fields(size_t count, size_t value_bytes) {
  std::string text = "GET / HTTP/1.1\r\n";
  for (size_t i = 0; i < count; ++i) text += "A: " + std::string(value_bytes, 'v') + "\r\n";
  return text;
}

}  // namespace

TEST(a_head_in_pieces_is_parsed_a_bounded_number_of_times) {
  const std::string inputs[] = {
      "GET /" + std::string(8000, 'a') + " HTTP/1.1\r\nA: " + std::string(50000, 'b') + "\r\n\r\n",
      "GET / HTTP/1.1\r\nA: " + std::string(60000, 'b'),
      fields(100, 600) + "\r\n",
      fields(100, 0) + "\r\n",
      "\r\n" + fields(100, 10) + "\r\n",
      "GET /" + std::string(8180, ' ') + "\r\n",
      std::string(32, 'M') + " /" + std::string(60000, '/'),
  };
  for (const std::string& input : inputs) {
    const testing::Context context(input.substr(0, 60));
    for (size_t step : {1u, 2u, 3u, 7u, 100u}) CHECK(parses_of(input, step) <= kMostParses);
  }
}

TEST(the_last_piece_of_a_head_is_always_worth_parsing) {
  const std::string input = fields(10, 20) + "\r\n";
  for (size_t split = 0; split < input.size(); ++split) {
    CHECK(worth_parsing(input, split, kTargetLimit, kFieldLimit));
  }
}

TEST(bytes_that_no_head_may_hold_are_worth_parsing) {
  const std::string start = fields(3, 20);
  for (std::string_view bad : {std::string_view("\0", 1), std::string_view("\x7f"),
                               std::string_view("\n"), std::string_view("a\rb")}) {
    CHECK(worth_parsing(start + std::string(bad), start.size(), kTargetLimit, kFieldLimit));
  }
  CHECK(worth_parsing("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r ", 46, kTargetLimit,
                      kFieldLimit));
  CHECK(!worth_parsing(start + "\r", start.size(), kTargetLimit, kFieldLimit));
  CHECK(!worth_parsing(start + "A: b", start.size(), kTargetLimit, kFieldLimit));
}

TEST(vectorised_scans_agree_with_the_table_of_classes) {
  using namespace sluice::http;
  // Every byte at every place of two vector registers, and runs of every length up to there.
  for (int c = 0; c < 256; ++c) {
    for (size_t length = 0; length <= 40; ++length) {
      for (size_t at = 0; at<length; at += length> 20 ? 3 : 1) {
        std::string text(length, 'a');
        text[at] = static_cast<char>(c);
        const head_cases::ExactBuffer buffer(text);
        const char* const begin = buffer.view().data();
        const char* const end = begin + length;
        CHECK_EQ(skip_field_content(begin, end) - begin,
                 skip_class(kFieldContent, begin, end) - begin);
        CHECK_EQ(skip_target(begin, end) - begin, skip_class(kTarget, begin, end) - begin);
        CHECK_EQ(skip_name(begin, end) - begin, skip_class(kToken, begin, end) - begin);
      }
    }
  }
}

TEST(vectorised_scans_agree_on_neighbouring_bytes) {
  using namespace sluice::http;
  // Pairs: a portable scan adds and subtracts across a word, where a borrow could leak.
  for (int c = 0; c < 256; ++c) {
    for (int d = 0; d < 256; ++d) {
      std::string text(16, 'a');
      text[5] = static_cast<char>(c);
      text[6] = static_cast<char>(d);
      const char* const begin = text.data();
      const char* const end = begin + text.size();
      if (skip_field_content(begin, end) != skip_class(kFieldContent, begin, end)) CHECK_EQ(c, -d);
      if (skip_target(begin, end) != skip_class(kTarget, begin, end)) CHECK_EQ(c, -d);
      if (skip_name(begin, end) != skip_class(kToken, begin, end)) CHECK_EQ(c, -d);
    }
  }
}
