// Fuzzes what becomes of a request in the access log: whatever its bytes, it is one line, without
// controls, with every quotation closed; nothing of a redacted value is in it.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/request_parser.h"
#include "log/format.h"
#include "log/record_maker.h"
#include "require.h"

namespace {

using fuzz::require;
using namespace sluice;

/// Quotation marks that no backslash escapes; none may be open at the end.
size_t quotes_of(std::string_view line) {
  size_t quotes = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
      require(i < line.size());
    } else {
      quotes += line[i] == '"' ? 1 : 0;
    }
  }
  return quotes;
}

std::string line_of(log::Style style, std::string_view bytes, const http::RequestHead* head) {
  log::Settings settings;
  settings.style = style;
  for (size_t i = 0; i < log::kFieldCount; ++i) {
    settings.fields.push_back(static_cast<log::Field>(i));
  }
  settings.redact = {"token"};
  log::Request request;
  request.head = head;
  request.bytes = bytes;
  log::Outcome outcome;
  outcome.status = 200;
  log::Text begun, text;
  const log::Begun at = log::begin_record(request, 1'790'000'000'000'000, begun);
  struct Room {
    alignas(log::Record::kAlignment) char bytes[log::kMostRecord];
  };
  const auto room = std::make_unique<Room>();
  log::end_record(begun.part(at.begin, at.end), outcome, room->bytes);
  log::Format format(settings, {});
  format.write(*reinterpret_cast<const log::Record*>(room->bytes), 0, text);
  return std::string(text.part(0, text.size()));
}

void check(log::Style style, std::string_view bytes, const http::RequestHead* head) {
  const std::string line = line_of(style, bytes, head);
  require(line.ends_with('\n'));
  for (const char c : std::string_view(line).substr(0, line.size() - 1)) {
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    require(style == log::Style::json || static_cast<unsigned char>(c) < 0x80);
  }
  const size_t quotes = quotes_of(line);
  require(style == log::Style::json ? quotes % 2 == 0 : quotes == 6);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto head = std::make_unique<http::RequestHead>();
  const bool is_parsed = http::parse_request(bytes, 0, {}, *head).status == http::ParseStatus::ok;
  for (const log::Style style : {log::Style::json, log::Style::combined}) {
    check(style, bytes, nullptr);
    if (is_parsed) check(style, bytes, head.get());
  }
  // A secret behind whatever came, as the value of a parameter of that name.
  const size_t most = bytes.substr(0, 500).find_first_of("\r\n");
  const std::string before(bytes.substr(0, most == std::string_view::npos ? 500 : most));
  if (before.find("SECRET") == std::string::npos) {
    const std::string target = before + "?token=SECRET";
    const std::string line = line_of(log::Style::json, target, nullptr);
    require(line.find("SECRET") == std::string::npos);
  }
  return 0;
}
