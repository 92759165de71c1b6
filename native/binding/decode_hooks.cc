// One function for each kind of step. Bounds are those of safety; what people are told is said by
// TypeScript's validation.
#include "binding/decode_hooks.h"

#include "core/rate_table.h"
#include "http/response_head.h"

namespace sluice::binding {
namespace {

constexpr uint64_t kMaxRules = 1 << 20;
constexpr uint64_t kMaxCapacity = 1 << 20;
constexpr uint64_t kMostMs = 365ULL * 24 * 3'600'000;

std::vector<std::string> decode_texts(const Reader& list) {
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < list.length(); ++i) texts.push_back(list.at(i).text());
  return texts;
}

/// `networks`: "address/bits" each, and "unix".
void decode_networks(const Reader& networks, route::AddressStep& step) {
  for (uint32_t i = 0; i < networks.length(); ++i) {
    const std::string written = networks.at(i).text();
    if (written == "unix") {
      step.has_unix = true;
      continue;
    }
    net::Network network;
    if (!net::parse_network(written, network)) networks.at(i).fail("'address/bits' or 'unix'");
    step.networks.push_back(network);
  }
}

route::AddressStep decode_addresses(const Reader& step) {
  route::AddressStep decoded;
  decoded.allows = step.at("allows").boolean();
  decode_networks(step.at("networks"), decoded);
  return decoded;
}

route::AnswerStep decode_answer(const Reader& step) {
  route::AnswerStep decoded;
  decoded.status = static_cast<uint16_t>(step.at("status").integer(200, 599));
  std::string body = step.at("body").bytes();
  http::append_status_line(decoded.head, decoded.status);
  decoded.head.append(step.at("fields").field_lines());
  http::append_content_length(decoded.head, body.size());
  decoded.body = make_ref<const Source>(-1, std::move(body));
  decode_networks(step.at("except"), decoded.except);
  return decoded;
}

route::CorsStep decode_cors(const Reader& step) {
  route::CorsStep decoded;
  decoded.any_origin = step.at("anyOrigin").boolean();
  decoded.origins = decode_texts(step.at("origins"));
  decoded.preflight = step.at("preflight").field_lines();
  decoded.fields = step.at("fields").field_lines();
  return decoded;
}

route::LimitKey decode_limit_key(const Reader& key) {
  const std::string text = key.text();
  if (text == "address") return route::LimitKey::address;
  if (text == "header") return route::LimitKey::header;
  if (text != "claim") key.fail("'address', 'header' or 'claim'");
  return route::LimitKey::claim;
}

route::LimitStep decode_limit(const Reader& step) {
  route::LimitStep decoded;
  decoded.rule = static_cast<uint32_t>(step.at("rule").integer(0, kMaxRules));
  decoded.capacity = static_cast<uint32_t>(step.at("capacity").integer(1, kMaxCapacity));
  decoded.interval_us =
      static_cast<int64_t>(step.at("intervalUs").integer(RateTable::kTickUs, kMostMs * 1'000));
  // A bucket has to fill within what the table's clock can tell.
  constexpr int64_t kMostUs = 25LL * 3'600 * 1'000'000;
  if (decoded.interval_us > kMostUs / decoded.capacity) {
    step.at("intervalUs").fail("a bucket that is full within a day");
  }
  decoded.key = decode_limit_key(step.at("by").at("kind"));
  decoded.name = step.at("by").at("name").text();
  decoded.announces = step.at("announces").boolean();
  decoded.policy = step.at("policy").field_lines();
  decoded.quoted_name = "\"" + step.at("name").text() + "\"";
  return decoded;
}

route::AskStep decode_ask(const Reader& step) {
  route::AskStep decoded;
  decoded.group = static_cast<uint16_t>(step.at("group").integer(0, UINT16_MAX));
  if (Reader remember = step.at("remember"); !remember.is_null()) {
    decoded.remember = route::Remember{static_cast<int64_t>(remember.at("ms").integer(1, kMostMs)),
                                       decode_texts(remember.at("by"))};
  }
  return decoded;
}

route::HookStep decode_step(const Reader& step) {
  const std::string kind = step.at("kind").text();
  if (kind == "addresses") return decode_addresses(step);
  if (kind == "answer") return decode_answer(step);
  if (kind == "cors") return decode_cors(step);
  if (kind == "limit") return decode_limit(step);
  if (kind != "ask") step.at("kind").fail("a kind of step");
  return decode_ask(step);
}

int32_t decode_group(const Reader& group) {
  return group.is_null() ? -1 : static_cast<int32_t>(group.integer(0, UINT16_MAX));
}

}  // namespace

route::FieldEdits decode_edits(const Reader& edits) {
  route::FieldEdits decoded;
  decoded.removed = decode_texts(edits.at("remove"));
  decoded.added = edits.at("add").field_lines();
  return decoded;
}

std::shared_ptr<const route::HookPlan> decode_hooks(const Reader& hooks) {
  if (hooks.is_null()) return nullptr;
  auto plan = std::make_shared<route::HookPlan>();
  Reader steps = hooks.at("steps");
  for (uint32_t i = 0; i < steps.length(); ++i) plan->steps.push_back(decode_step(steps.at(i)));
  plan->version = static_cast<uint32_t>(hooks.at("version").integer(0, UINT32_MAX));
  Reader upstreams = hooks.at("upstreams");
  for (uint32_t i = 0; i < upstreams.length(); ++i) {
    plan->upstreams.push_back(static_cast<uint32_t>(upstreams.at(i).integer(0, UINT32_MAX)));
  }
  plan->response = decode_edits(hooks.at("response"));
  plan->on_response = decode_group(hooks.at("onResponse"));
  plan->on_error = decode_group(hooks.at("onError"));
  if (Reader handler = hooks.at("handler"); !handler.is_null()) {
    plan->handler =
        route::HandlerQuestion{static_cast<uint16_t>(handler.at("group").integer(0, UINT16_MAX)),
                               static_cast<int64_t>(handler.at("patience").integer(0, kMostMs))};
  }
  return plan;
}

void add_to_forwarded(const route::FieldEdits& response, route::Action& action) {
  if (auto* proxy = std::get_if<route::ProxyAction>(&action)) {
    *proxy = route::with_edits(*proxy, {}, response);
  }
  auto* files = std::get_if<route::FilesAction>(&action);
  if (files == nullptr || !files->otherwise) return;
  auto otherwise = std::make_shared<route::Otherwise>(*files->otherwise);
  add_to_forwarded(response, otherwise->action);
  files->otherwise = std::move(otherwise);
}

}  // namespace sluice::binding
