// Plain text that says what was wrong; the meaning comes from core/errors.def and never from the
// request, so that nothing of it is reflected. Not to be sniffed, not to be stored by default.
#include "worker/error_reply.h"

#include <array>

#include "http/response_head.h"

namespace sluice::worker {
namespace {

constexpr size_t kCodes = static_cast<size_t>(ErrorCode::count_);

ErrorReply make_reply(const ErrorInfo& info) {
  std::string text = std::to_string(info.status);
  text.append(" ").append(http::reason_phrase(info.status));
  text.append(": ").append(info.meaning).append("\n");
  ErrorReply reply;
  http::append_status_line(reply.head, info.status);
  reply.head.append(
      "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n");
  if (info.status == 503) reply.head.append("Retry-After: 1\r\n");
  http::append_content_length(reply.head, text.size());
  reply.body = make_ref<const Source>(-1, std::move(text));
  return reply;
}

std::array<ErrorReply, kCodes> make_replies() {
  std::array<ErrorReply, kCodes> replies;
  for (size_t i = 0; i < kCodes; ++i) {
    const ErrorInfo& info = error_info(static_cast<ErrorCode>(i));
    if (info.status != 0) replies[i] = make_reply(info);
  }
  return replies;
}

}  // namespace

const ErrorReply& error_reply(ErrorCode code) {
  static const std::array<ErrorReply, kCodes> replies = make_replies();
  return replies[static_cast<size_t>(code)];
}

}  // namespace sluice::worker
