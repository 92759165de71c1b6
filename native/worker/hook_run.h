// How far one request has come through the hooks of its route, and what they have decided so far.
// Belongs to the request under way of a connection, from the first step to the end of the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/limits.h"
#include "net/address.h"
#include "route/hooks.h"
#include "route/snapshot.h"
#include "worker/hook_messages.h"

namespace sluice::worker {

/// How far the route's handler has been asked over the channel.
enum class HandlerStage : uint8_t {
  none,      ///< not at all
  asked,     ///< it has the request
  decided,   ///< its verdict is here
  answered,  ///< and is an answer, which is going out
  lost,      ///< the app ended while it had the request
  direct,    ///< it is reached over its socket: its answer waits there, or it has not been asked
};

/// What a proxy::Asker points at.
struct AskerTexts {
  char address[net::kAddressBytes];
  char id[kRequestIdBytes];
};

struct HookRun {
  std::shared_ptr<const route::HookPlan> plan;  ///< of `route` when it began
  uint32_t route = 0;
  uint16_t step = 0;         ///< of the plan, that comes next
  bool is_done = false;      ///< nothing is left before the action
  bool has_verdict = false;  ///< of the step that comes next; `verdict` is it
  bool was_sent = false;     ///< the question that waits is with an app
  uint8_t lost = 0;          ///< apps that ended while they had the question
  uint8_t rewrites = 0;
  HookTicket ticket;           ///< of the question that waits; serial 0: none does
  Ref<const Verdict> verdict;  ///< null: "pass"
  route::FieldEdits request;   ///< for whoever the request is forwarded to
  route::FieldEdits response;
  std::string target;     ///< in place of the request's; empty: as it came
  int32_t upstream = -1;  ///< in place of the route's
  std::vector<std::pair<std::string, std::string>> claims;
  std::unique_ptr<route::ProxyAction> action;  ///< the route's with all this in it
  std::string question;       ///< about the request, where something may be asked later
  uint16_t asked_status = 0;  ///< of the response that is asked about, or was last
  bool is_response_decided = false;
  Ref<const Verdict> answer;          ///< what a hook has answered, until it is out
  ErrorCode error = ErrorCode::none;  ///< that is asked about, or was
  std::string error_fields;
  bool is_error_decided = false;
  HandlerStage handler = HandlerStage::none;
  bool was_forwarded = false;  ///< the request's body is not ours to read any more
  bool has_whole_request = true;
  std::string id;  ///< of the request; empty: it has none yet

  /// Its handler has answered, and that is the answer; or there will be none.
  bool is_handled() const {
    const bool has_answer = verdict && verdict->kind == Verdict::Kind::answer;
    return handler == HandlerStage::answered || handler == HandlerStage::lost ||
           (handler == HandlerStage::decided && has_answer);
  }
  bool changes_forwarding() const { return upstream >= 0 || !request.empty() || !response.empty(); }
  std::string_view claim(std::string_view name) const {
    for (const auto& [known, value] : claims) {
      if (known == name) return value;
    }
    return {};
  }
};

/// The app has other hooks by now than when the request began: what is asked about its answer is
/// asked of those that it would pass now. An error goes out as it is.
void renew_hooks(HookRun& run, const route::Snapshot& snapshot);

}  // namespace sluice::worker
