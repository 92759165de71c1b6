// Verdicts as bytes: at every split, every wrong form, and that nothing in one can become another
// head.
#include "worker/hook_messages.h"

#include <cstring>
#include <string>
#include <vector>

#include "testing.h"

namespace {

using sluice::worker::parse_verdict;
using sluice::worker::ParsedVerdict;
using sluice::worker::Verdict;
using sluice::worker::VerdictStatus;

void put(std::string& out, uint32_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

struct Parts {
  uint8_t kind = 2;
  uint16_t status = 0;
  uint32_t remember = UINT32_MAX;
  uint32_t upstream = UINT32_MAX;
  // request removed, added, response removed, added, target, claims, body
  std::vector<std::string> texts{"", "", "", "", "", "", ""};
};

std::string encoded(const Parts& parts) {
  std::string body;
  put(body, 7);
  put(body, 9);
  body.push_back(static_cast<char>(parts.kind));
  body.push_back(0);
  body.append(reinterpret_cast<const char*>(&parts.status), 2);
  put(body, parts.remember);
  if (parts.kind != 0) {
    put(body, parts.upstream);
    for (const std::string& text : parts.texts) {
      put(body, static_cast<uint32_t>(text.size()));
      body.append(text);
    }
  }
  std::string out;
  put(out, static_cast<uint32_t>(body.size() + 4));
  return out + body;
}

VerdictStatus status_of(const Parts& parts) { return parse_verdict(encoded(parts)).status; }

}  // namespace

TEST(a_pass_has_nothing_to_say) {
  Parts parts;
  parts.kind = 0;
  const ParsedVerdict parsed = parse_verdict(encoded(parts));
  CHECK(parsed.status == VerdictStatus::ok);
  CHECK_EQ(parsed.ticket.slot, 7u);
  CHECK_EQ(parsed.ticket.serial, 9u);
  CHECK_EQ(parsed.consumed, 20u);
  CHECK(!parsed.verdict);
}

TEST(changes_come_out_as_they_were_said) {
  Parts parts;
  parts.remember = 1500;
  parts.upstream = 3;
  parts.texts = {"x-a\nx-b\n", "X-A: 1\r\n",          "server\n", "X-C: 2\r\nX-D: 3\r\n",
                 "/b?c",       "sub=joe\nplan=a=b\n", ""};
  const std::string bytes = encoded(parts);
  for (size_t split = 0; split < bytes.size(); ++split) {
    CHECK(parse_verdict(std::string_view(bytes).substr(0, split)).status ==
          VerdictStatus::need_more);
  }
  const ParsedVerdict parsed = parse_verdict(bytes + "more");
  CHECK(parsed.status == VerdictStatus::ok);
  CHECK_EQ(parsed.consumed, bytes.size());
  const Verdict& verdict = *parsed.verdict;
  CHECK(verdict.kind == Verdict::Kind::change);
  CHECK_EQ(verdict.remember_ms, 1500);
  CHECK_EQ(verdict.upstream, 3);
  CHECK_EQ(verdict.request.removed.size(), 2u);
  CHECK_EQ(verdict.request.added, std::string("X-A: 1\r\n"));
  CHECK_EQ(verdict.response.removed[0], std::string("server"));
  CHECK_EQ(verdict.target, std::string("/b?c"));
  CHECK_EQ(verdict.claims[1].second, std::string("a=b"));
}

TEST(an_answer_gets_a_head_with_its_length) {
  Parts parts;
  parts.kind = 1;
  parts.status = 403;
  parts.texts[3] = "Content-Type: text/plain\r\n";
  parts.texts[6] = "no";
  const ParsedVerdict parsed = parse_verdict(encoded(parts));
  CHECK(parsed.status == VerdictStatus::ok);
  CHECK_EQ(parsed.verdict->head,
           std::string("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n"
                       "Content-Length: 2\r\n"));
  CHECK_EQ(parsed.verdict->body->bytes, std::string("no"));
  CHECK(parsed.verdict->response.empty());
}

TEST(verdicts_that_could_become_another_head_are_refused) {
  const std::vector<std::string> lines{"X: a\r\n\r\n",
                                       "X: a\nY: b\r\n",
                                       "X: a",
                                       "X\r\n",
                                       ": a\r\n",
                                       "X : a\r\n",
                                       "X: a\0b\r\n",
                                       "Content-Length: 1\r\n",
                                       "Connection: close\r\n",
                                       "Transfer-Encoding: chunked\r\n",
                                       "x y: a\r\n"};
  for (const std::string& line : lines) {
    for (const size_t at : {1u, 3u}) {
      Parts parts;
      parts.texts[at] = line;
      CHECK(status_of(parts) == VerdictStatus::bad);
    }
  }
  for (const std::string target : {"/a b", "/a\r\nX: y", "/\x80"}) {
    Parts parts;
    parts.texts[4] = target;
    CHECK(status_of(parts) == VerdictStatus::bad);
  }
  Parts unknown;
  unknown.kind = 4;
  CHECK(status_of(unknown) == VerdictStatus::bad);
  for (const uint16_t status : {0, 101, 199, 600}) {
    Parts parts;
    parts.kind = 1;
    parts.status = status;
    CHECK(status_of(parts) == VerdictStatus::bad);
  }
  Parts bodied;
  bodied.kind = 1;
  bodied.status = 204;
  bodied.texts[6] = "body";
  CHECK(status_of(bodied) == VerdictStatus::bad);
}

TEST(lengths_that_do_not_fit_are_refused) {
  Parts parts;
  std::string bytes = encoded(parts);
  for (size_t at = 24; at + 4 <= bytes.size(); at += 4) {
    std::string wrong = bytes;
    wrong[at] = 1;
    CHECK(parse_verdict(wrong).status == VerdictStatus::bad);
  }
  for (const uint32_t size : {0u, 19u, UINT32_MAX}) {
    std::string wrong = bytes;
    std::memcpy(wrong.data(), &size, sizeof size);
    const ParsedVerdict parsed = parse_verdict(wrong);
    CHECK(parsed.status == VerdictStatus::bad);
    CHECK_EQ(parsed.consumed, 0u);
  }
}
