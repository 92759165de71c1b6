// Responses that lie in one stream: which are over when the socket has taken so many bytes, and
// what went out of those that are cut off.
#include "log/lines.h"

#include <string>
#include <vector>

#include "testing.h"

namespace {

using sluice::log::Lines;

/// Adds a response of a head and a body of these sizes behind `at`; returns where it ends.
uint64_t add(Lines& lines, const std::string& name, uint64_t at, uint64_t head, uint64_t body) {
  Lines::Line line;
  line.text.begin = lines.text().size();
  lines.text().append(name);
  line.text.end = lines.text().size();
  line.body_at = lines.taken() + at + head;
  line.ends_at = line.body_at + body;
  lines.add(line);
  return at + head + body;
}

struct Seen {
  std::vector<std::string> over;
  void operator()(const Lines::Line&, std::string_view begun, uint64_t bytes) {
    over.push_back(std::string(begun) + "<" + std::to_string(bytes) + ">");
  }
};

std::string joined(const Seen& seen) {
  std::string text;
  for (const std::string& one : seen.over) text += one + " ";
  return text;
}

Lines three() {
  Lines lines;
  uint64_t at = add(lines, "a", 0, 10, 5);
  at = add(lines, "b", at, 10, 0);
  add(lines, "c", at, 10, 100);
  return lines;
}

}  // namespace

TEST(log_lines_are_over_when_their_last_byte_is_taken) {
  Lines lines = three();
  Seen seen;
  lines.took(14, seen);
  CHECK_EQ(joined(seen), "");
  lines.took(1, seen);
  CHECK_EQ(joined(seen), "a<5> ");
  lines.took(109, seen);
  CHECK_EQ(joined(seen), "a<5> b<0> ");
  CHECK(!lines.empty());
  lines.took(11, seen);
  CHECK_EQ(joined(seen), "a<5> b<0> c<100> ");
  CHECK(lines.empty());
  CHECK_EQ(lines.taken(), 0u);
}

TEST(log_lines_cut_off_at_every_byte) {
  for (uint64_t taken = 0; taken < 135; ++taken) {
    for (const bool keep : {false, true}) {
      Lines lines = three();
      Seen seen;
      lines.took(taken / 2, seen);
      Lines rest = keep ? lines.take_rest() : Lines();
      Lines& kept = keep ? rest : lines;
      if (keep) CHECK(lines.empty());
      kept.took(taken - taken / 2, seen);
      kept.cut_off(seen);
      CHECK(kept.empty());
      const auto of = [taken](uint64_t body_at, uint64_t body) {
        return std::to_string(taken <= body_at ? 0 : std::min(taken - body_at, body));
      };
      CHECK_EQ(joined(seen), "a<" + of(10, 5) + "> b<0> c<" + of(35, 100) + "> ");
    }
  }
}
