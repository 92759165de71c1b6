// What workers and the app say to each other about hooks, as bytes on a unix socket: questions with
// the head of a request, and verdicts. The twin of src/app/hook-messages.ts. Bytes only, no I/O.
//
//   question   size u32 · slot u32 · serial u32 · group u16 · kind u8 · flags u8 · status u16 ·
//              method u16 · target u32 · host u16 · address u16 · fields u32 · more u32 · version
//              u32 · then the texts themselves: request id (32), method, target, host, address,
//              fields ("\nname:value" each, then "\n"; names in lower case), more
//   withdrawal size u32 (12) · slot u32 · serial u32: nobody waits for this verdict any more. It is
//              still to come, for the slot to be free.
//   verdict    size u32 · slot u32 · serial u32 · kind u8 · 0 u8 · status u16 · remember u32 ·
//              and but for "pass": upstream u32, then seven texts, each behind its length u32:
//              request removed, request added, response removed, response added, target, claims,
//              body
//
// Numbers are little-endian; sizes count the whole message. `more`: the fields of a response, or
// the name of an error. A question to a handler has the fields that it would get over its socket.
// Its answer is a verdict, or a "change" whose request has the field by which the app knows it
// again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ref.h"
#include "core/source.h"
#include "http/request_head.h"
#include "route/upstream.h"

namespace sluice::worker {

/// Who waits for a verdict: a slot of the worker, and which of its uses.
struct HookTicket {
  uint32_t slot = 0;
  uint32_t serial = 0;  ///< never 0 for a ticket that was given out
};

enum class HookKind : uint8_t { request, response, error, handler };

struct HookAsker {
  uint32_t version = 0;         ///< of the plans that the number of the group is from
  std::string_view address;     ///< of the client, as text
  std::string_view request_id;  ///< kRequestIdBytes
  bool is_secure = false;
};

/// Appends the question about a request.
void append_question(const HookTicket& ticket, uint16_t group, const http::RequestHead& head,
                     const HookAsker& asker, std::string& out);

/// Appends another question about the same request: `question` is what append_question() made.
void append_later_question(std::string_view question, const HookTicket& ticket, uint16_t group,
                           HookKind kind, uint16_t status, std::string_view more, std::string& out);

/// Appends a question to a handler; `head` is what its socket would get, up to the empty line.
void append_handler_question(const HookTicket& ticket, uint16_t group, std::string_view head,
                             const HookAsker& asker, std::string& out);

void append_withdrawal(const HookTicket& ticket, std::string& out);

/// What a question about a request says of where that goes.
struct AskedRequest {
  std::string_view method, target, host;  ///< the host with its port
};
AskedRequest read_question(std::string_view question);

/// `version`: of other plans than those that it was made for.
void renew_question(std::string& question, uint32_t version);

/// "\nname:value" for each of `lines` ("Name: value\r\n"), then "\n".
void append_field_block(std::string_view lines, std::string& out);

/// What user code decided. Immutable once made.
struct Verdict : Counted<Verdict> {
  enum class Kind : uint8_t { pass, answer, change, failed };
  Kind kind = Kind::pass;
  uint16_t status = 0;
  int64_t remember_ms = -1;  ///< -1: as the hook says; 0: not at all
  int32_t upstream = -1;
  route::FieldEdits request, response;
  std::string target;  ///< the request's from now on; empty: as it is
  std::vector<std::pair<std::string, std::string>> claims;
  std::string head;        ///< of an answer: status line and fields
  Ref<const Source> body;  ///< likewise; null: none
  /// Bytes that it keeps.
  size_t cost() const;
};

enum class VerdictStatus : uint8_t { ok, need_more, bad };

struct ParsedVerdict {
  VerdictStatus status = VerdictStatus::need_more;
  size_t consumed = 0;
  HookTicket ticket;
  bool is_outdated = false;    ///< the app has other plans by now: nobody has decided
  Ref<const Verdict> verdict;  ///< null for "pass", which has nothing to say
};

ParsedVerdict parse_verdict(std::string_view bytes);

}  // namespace sluice::worker
