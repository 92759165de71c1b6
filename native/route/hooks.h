// What stands before and around the action of a route: steps that every request passes in their
// order, and changes to the header fields of every answer. Plain owned data, immutable once
// published; user code is only named here, by the index of its group.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/source.h"
#include "net/network.h"
#include "route/upstream.h"

namespace sluice::route {

/// Refuses clients by their address: 403.
struct AddressStep {
  std::vector<net::Network> networks;
  bool has_unix = false;  ///< clients of unix sockets are among them
  bool allows = false;    ///< nobody else passes; false: these do not
};

/// A fixed answer for everybody but some (maintenance).
struct AnswerStep {
  uint16_t status = 503;
  std::string head;  ///< status line and fields, without Date, Connection and the empty line
  Ref<const Source> body;
  AddressStep except;  ///< `networks` and `has_unix`: who passes
};

/// Cross-origin requests (the Fetch standard, "CORS protocol"): answers preflights, and names the
/// origin on every answer. Where any origin may, the plan's `response` says so already.
struct CorsStep {
  std::vector<std::string> origins;  ///< in lower case
  bool any_origin = false;
  std::string preflight;  ///< fields of the answer to a preflight, but for the origin's
  std::string fields;     ///< of every other answer to a known origin, likewise
};

/// What requests are counted by.
enum class LimitKey : uint8_t { address, header, claim };

/// A token bucket for each client.
struct LimitStep {
  uint32_t rule = 0;        ///< no two steps of a gateway share one, nor their buckets
  uint32_t capacity = 1;    ///< tokens of a full bucket
  int64_t interval_us = 0;  ///< one more token in so much time
  LimitKey key = LimitKey::address;
  std::string name;         ///< of the header (lower case) or claim
  bool announces = false;   ///< answers say how many are left
  std::string policy;       ///< "RateLimit-Policy: …\r\n"
  std::string quoted_name;  ///< of the policy, for RateLimit
};

/// For how long a verdict is remembered, and by which header fields besides route, method, host and
/// target.
struct Remember {
  int64_t ms = 0;
  std::vector<std::string> by;  ///< in lower case
};

/// Asks user code.
struct AskStep {
  uint16_t group = 0;
  std::optional<Remember> remember;
};

using HookStep = std::variant<AddressStep, AnswerStep, CorsStep, LimitStep, AskStep>;

/// The function that answers requests of a route, where it can be asked as hooks are.
struct HandlerQuestion {
  uint16_t group = 0;
  int64_t patience_ms = 0;  ///< for its answer; 0: any
};

struct HookPlan {
  uint32_t version = 0;  ///< of all plans of a configuration: groups are numbered anew with it
  std::vector<uint32_t> upstreams;  ///< that user code may choose, by the numbers that it knows
  std::vector<HookStep> steps;
  FieldEdits response;       ///< of every answer
  int32_t on_response = -1;  ///< group that is asked about the head of an answer; -1: none
  int32_t on_error = -1;     ///< likewise about errors of the gateway's own
  std::optional<HandlerQuestion> handler;
};

/// `lines` ("Name: value\r\n" each) without those named in `edits.removed`, appended to `out`.
void append_without_removed(std::string_view lines, const FieldEdits& edits, std::string& out);

/// A copy of `action` whose answers, and requests, are changed as `request` and `response` say:
/// what they set takes the place of what the route sets.
ProxyAction with_edits(const ProxyAction& action, const FieldEdits& request,
                       const FieldEdits& response);

}  // namespace sluice::route
