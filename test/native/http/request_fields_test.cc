// Field lines: names, values, line ends, folding, and the limits of a head.
// Every input also runs at every split point (head_cases.h).
#include <string>

#include "head_cases.h"
#include "http/fields.h"

namespace {

using head_cases::Accepted;
using head_cases::check_all_refused;
using head_cases::check_refused;
using head_cases::HeadLimits;
using head_cases::ParseStatus;
using head_cases::with_fields;
using sluice::ErrorCode;
using sluice::http::FieldId;

}  // namespace

TEST(fields_are_kept_in_order_with_their_case) {
  const Accepted head(with_fields("X-One: 1\r\nx-ONE:2\r\nAccept-encoding: gzip\r\n"));
  CHECK_EQ(head->field_count, 4);
  CHECK_EQ(head->fields[1].name, "X-One");
  CHECK_EQ(head->fields[1].value, "1");
  CHECK_EQ(head->fields[2].name, "x-ONE");
  CHECK_EQ(head->fields[2].value, "2");
  CHECK_EQ(head->fields[3].id, FieldId::accept_encoding);
  CHECK_EQ(head->find(FieldId::accept_encoding), "gzip");
  CHECK(head->find(FieldId::range).data() == nullptr);
}

TEST(fields_are_found_by_id_whatever_their_case_and_the_first_wins) {
  const Accepted head(with_fields("RANGE: bytes=0-1\r\nrange: bytes=2-3\r\n"));
  CHECK_EQ(head->find(FieldId::range), "bytes=0-1");
  CHECK_EQ(head->first_of[static_cast<size_t>(FieldId::range)], 2);
}

TEST(field_names_that_are_known_are_recognised_and_nothing_else) {
  for (int i = 1; i < static_cast<int>(FieldId::count_); ++i) {
    const auto id = static_cast<FieldId>(i);
    const std::string lower(sluice::http::field_name(id));
    std::string upper = lower;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    CHECK_EQ(sluice::http::field_id(lower), id);
    CHECK_EQ(sluice::http::field_id(upper), id);
    for (size_t at = 0; at < lower.size(); ++at) {
      std::string other = lower;
      other[at] = lower[at] == '_' ? '-' : '_';
      CHECK_EQ(sluice::http::field_id(other), FieldId::other);
    }
    CHECK_EQ(sluice::http::field_id(lower + "x"), FieldId::other);
    CHECK_EQ(sluice::http::field_id(lower.substr(1)), FieldId::other);
  }
  CHECK_EQ(sluice::http::field_id("x"), FieldId::other);
  CHECK_EQ(sluice::http::field_id(std::string(1000, 'x')), FieldId::other);
}

TEST(field_values_lose_surrounding_white_space_only) {
  CHECK_EQ(Accepted(with_fields("A: \t b \t c \t \r\n"))->fields[1].value, "b \t c");
  CHECK_EQ(Accepted(with_fields("A:\r\n"))->fields[1].value, "");
  CHECK_EQ(Accepted(with_fields("A: \t \r\n"))->fields[1].value, "");
  CHECK_EQ(Accepted(with_fields("A:b:c\r\n"))->fields[1].value, "b:c");
  CHECK_EQ(Accepted(with_fields("A: \x80\xff\xc3\xa4\r\n"))->fields[1].value, "\x80\xff\xc3\xa4");
}

TEST(field_values_refuse_control_characters) {
  for (int c = 0; c < 256; ++c) {
    const bool allowed = (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\r' || c == '\n';
    for (size_t before : {0u, 1u, 7u, 8u, 15u, 16u, 33u}) {
      const std::string value = std::string(before, 'v') + static_cast<char>(c) + "w";
      const std::string input = with_fields("A: " + value + "\r\n");
      if (!allowed) check_refused(input, ErrorCode::bad_field_value);
      if (allowed && c > ' ') CHECK_EQ(Accepted(input)->fields[1].value, value);
    }
  }
}

TEST(field_names_are_tokens) {
  const std::string_view marks = "!#$%&'*+-.^_`|~";
  for (int c = 1; c < 256; ++c) {
    const char mark = static_cast<char>(c);
    const bool token = std::isalnum(c) || (c < 0x80 && marks.find(mark) != std::string_view::npos);
    if (c == ':' || c == '\r' || c == '\n') continue;
    for (size_t before : {1u, 15u, 20u}) {
      const std::string name = std::string(before, 'n') + mark + "m";
      const std::string input = with_fields(name + ": v\r\n");
      if (!token) check_refused(input, ErrorCode::bad_field_name);
      if (token) CHECK_EQ(Accepted(input)->fields[1].name, name);
    }
  }
}

TEST(field_lines_refuse_what_could_be_read_in_two_ways) {
  const auto get = [](std::string_view rest) { return "GET / HTTP/1.1\r\n" + std::string(rest); };
  const std::string inputs[] = {
      get("Host : a\r\n\r\n"),
      get("Host\t: a\r\n\r\n"),
      get(": a\r\n\r\n"),
      get("Host\r\n\r\n"),
      get("Host: a\r\nno colon\r\n\r\n"),
      get("Host: a\r\nB: c\r\n d\r\n\r\n"),
      get("Host: a\r\nB: c\r\n\td: e\r\n\r\n"),
      get(" Host: a\r\n\r\n"),
      get("Host: a\r\n \r\n\r\n"),
      get("Host: a\nB: c\r\n\r\n"),
      get("Host: a\rB: c\r\n\r\n"),
      get("Host: a\r\r\n\r\n"),
      get("Host: a\r\nB\n: c\r\n\r\n"),
      get("Host: a\r\nB\r: c\r\n\r\n"),
      get("Host: a\r\n\n"),
      get("Host: a\r\n\rX"),
      get("Host: a\n\n"),
  };
  check_all_refused({
      {"space before colon", inputs[0], ErrorCode::bad_field_name},
      {"tab before colon", inputs[1], ErrorCode::bad_field_name},
      {"no name", inputs[2], ErrorCode::bad_field_name},
      {"no colon", inputs[3], ErrorCode::bad_field_name},
      {"words without colon", inputs[4], ErrorCode::bad_field_name},
      {"obs-fold with space", inputs[5], ErrorCode::folded_field},
      {"obs-fold with tab", inputs[6], ErrorCode::folded_field},
      {"space before the first field", inputs[7], ErrorCode::folded_field},
      {"line of a space", inputs[8], ErrorCode::folded_field},
      {"bare LF behind value", inputs[9], ErrorCode::bad_line_ending},
      {"bare CR in value", inputs[10], ErrorCode::bad_line_ending},
      {"CR CR LF", inputs[11], ErrorCode::bad_line_ending},
      {"LF in name", inputs[12], ErrorCode::bad_line_ending},
      {"CR in name", inputs[13], ErrorCode::bad_line_ending},
      {"bare LF ends the head", inputs[14], ErrorCode::bad_line_ending},
      {"bare CR ends the head", inputs[15], ErrorCode::bad_line_ending},
      {"nothing but LF", inputs[16], ErrorCode::bad_line_ending},
  });
}

TEST(head_ends_with_its_empty_line_and_leaves_the_rest) {
  const std::string head = with_fields("A: b\r\n");
  const std::string input = head + "GET /next HTTP/1.1\r\n\x01";
  CHECK_EQ(head_cases::parse_every_way(input).result.consumed, head.size());
}

TEST(fields_are_bounded_in_number_as_soon_as_one_more_begins) {
  HeadLimits limits;
  limits.fields = 5;
  const std::string four = "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n";
  for (std::string_view before : {"", "\r\n"}) {
    const std::string good = std::string(before) + with_fields(four);
    CHECK_EQ(Accepted(good, limits)->field_count, 5);
    const std::string bad = std::string(before) + with_fields(four + "E: 5\r\n");
    check_refused(bad, ErrorCode::too_many_fields, limits);
    // One by one the bytes of the sixth may be taken in, but not a seventh line.
    std::string endless(before);
    endless += "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 7; ++i) endless += "A: b\r\n";
    check_refused(endless, ErrorCode::too_many_fields, limits);
  }
  limits.fields = 100000;
  std::string many;
  for (size_t i = 1; i < sluice::http::kMaxFields; ++i) many += "a:\r\n";
  const std::string most = with_fields(many);
  CHECK_EQ(head_cases::parse(most, 0, limits).result.status, ParseStatus::ok);
  const std::string more = with_fields(many + "a:\r\n");
  CHECK_EQ(head_cases::parse(more, 0, limits).result.error, ErrorCode::too_many_fields);
}

TEST(head_is_bounded_in_bytes_as_soon_as_it_is_passed) {
  const std::string good = with_fields("A: 0123456789\r\n");
  HeadLimits limits;
  limits.head_bytes = good.size();
  CHECK_EQ(Accepted(good, limits)->field_count, 2);
  CHECK_EQ(head_cases::parse_every_way(good + "BODY", limits).result.consumed, good.size());
  const std::string bad = with_fields("A: 0123456789a\r\n");
  check_refused(bad, ErrorCode::head_too_large, limits);
  check_refused(bad.substr(0, good.size()), ErrorCode::head_too_large, limits);
  CHECK_EQ(head_cases::parse_every_way(bad.substr(0, good.size() - 1), limits).result.status,
           ParseStatus::need_more);
  // An earlier fault is reported rather than the limit, wherever the pieces were cut.
  check_refused(with_fields("A : 0123456789\r\n"), ErrorCode::bad_field_name, limits);
  limits.head_bytes = 10;
  check_refused(good, ErrorCode::head_too_large, limits);
  limits.head_bytes = 0;
  check_refused(good, ErrorCode::head_too_large, limits);
}

TEST(empty_input_needs_more) {
  CHECK_EQ(head_cases::parse({}).result.status, ParseStatus::need_more);
  CHECK_EQ(head_cases::parse("\r").result.status, ParseStatus::need_more);
}

TEST(nothing_of_an_earlier_head_remains) {
  const std::string full =
      "POST http://b:1/x?y HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: x\r\n"
      "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  const std::string empty = "GET / HTTP/1.0\r\n\r\n";
  head_cases::parse(empty);
  const std::string before = head_cases::parse(empty).head;
  head_cases::parse(full);
  CHECK_EQ(head_cases::parse(empty).head, before);
  const std::string plain = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
  const std::string wanted = head_cases::parse(plain).head;
  head_cases::parse(full);
  CHECK_EQ(head_cases::parse(plain).head, wanted);
}
