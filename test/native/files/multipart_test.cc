// The body of a multipart/byteranges answer: its pieces in order, its length, its boundary.
#include "files/multipart.h"

#include <string>

#include "testing.h"

namespace {

using sluice::files::Multipart;
using sluice::files::take_content_type;
using sluice::http::parse_range;

std::string boundary_of(const Multipart& multipart) {
  return multipart.content_type().substr(multipart.content_type().find('=') + 1);
}

TEST(multipart_pieces_follow_each_other_to_the_closing_one) {
  Multipart multipart("text/plain", parse_range("bytes=5-6,0-1", 10), 10);
  const std::string boundary = boundary_of(multipart);
  Multipart::Piece piece;
  REQUIRE(multipart.next(piece));
  CHECK_EQ(piece.text,
           "--" + boundary + "\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-6/10\r\n\r\n");
  CHECK_EQ(piece.offset, 5u);
  CHECK_EQ(piece.length, 2u);
  REQUIRE(multipart.next(piece));
  CHECK(piece.text.starts_with("\r\n--" + boundary + "\r\n"));
  CHECK_EQ(piece.offset, 0u);
  REQUIRE(multipart.next(piece));
  CHECK_EQ(piece.text, "\r\n--" + boundary + "--\r\n");
  CHECK_EQ(piece.length, 0u);
  CHECK(!multipart.next(piece));
  CHECK(!multipart.next(piece));
}

TEST(multipart_length_is_that_of_the_body) {
  const std::string content = "0123456789";
  for (const char* type : {"", "text/plain"}) {
    for (const char* range : {"bytes=0-0,9-9", "bytes=0-1,3-4,6-7,9-", "bytes=-1,0-2"}) {
      Multipart multipart(type, parse_range(range, content.size()), content.size());
      const uint64_t length = multipart.length();
      CHECK_EQ(multipart.joined(content).size(), length);
    }
  }
}

TEST(multipart_boundaries_differ) {
  const auto set = parse_range("bytes=0-0,2-2", 10);
  CHECK(boundary_of(Multipart("", set, 10)) != boundary_of(Multipart("", set, 10)));
  CHECK_EQ(boundary_of(Multipart("", set, 10)).size(), 32u);
}

TEST(content_type_is_taken_out_of_the_fields) {
  std::string rest;
  CHECK_EQ(take_content_type("A: 1\r\ncontent-type:  a/b; c=d \r\nB: 2\r\n", rest), "a/b; c=d");
  CHECK_EQ(rest, "A: 1\r\nB: 2\r\n");
  rest.clear();
  CHECK_EQ(take_content_type("Content-Type-X: 1\r\n", rest), "");
  CHECK_EQ(rest, "Content-Type-X: 1\r\n");
  rest.clear();
  CHECK_EQ(take_content_type("", rest), "");
  CHECK_EQ(rest, "");
}

}  // namespace
