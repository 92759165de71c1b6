// What a request passes before the action of its route: the steps of the route's plan, in order.
// The core takes most of them; user code is asked over the worker's channel to the app, and the
// request waits meanwhile as one whose file is not known: it keeps its bytes and is parsed again.
#include <algorithm>

#include "core/hash.h"
#include "core/rate_table.h"
#include "http/chars.h"
#include "http/response_head.h"
#include "http/target.h"
#include "net/address.h"
#include "worker/connection.h"
#include "worker/question_lines.h"
#include "worker/worker.h"

namespace sluice::worker {
namespace {

using http::Method;

bool is_among(const AddressKey& client, const route::AddressStep& step) {
  if (client == AddressKey()) return step.has_unix;
  return std::ranges::any_of(
      step.networks, [&client](const net::Network& network) { return network.contains(client); });
}

bool is_preflight(const http::RequestHead& head) {
  return head.method == Method::options &&
         head.find("access-control-request-method").data() != nullptr &&
         head.find("origin").data() != nullptr;
}

bool is_known_origin(std::string_view origin, const route::CorsStep& step) {
  if (origin.data() == nullptr) return false;
  return step.any_origin || std::ranges::any_of(step.origins, [origin](const std::string& known) {
           return http::equals_ignoring_case(origin, known);
         });
}

uint64_t seconds_up(int64_t us) { return static_cast<uint64_t>((us + 999'999) / 1'000'000); }

/// draft-ietf-httpapi-ratelimit-headers-10 §4: what is left of the policy, and when it is whole.
void append_rate(const route::LimitStep& step, const RateTable::Taken& taken, std::string& out) {
  out.append(step.policy).append("RateLimit: ").append(step.quoted_name).append(";r=");
  http::append_number(out, taken.left);
  out.append(";t=");
  http::append_number(out, seconds_up(taken.full_in_us));
  out.append("\r\n");
}

void append_edits(const route::FieldEdits& more, route::FieldEdits& into) {
  if (more.empty()) return;
  std::string added;
  route::append_without_removed(into.added, more, added);
  into.added = added.append(more.added);
  into.removed.insert(into.removed.end(), more.removed.begin(), more.removed.end());
}

}  // namespace

const route::HookPlan* Connection::plan_of(uint32_t route) const {
  // A request keeps the plan that it began with, whatever has been loaded meanwhile.
  if (hooks_ && hooks_->route == route) return hooks_->plan.get();
  const auto& routes = worker_.snapshot().routes;
  return route < routes.size() ? routes[route].hooks.get() : nullptr;
}

/// A preflight asks about a method that the route takes, by one that it may not (Fetch standard,
/// "CORS-preflight fetch"). Finds that route.
void Connection::match_preflight(const http::RequestHead& head, route::Match& match) const {
  if (!is_preflight(head)) return;
  route::Match meant;
  const std::string_view method = head.find("access-control-request-method");
  worker_.snapshot().table.match(method, routed_host(head), head.path, meant);
  const route::HookPlan* plan = meant.route == route::kNoRoute ? nullptr : plan_of(meant.route);
  if (plan == nullptr) return;
  const auto is_cors = [](const route::HookStep& step) {
    return std::holds_alternative<route::CorsStep>(step);
  };
  if (std::ranges::any_of(plan->steps, is_cors)) match = meant;
}

/// True: nothing stands before the action. Otherwise `goes_on` is what dispatch() returns.
bool Connection::pass_hooks(http::RequestHead& head, const route::Match& match, bool& goes_on) {
  const std::shared_ptr<const route::HookPlan> now = worker_.snapshot().routes[match.route].hooks;
  const route::HookPlan& plan = *now;
  const bool asks_later = plan.on_response >= 0 || plan.on_error >= 0;
  if (plan.steps.empty() && !asks_later) return true;
  if (!hooks_) {
    hooks_ = std::make_unique<HookRun>();
    hooks_->route = match.route;
    hooks_->plan = now;
  }
  HookRun& run = *hooks_;
  if (run.route != match.route) {
    run.route = match.route;  // rewritten: what stands before that route, from its beginning
    run.plan = now;
    run.step = 0;
    run.is_done = false;
  }
  if (asks_later) note_question(head);
  while (!run.is_done) {
    if (run.step == plan.steps.size()) {
      run.is_done = true;
      break;
    }
    const auto take = [&](const auto& step) { return take_step(head, match, step, goes_on); };
    if (!std::visit(take, plan.steps[run.step])) return false;
    ++run.step;
  }
  return true;
}

bool Connection::take_step(const http::RequestHead& head, const route::Match& match,
                           const route::AddressStep& step, bool& goes_on) {
  if (is_among(client_of(head), step) == step.allows) return true;
  worker_.stats().hooks_denied.add();
  goes_on = refuse(ErrorCode::address_denied, match.route);
  return false;
}

bool Connection::take_step(const http::RequestHead& head, const route::Match& match,
                           const route::AnswerStep& step, bool& goes_on) {
  if (is_among(client_of(head), step.except)) return true;
  files::Reply reply;
  reply.status = step.status;
  reply.head = step.head;
  reply.source = step.body.get();
  reply.length = step.body->bytes.size();
  goes_on = respond(reply, match.route);
  return false;
}

bool Connection::take_step(const http::RequestHead& head, const route::Match& match,
                           const route::CorsStep& step, bool& goes_on) {
  const std::string_view origin = head.find("origin");
  const bool is_known = is_known_origin(origin, step);
  std::string named;
  if (!step.any_origin) {
    if (is_known) http::append_field(named, "Access-Control-Allow-Origin", origin);
    named.append("Vary: Origin\r\n");
  }
  if (!is_preflight(head)) {
    if (is_known) named.append(step.fields);
    hooks_->response.added.append(named);
    return true;
  }
  files::Reply reply;
  reply.status = 204;
  http::append_status_line(reply.built, reply.status);
  reply.built.append(named);
  if (is_known) reply.built.append(step.preflight);
  reply.head = reply.built;
  goes_on = respond(reply, match.route);
  return false;
}

bool Connection::take_step(const http::RequestHead& head, const route::Match& match,
                           const route::LimitStep& step, bool& goes_on) {
  std::string_view key;
  if (step.key == route::LimitKey::header) key = head.find(step.name);
  if (step.key == route::LimitKey::claim) key = hooks_->claim(step.name);
  AddressKey share;
  uint64_t seed = hash_seed() ^ (step.rule * 0x9e3779b97f4a7c15ULL);
  if (key.data() == nullptr) {
    share = QuestionLines::share_of(client_of(head));
    key = {reinterpret_cast<const char*>(&share), sizeof share};
    seed = ~seed;  // no value of a header is an address
  }
  const RateRule rule{
      static_cast<uint32_t>(std::max<int64_t>(step.interval_us / RateTable::kTickUs, 1)),
      step.capacity};
  const RateTable::Taken taken =
      worker_.shared().rates->take(hash_bytes(key, seed), rule, worker_.now_us());
  if (taken.is_allowed) {
    if (step.announces) append_rate(step, taken, hooks_->response.added);
    return true;
  }
  worker_.stats().hooks_limited.add();
  std::string fields("Retry-After: ");
  http::append_number(fields, std::max<uint64_t>(seconds_up(taken.retry_in_us), 1));
  fields.append("\r\n");
  append_rate(step, taken, fields);
  goes_on = refuse(ErrorCode::rate_limited, match.route, fields);
  return false;
}

bool Connection::take_step(const http::RequestHead& head, const route::Match& match,
                           const route::AskStep& step, bool& goes_on) {
  HookRun& run = *hooks_;
  if (run.answer) return apply_verdict(head, match, run.answer, goes_on);
  HookMemory& memory = worker_.hook_memory();
  const bool is_keyed = step.remember && memory.make_key(run.plan->version, match.route, run.step,
                                                         head, step.remember->by);
  if (!run.has_verdict && is_keyed) {
    HookMemory::Found found = memory.find(worker_.now_ms());
    if (found.is_known) {
      worker_.stats().hooks_remembered.add();
      return apply_verdict(head, match, found.verdict, goes_on);
    }
  }
  if (!run.has_verdict) {
    goes_on = ask_hook(head, match, step.group);
    return false;
  }
  run.has_verdict = false;
  const Ref<const Verdict> verdict = std::move(run.verdict);
  if (is_keyed && (!verdict || verdict->kind != Verdict::Kind::failed)) {
    const bool says = verdict && verdict->remember_ms >= 0;
    const int64_t ms = says ? verdict->remember_ms : step.remember->ms;
    if (ms > 0) memory.insert(verdict, worker_.now_ms(), worker_.now_ms() + ms);
  }
  return apply_verdict(head, match, verdict, goes_on);
}

/// Always false: the connection waits, or has been refused.
bool Connection::ask_hook(const http::RequestHead& head, const route::Match& match,
                          uint16_t group) {
  // What was answered before goes out first: the answer may be long in coming.
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  HookRun& run = *hooks_;
  HookChannel& channel = worker_.hook_channel();
  if (run.lost >= kMaxAppsLost) return refuse(ErrorCode::hook_lost, match.route);
  if (!channel.has_room()) return refuse(ErrorCode::too_many_questions, match.route);
  run.was_sent = channel.is_open();
  run.ticket = channel.enter(*this, HookKind::request);
  if (run.was_sent) {
    worker_.stats().hooks_asked.add();
    char address[net::kAddressBytes];
    HookAsker asker;
    asker.version = run.plan->version;
    asker.address = {address, net::write_address(client_of(head), address)};
    asker.request_id = request_id();
    const std::string_view said =
        is_trusted_ ? head.find(http::FieldId::x_forwarded_proto) : std::string_view();
    asker.is_secure = said.empty() ? tls_ != nullptr : said == "https";
    append_question(run.ticket, group, head, asker, channel.outgoing());
  }
  since_ms_ = worker_.now_ms();
  transit(Event::consult);
  return false;
}

/// The number of the request under way, the same for everybody who is told of it.
std::string_view Connection::request_id() {
  char room[kRequestIdBytes];
  if (hooks_->id.empty()) hooks_->id = worker_.next_request_id(room);
  return hooks_->id;
}

void Connection::on_verdict(Ref<const Verdict> verdict) {
  HookRun& run = *hooks_;
  run.ticket = {};
  run.verdict = std::move(verdict);
  run.has_verdict = true;
  if (run.handler == HandlerStage::asked) run.handler = HandlerStage::decided;
  if (state_ == State::awaiting_verdict) transit(Event::answered);
  drive();
}

void Connection::on_question_lost(QuestionLoss why) {
  HookRun& run = *hooks_;
  run.ticket = {};
  if (run.handler == HandlerStage::asked) {
    run.handler = why == QuestionLoss::asked ? HandlerStage::lost : HandlerStage::direct;
  } else if (why == QuestionLoss::asked) {
    ++run.lost;
  } else if (why == QuestionLoss::outdated && run.asked_status != 0) {
    renew_hooks(run, worker_.snapshot());
  }
  if (state_ == State::awaiting_verdict) transit(Event::answered);
  drive();
}

/// A request that waited while another configuration was loaded begins anew, with its hooks.
void Connection::drop_outdated_hooks() {
  if (!hooks_ || hooks_->error != ErrorCode::none) return;
  const auto& routes = worker_.snapshot().routes;
  const bool is_same = hooks_->route < routes.size() && routes[hooks_->route].hooks == hooks_->plan;
  if (!is_same) hooks_.reset();
}

/// Waits for no verdict any more.
void Connection::leave_hooks() {
  if (hooks_ && hooks_->ticket.serial != 0) worker_.hook_channel().leave(hooks_->ticket);
  if (hooks_) hooks_->ticket = {};
}

int64_t Connection::hook_deadline_ms() const {
  if (!hooks_->was_sent) return since_ms_ + kHookPatienceMs;
  const bool is_handler = hooks_->handler == HandlerStage::asked;
  const int64_t patience =
      is_handler ? hooks_->plan->handler->patience_ms : worker_.snapshot().timeouts.handler;
  return patience == 0 ? TimerWheel::kNever : since_ms_ + patience;
}

/// Nobody has answered in time.
void Connection::on_hook_alarm() {
  ErrorCode error = hooks_->was_sent ? ErrorCode::hook_timeout : ErrorCode::hook_unavailable;
  // As where it is asked over its socket.
  const bool is_handler = hooks_->handler == HandlerStage::asked;
  if (is_handler) error = ErrorCode::first_byte_timeout;
  // What was asked about an error is no reason for another one.
  if (hooks_->error != ErrorCode::none) error = std::exchange(hooks_->error, ErrorCode::none);
  hooks_->is_error_decided = !is_handler;
  is_forwarded_ = is_handler;
  const uint32_t route = hooks_->route;
  leave_hooks();
  transit(Event::answered);
  load_input();
  parse_again();
  refuse(error, route);
}

/// True: on to the next step.
bool Connection::apply_verdict(const http::RequestHead& head, const route::Match& match,
                               const Ref<const Verdict>& verdict, bool& goes_on) {
  if (!verdict || verdict->kind == Verdict::Kind::pass) return true;
  if (verdict->kind != Verdict::Kind::change) {
    hooks_->answer = verdict;
    goes_on = reply_verdict(*verdict, match.route);
    return false;
  }
  HookRun& run = *hooks_;
  append_edits(verdict->request, run.request);
  append_edits(verdict->response, run.response);
  if (verdict->upstream >= 0) run.upstream = verdict->upstream;
  run.claims.insert(run.claims.end(), verdict->claims.begin(), verdict->claims.end());
  if (verdict->target.empty()) return true;
  run.target = verdict->target;
  if (++run.rewrites > kMaxRewrites || !use_target(worker_.head_scratch())) {
    goes_on = refuse(ErrorCode::hook_failed, match.route);
    return false;
  }
  // The request is routed anew; where it stays on its route it goes on behind this step.
  ++run.step;
  goes_on = dispatch(head);
  return false;
}

/// Puts the rewritten target in the place of the request's. False: it is none.
bool Connection::use_target(http::RequestHead& head) {
  if (!hooks_ || hooks_->target.empty()) return true;
  if (head.method == Method::connect || hooks_->target[0] != '/') return false;
  const std::string_view host = head.host;
  const std::string_view port = head.port;
  head.target = hooks_->target;
  const bool is_fine = http::split_target(head) == ErrorCode::none;
  head.host = host;
  head.port = port;
  return is_fine;
}

/// The route's action, or a copy with what the hooks have changed.
const route::ProxyAction& Connection::changed_by_hooks(const route::ProxyAction& action) {
  if (!hooks_) return action;
  const route::HookPlan* plan = plan_of(hooks_->route);
  const bool is_asked_later = plan != nullptr && plan->on_response >= 0;
  if (!hooks_->changes_forwarding() && !is_asked_later) return action;
  HookRun& run = *hooks_;
  run.action =
      std::make_unique<route::ProxyAction>(route::with_edits(action, run.request, run.response));
  const std::vector<uint32_t>& known = run.plan->upstreams;
  if (run.upstream >= 0 && static_cast<size_t>(run.upstream) < known.size()) {
    run.action->upstream = known[static_cast<size_t>(run.upstream)];
  }
  return *run.action;
}

/// The head of an answer of ours as it goes out.
void Connection::append_head(std::string_view lines, uint32_t route) {
  Outbox& box = worker_.outbox();
  const route::HookPlan* plan = plan_of(route);
  const bool has_fixed = plan != nullptr && !plan->response.empty();
  const bool has_own = hooks_ && !hooks_->response.empty();
  if (!has_fixed && !has_own) return box.append(lines);
  std::string once, twice;
  if (has_fixed) {
    route::append_without_removed(lines, plan->response, once);
    once.append(plan->response.added);
    lines = once;
  }
  if (has_own) {
    route::append_without_removed(lines, hooks_->response, twice);
    twice.append(hooks_->response.added);
    lines = twice;
  }
  box.append(lines);
}

}  // namespace sluice::worker
