// Escaping and redaction, byte by byte and at every split of odd input.
#include "log/escape.h"

#include <string>
#include <vector>

#include "testing.h"

namespace {

using sluice::log::Style;

std::string escaped(Style style, std::string_view text) {
  // Exactly the promised room, so that a sanitizer sees a byte too many.
  std::vector<char> room(sluice::log::kWorstEscape * text.size());
  char* const end = sluice::log::escape(style, text, room.data());
  return {room.data(), end};
}

std::string redacted(std::string_view text, const std::vector<std::string>& names) {
  std::vector<char> room(sluice::log::kWorstEscape * text.size());
  char* const end = sluice::log::escape_redacted(Style::json, text, names, room.data());
  return {room.data(), end};
}

bool is_valid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c >= 0x80 && c < 0xc2) return false;
    if (text.size() - i < length) return false;
    for (size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

/// What a JSON parser would make of it, as code points below 0x100 for \u00xx; "" when it ends the
/// string early or has a control.
bool is_safe_json(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f || c == '"') return false;
    if (c != '\\') continue;
    if (++i == text.size()) return false;
    if (text[i] != 'u') continue;
    if (text.size() - i < 5) return false;
    i += 4;
  }
  return is_valid_utf8(text);
}

}  // namespace

TEST(log_escape_of_every_byte_is_safe) {
  for (int byte = 0; byte < 256; ++byte) {
    // At every offset of the eight bytes that are looked at together.
    for (size_t at = 0; at < 17; ++at) {
      std::string text(17, 'a');
      text[at] = static_cast<char>(byte);
      const std::string json = escaped(Style::json, text);
      CHECK(is_safe_json(json));
      const bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
      CHECK_EQ(json == text, plain);
      const std::string combined = escaped(Style::combined, text);
      CHECK_EQ(combined == text, plain);
      for (const char c : combined) CHECK(c >= 0x20 && c < 0x7f);
    }
  }
}

TEST(log_escape_names_bytes) {
  CHECK_EQ(escaped(Style::json, "\"\\\n\r\t\x01\x7f\x1b"),
           "\\\"\\\\\\n\\r\\t\\u0001\\u007f\\u001b");
  CHECK_EQ(escaped(Style::combined, "\"\\\n\x01\xc3\xa9"), "\\\"\\\\\\n\\x01\\xc3\\xa9");
  CHECK_EQ(escaped(Style::json, "\xe9"), "\\u00e9");
  CHECK_EQ(escaped(Style::json, ""), "");
}

TEST(log_escape_keeps_utf8_only) {
  for (const char* text : {"é", "ÿ", "ࠀ", "€", "퟿", "", "😀", "\xf4\x8f\xbf\xbf"}) {
    CHECK_EQ(escaped(Style::json, text), text);
  }
  // Overlong, surrogates, beyond Unicode, continuation without a beginning, C1 controls.
  CHECK_EQ(escaped(Style::json, "\xc0\xaf"), "\\u00c0\\u00af");
  CHECK_EQ(escaped(Style::json, "\xe0\x80\xaf"), "\\u00e0\\u0080\\u00af");
  CHECK_EQ(escaped(Style::json, "\xf0\x80\x80\xaf"), "\\u00f0\\u0080\\u0080\\u00af");
  CHECK_EQ(escaped(Style::json, "\xed\xa0\x80"), "\\u00ed\\u00a0\\u0080");
  CHECK_EQ(escaped(Style::json, "\xf4\x90\x80\x80"), "\\u00f4\\u0090\\u0080\\u0080");
  CHECK_EQ(escaped(Style::json, "\x80"), "\\u0080");
  CHECK_EQ(escaped(Style::json, "\xc2\x9b"), "\\u00c2\\u009b");
}

TEST(log_escape_of_sequences_that_are_cut) {
  const std::string text =
      "aé€😀\"\\\n\xff"
      "b";
  for (size_t from = 0; from <= text.size(); ++from) {
    for (size_t to = from; to <= text.size(); ++to) {
      const std::string_view part = std::string_view(text).substr(from, to - from);
      CHECK(is_safe_json(escaped(Style::json, part)));
      for (const char c : escaped(Style::combined, part)) CHECK(c >= 0x20 && c < 0x7f);
    }
  }
}

TEST(log_redacts_values_by_name) {
  const std::vector<std::string> names = {"token", "k"};
  CHECK_EQ(redacted("/a?token=1&b=2", names), "/a?token=***&b=2");
  CHECK_EQ(redacted("/a?b=2&token=1", names), "/a?b=2&token=***");
  CHECK_EQ(redacted("/a?ToKeN=1;k=2", names), "/a?ToKeN=***;k=***");
  CHECK_EQ(redacted("/a?%74oken=1", names), "/a?%74oken=***");
  CHECK_EQ(redacted("/a?%54oken=1", names), "/a?%54oken=***");
  CHECK_EQ(redacted("/a?token=", names), "/a?token=***");
  CHECK_EQ(redacted("/a?token", names), "/a?token");
  CHECK_EQ(redacted("/a?token==x", names), "/a?token=***");
  CHECK_EQ(redacted("/a?token=x?k=y#k=z", names), "/a?token=***?k=***#k=***");
  CHECK_EQ(redacted("/a?xtoken=1&tokenx=2", names), "/a?xtoken=1&tokenx=2");
  CHECK_EQ(redacted("/token=1/k=2", names), "/token=1/k=2");
  CHECK_EQ(redacted("/a?token=\"\n\"&\"", names), "/a?token=***&\\\"");
  CHECK_EQ(redacted("GET /a?k=1 HTTP/1.1", names), "GET /a?k=*** HTTP/1.1");
  CHECK_EQ(redacted("/a?%=1&%7=2&%zz=3&=4&&", names), "/a?%=1&%7=2&%zz=3&=4&&");
  CHECK_EQ(redacted("/a?token=1", {}), "/a?token=1");
}

TEST(log_redaction_leaves_no_secret_at_any_cut) {
  const std::string text = "/a?token=SECRET&x=1&%74oken=SECRET;k=SECRET#f";
  for (size_t size = 0; size <= text.size(); ++size) {
    const std::string line = redacted(std::string_view(text).substr(0, size), {"token", "k"});
    CHECK(line.find('S') == std::string::npos);
  }
}
