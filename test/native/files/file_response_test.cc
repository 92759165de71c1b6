// From an answer and a request to a response: whole, part, unchanged, refused; GET and HEAD; what
// each head carries and which bytes follow it.
#include "files/file_response.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.h"
#include "testing.h"

namespace {

using sluice::make_ref;
using sluice::Ref;
using sluice::files::Answer;
using sluice::files::AnswerSource;
using sluice::files::File;
using sluice::files::Reply;

constexpr int64_t kChanged = 1'700'000'000;  // Tue, 14 Nov 2023 22:13:20 GMT
constexpr int64_t kNow = kChanged + 10'000;
constexpr std::string_view kBytes = "0123456789";
constexpr std::string_view kDate = "Tue, 14 Nov 2023 22:13:20 GMT";

/// Opened long after its last change, so that its tag is strong, unless `young`.
Ref<Answer> answer_with_file(bool young = false) {
  auto file = make_ref<File>(nullptr, -1, std::string(kBytes));
  file->size = kBytes.size();
  file->mtime_s = kChanged;
  file->opened_s = young ? kChanged + 1 : kNow;
  AnswerSource source;
  source.id = 5;
  source.fields = "Content-Type: text/plain\r\nCache-Control: no-cache\r\n";
  source.file = Ref<const File>(file.get());
  return make_ref<Answer>(std::move(source));
}

struct Given {
  std::string request;
  sluice::http::RequestHead head;
  Reply reply;
  std::string text() const { return std::string(reply.head); }
  std::string body() const {
    if (reply.source == nullptr) return "";
    return reply.source->bytes.substr(reply.offset, reply.length);
  }
  bool has(std::string_view line) const { return text().find(line) != std::string::npos; }
};

/// What `answer` gives for a request with these field lines.
std::unique_ptr<Given> reply_to(const Answer& answer, std::string_view method,
                                std::string_view fields, std::string_view target = "/a") {
  auto given = std::make_unique<Given>();
  given->request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: a\r\n");
  given->request.append(fields).append("\r\n");
  const auto parsed = sluice::http::parse_request(given->request, 0, {}, given->head);
  CHECK(parsed.status == sluice::http::ParseStatus::ok);
  sluice::files::reply_with(answer, given->head, kNow, given->reply);
  return given;
}

/// The same file with a variant for each coding, of other lengths than it; the smallest first.
Ref<Answer> answer_with_variants(uint16_t status = 200, bool young = false) {
  AnswerSource source;
  source.id = 6;
  source.status = status;
  source.fields = "Content-Type: text/plain\r\nVary: Accept-Encoding\r\n";
  const auto file = [](std::string bytes, int64_t opened_s) {
    auto made = make_ref<File>(nullptr, -1, std::move(bytes));
    made->mtime_s = kChanged;
    made->opened_s = opened_s;
    return Ref<const File>(made.get());
  };
  source.file = file(std::string(kBytes), kNow);
  using sluice::http::Coding;
  source.variants.push_back({Coding::brotli, file("BR", kNow)});
  source.variants.push_back({Coding::zstd, file("ZST", kNow)});
  source.variants.push_back({Coding::gzip, file("GZIP", young ? kChanged + 1 : kNow)});
  return make_ref<Answer>(std::move(source));
}

TEST(whole_file_for_get_and_its_head_alone_for_head) {
  const Ref<Answer> answer = answer_with_file();
  const auto got = reply_to(*answer, "GET", "");
  CHECK_EQ(got->reply.status, 200);
  CHECK_EQ(got->body(), kBytes);
  CHECK(got->text().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(got->has("Content-Length: 10\r\n") && got->has("Accept-Ranges: bytes\r\n"));
  CHECK(got->has("Content-Type: text/plain\r\n") && got->has("Cache-Control: no-cache\r\n"));
  CHECK(got->has("Last-Modified: " + std::string(kDate) + "\r\n"));
  CHECK(got->has("ETag: \"") && !got->has("W/"));
  const auto head = reply_to(*answer, "HEAD", "");
  CHECK_EQ(head->text(), got->text());
  CHECK_EQ(head->reply.length, 0);
}

TEST(young_file_has_a_weak_tag) {
  CHECK(reply_to(*answer_with_file(true), "GET", "")->has("ETag: W/\""));
}

TEST(date_of_a_file_is_neither_in_the_future_nor_before_the_epoch) {
  const auto answer_changed = [](int64_t mtime_s) {
    auto file = make_ref<File>(nullptr, -1, std::string(kBytes));
    file->size = kBytes.size();
    file->mtime_s = mtime_s;
    file->opened_s = kChanged;
    AnswerSource source;
    source.file = Ref<const File>(file.get());
    return make_ref<Answer>(std::move(source));
  };
  const std::string now = "Last-Modified: " + std::string(kDate) + "\r\n";
  CHECK(reply_to(*answer_changed(kChanged + 100'000), "GET", "")->has(now));
  CHECK(reply_to(*answer_changed(int64_t{1} << 50), "GET", "")->has(now));
  const auto old = answer_changed(-5);
  constexpr std::string_view kEpoch = "Thu, 01 Jan 1970 00:00:00 GMT\r\n";
  CHECK(reply_to(*old, "GET", "")->has("Last-Modified: " + std::string(kEpoch)));
  const auto same = "If-Modified-Since: " + std::string(kEpoch);
  CHECK_EQ(reply_to(*old, "GET", same)->reply.status, 304);
}

struct Case {
  std::string_view fields;
  uint16_t status;
  std::string_view body;
  std::string_view line = "";
};

void check_all(const Answer& answer, const std::vector<Case>& cases, std::string_view method) {
  for (const Case& each : cases) {
    const testing::Context context(std::string(method) + " " + std::string(each.fields));
    const auto given = reply_to(answer, method, each.fields);
    CHECK_EQ(given->reply.status, each.status);
    CHECK_EQ(given->body(), each.body);
    CHECK(given->has(each.line));
  }
}

TEST(ranges_of_get) {
  const Ref<Answer> answer = answer_with_file();
  check_all(*answer,
            {
                {"Range: bytes=0-0\r\n", 206, "0", "Content-Range: bytes 0-0/10\r\n"},
                {"Range: bytes=2-4\r\n", 206, "234", "Content-Length: 3\r\n"},
                {"Range: bytes=7-\r\n", 206, "789", "Content-Range: bytes 7-9/10\r\n"},
                {"Range: bytes=-3\r\n", 206, "789", "Content-Type: text/plain\r\n"},
                {"Range: bytes=-99\r\n", 206, kBytes, "Content-Range: bytes 0-9/10\r\n"},
                {"Range: bytes=5-99\r\n", 206, "56789"},
                {"Range: bytes=10-\r\n", 416, "", "Content-Range: bytes */10\r\n"},
                {"Range: bytes=-0\r\n", 416, "", "Content-Length: 0\r\n"},
                // Parts that would be longer than the file, another unit, no range at all.
                {"Range: bytes=0-1,5-6\r\n", 200, kBytes},
                {"Range: bytes=0-1,2-3\r\n", 206, "0123"},
                {"Range: lines=0-1\r\n", 200, kBytes},
                {"Range: bytes=4-2\r\n", 200, kBytes},
                {"Range: bytes=x\r\n", 200, kBytes},
            },
            "GET");
}

TEST(several_ranges_are_parts_of_one_body) {
  const std::string content(4'000, 'x');
  auto file = make_ref<File>(nullptr, -1, content);
  file->size = content.size();
  file->mtime_s = kChanged;
  file->opened_s = kNow;
  AnswerSource source;
  source.fields = "Content-Type: text/plain\r\nX-Route: a\r\n";
  source.file = Ref<const File>(file.get());
  const auto answer = make_ref<Answer>(std::move(source));
  const auto given = reply_to(*answer, "GET", "Range: bytes=0-1,1000-1001,3999-\r\n");
  CHECK_EQ(given->reply.status, 206);
  CHECK(given->has("Content-Type: multipart/byteranges; boundary="));
  CHECK(given->has("X-Route: a\r\n") && !given->has("Content-Range"));
  CHECK(given->has("Content-Length: " + std::to_string(given->body().size()) + "\r\n"));
  for (const char* range : {"0-1", "1000-1001", "3999-3999"}) {
    const std::string line = "Content-Range: bytes " + std::string(range) + "/4000\r\n\r\nx";
    CHECK(given->body().find(line) != std::string::npos);
  }
}

TEST(range_means_nothing_for_head) {
  const Ref<Answer> answer = answer_with_file();
  for (const std::string_view range : {"Range: bytes=0-0\r\n", "Range: bytes=99-\r\n"}) {
    const auto given = reply_to(*answer, "HEAD", range);
    CHECK_EQ(given->reply.status, 200);
    CHECK(given->has("Content-Length: 10\r\n"));
  }
}

TEST(preconditions_come_before_ranges) {
  const Ref<Answer> answer = answer_with_file();
  const std::string tag = answer->etag;
  const std::string date(kDate);
  const std::string same = "If-None-Match: " + tag + "\r\n";
  const std::string weak = "If-None-Match: W/" + tag + "\r\n";
  const std::string since = "If-Modified-Since: " + date + "\r\n";
  const std::string match = "If-Match: \"other\"\r\n";
  const std::string range = "Range: bytes=0-1\r\n";
  const std::string if_same = "If-Range: " + tag + "\r\n";
  const std::string if_other = "If-Range: \"other\"\r\n";
  const std::string ours = "If-Match: " + tag + "\r\n";
  for (const std::string_view method : {"GET", "HEAD"}) {
    check_all(*answer,
              {
                  {same, 304, "", "ETag: "},
                  {weak, 304, "", "Cache-Control: no-cache\r\n"},
                  {since, 304, "", "Last-Modified: "},
                  {"If-None-Match: *\r\n", 304, ""},
                  {same + range, 304, ""},
                  {match, 412, "", "Content-Length: 0\r\n"},
                  {match + range, 412, ""},
                  {"If-Unmodified-Since: Mon, 13 Nov 2023 22:13:20 GMT\r\n", 412, ""},
              },
              method);
  }
  check_all(*answer,
            {
                {"If-None-Match: \"other\"\r\n", 200, kBytes},
                {"If-None-Match: \"other\"\r\n" + since, 200, kBytes},
                {ours + range, 206, "01"},
                {if_same + range, 206, "01"},
                {if_other + range, 200, kBytes},
                {"If-Range: W/" + tag + "\r\n" + range, 200, kBytes},
                {"If-Range: " + date + "\r\n" + range, 206, "01"},
            },
            "GET");
}

TEST(unchanged_answer_has_no_length_and_no_content_fields) {
  const Ref<Answer> answer = answer_with_file();
  const auto given = reply_to(*answer, "GET", "If-None-Match: " + answer->etag + "\r\n");
  CHECK_EQ(given->reply.status, 304);
  CHECK(!given->has("Content-"));
}

TEST(answer_without_a_file_knows_no_conditions_and_no_ranges) {
  AnswerSource source;
  source.id = 6;
  source.status = 404;
  source.body = "not here";
  source.has_body = true;
  source.fields = "Content-Type: text/plain\r\n";
  const auto answer = make_ref<Answer>(std::move(source));
  check_all(*answer,
            {
                {"", 404, "not here", "Content-Length: 8\r\n"},
                {"Range: bytes=0-1\r\n", 404, "not here"},
                {"If-None-Match: *\r\n", 404, "not here"},
            },
            "GET");
  CHECK_EQ(reply_to(*answer, "HEAD", "")->reply.length, 0);
}

TEST(directory_without_its_slash_leads_to_the_one_with_it) {
  AnswerSource source;
  source.id = 7;
  source.status = 308;
  source.relocation = sluice::files::Relocation{0, "/"};
  const auto answer = make_ref<Answer>(std::move(source));
  const auto plain = reply_to(*answer, "GET", "", "/docs");
  CHECK_EQ(plain->reply.status, 308);
  CHECK(plain->has("Location: /docs/\r\n"));
  CHECK(plain->has("Content-Length: " + std::to_string(plain->body().size()) + "\r\n"));
  CHECK(reply_to(*answer, "GET", "", "/a%20b?c=d")->has("Location: /a%20b/?c=d\r\n"));
  CHECK_EQ(reply_to(*answer, "HEAD", "", "/docs")->body(), "");
  const auto absolute = reply_to(*answer, "GET", "", "http://other.example/docs?x");
  CHECK(absolute->has("Location: /docs/?x\r\n"));
}

struct Negotiation {
  const char* accepted;
  const char* body;
};

TEST(variant_is_the_one_that_the_client_weighs_highest) {
  const Ref<Answer> answer = answer_with_variants();
  constexpr Negotiation kNegotiations[] = {
      {"gzip, deflate, br, zstd", "BR"},
      {"gzip, zstd", "ZST"},
      {"br;q=0.5, gzip", "GZIP"},
      {"*", "BR"},
      {"*;q=0.5, zstd", "ZST"},
      {"gzip;q=0.1", "GZIP"},
      {"gzip;q=0.1, identity;q=0.2", "0123456789"},
      {"gzip;q=0.2, identity;q=0.2", "GZIP"},
      {"gzip;q=0.1, *;q=0.2, br;q=0, zstd;q=0", "0123456789"},
      {"identity", "0123456789"},
      {"identity;q=0", "0123456789"},
      {"*;q=0", "0123456789"},
      {"deflate", "0123456789"},
      {"", "0123456789"},
  };
  for (const Negotiation& each : kNegotiations) {
    const testing::Context context(each.accepted);
    const std::string field = std::string("Accept-Encoding: ") + each.accepted + "\r\n";
    const auto got = reply_to(*answer, "GET", field);
    CHECK_EQ(got->reply.status, 200);
    CHECK_EQ(got->body(), each.body);
    CHECK(got->has("Vary: Accept-Encoding\r\n"));
    CHECK(got->has("Content-Length: " + std::to_string(got->body().size()) + "\r\n"));
    CHECK_EQ(got->has("Content-Encoding: "), got->body() != kBytes);
    CHECK_EQ(reply_to(*answer, "HEAD", field)->text(), got->text());
    CHECK_EQ(got->reply.answer, 6u);
  }
  CHECK_EQ(reply_to(*answer, "GET", "")->body(), kBytes);
}

TEST(variant_has_its_own_tag_and_its_own_ranges) {
  const Ref<Answer> answer = answer_with_variants();
  const std::string gzip = "Accept-Encoding: gzip\r\n";
  const std::string tag = answer->variants[2].answer->etag;
  CHECK(tag.ends_with("-gzip\"") && !tag.starts_with("W/"));
  CHECK(tag != answer->etag && tag != answer->variants[0].answer->etag);
  const auto same = reply_to(*answer, "GET", gzip + "If-None-Match: " + tag + "\r\n");
  CHECK_EQ(same->reply.status, 304);
  CHECK(same->has("ETag: " + tag) && same->has("Vary: ") && !same->has("Content-Encoding"));
  const std::string other = "If-None-Match: " + tag + "\r\n";
  CHECK_EQ(reply_to(*answer, "GET", other)->reply.status, 200);
  CHECK_EQ(reply_to(*answer, "GET", gzip + "If-Match: " + answer->etag + "\r\n")->reply.status,
           412);
  const auto part = reply_to(*answer, "GET", gzip + "Range: bytes=1-2\r\n");
  CHECK_EQ(part->reply.status, 206);
  CHECK_EQ(part->body(), "ZI");
  CHECK(part->has("Content-Range: bytes 1-2/4\r\n") && part->has("Content-Encoding: gzip\r\n"));
  const auto beyond = reply_to(*answer, "GET", gzip + "Range: bytes=4-\r\n");
  CHECK_EQ(beyond->reply.status, 416);
  CHECK(beyond->has("Content-Range: bytes */4\r\n") && !beyond->has("Content-Encoding"));
  const auto stale = "Range: bytes=1-2\r\nIf-Range: " + answer->etag + "\r\n";
  CHECK_EQ(reply_to(*answer, "GET", gzip + stale)->body(), "GZIP");
  CHECK_EQ(reply_to(*answer, "GET", gzip + "Range: bytes=0-0,2-2\r\n")->body(), "GZIP");
}

TEST(page_of_an_error_has_variants_without_validators) {
  const Ref<Answer> answer = answer_with_variants(404);
  const auto got = reply_to(*answer, "GET", "Accept-Encoding: br\r\nRange: bytes=0-0\r\n");
  CHECK_EQ(got->reply.status, 404);
  CHECK_EQ(got->body(), "BR");
  CHECK(got->has("Content-Encoding: br\r\n") && !got->has("ETag") && !got->has("Accept-Ranges"));
}

TEST(answer_is_as_young_as_its_youngest_variant) {
  const Ref<Answer> answer = answer_with_variants(200, true);
  CHECK(answer->young && !answer_with_variants()->young);
  CHECK(reply_to(*answer, "GET", "")->has("ETag: \""));
  CHECK(reply_to(*answer, "GET", "Accept-Encoding: gzip\r\n")->has("ETag: W/\""));
}

}  // namespace
