// Requests whose answer a handler makes, asked over the channel of hooks: a small answer that is
// there at once comes back with others in one piece, and no connection to the app is touched. Any
// other answer waits in the app, and the request goes over the handlers' socket to fetch it. What
// cannot be asked so (bodies, upgrades, HEAD, no app) goes to that socket at once. The worker's
// thread; a handler must never be asked twice for one request while its first answer can come.
#include "proxy/request_head.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {

using http::Method;

namespace {

bool can_be_asked(const http::RequestHead& head) {
  // An expectation is the upstream's to meet; with GET it means nothing that we know.
  return head.method == Method::get && head.framing == http::Framing::none && !head.has_upgrade &&
         !head.expect_continue;
}

}  // namespace

/// Forwards the request, where it cannot be asked about. True: the connection can go on now.
bool Connection::reach(const http::RequestHead& head, const route::ProxyAction& action,
                       const route::Match& match) {
  const route::HookPlan* plan = plan_of(match.route);
  const bool has_handler = plan != nullptr && plan->handler && !is_inner_;
  if (!has_handler) return forward(head, changed_by_hooks(action), match);
  if (!hooks_ || hooks_->handler == HandlerStage::none) {
    HookChannel& channel = worker_.hook_channel();
    const bool is_asked = can_be_asked(head) && channel.is_open() && channel.has_room() &&
                          channel.habits().should_ask(match.route);
    if (is_asked) return ask_handler(action, match);
    return forward(head, changed_by_hooks(action), match);
  }
  HookRun& run = *hooks_;
  if (run.handler == HandlerStage::direct) return forward(head, changed_by_hooks(action), match);
  const Ref<const Verdict> verdict = std::move(run.verdict);
  run.has_verdict = false;
  run.handler = HandlerStage::direct;
  if (!verdict || verdict->kind != Verdict::Kind::change) {
    is_forwarded_ = true;
    return refuse(ErrorCode::upstream_closed, match.route);
  }
  worker_.hook_channel().habits().on_held(match.route);
  run.request.added.append(verdict->request.added);
  return forward(head, changed_by_hooks(action), match);
}

/// False: the connection waits, or has to send first.
bool Connection::ask_handler(const route::ProxyAction& action, const route::Match& match) {
  const http::RequestHead& head = worker_.head_scratch();
  // What was answered before goes out first: the answer may be long in coming.
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  const std::shared_ptr<const route::HookPlan>& plan = worker_.snapshot().routes[match.route].hooks;
  if (!hooks_) hooks_ = std::make_unique<HookRun>();
  HookRun& run = *hooks_;
  if (run.route != match.route || !run.plan) {
    run.route = match.route;
    run.plan = plan;
    run.is_done = true;
  }
  AskerTexts texts;
  const proxy::Asker who = asker_of(head, texts);
  std::string& bytes = worker_.hook_channel().head_room();
  bytes.clear();
  proxy::RequestShape shape;
  proxy::append_request_head(head, match, changed_by_hooks(action), who, "-", shape, bytes);
  HookAsker asker;
  asker.version = run.plan->version;
  asker.request_id = who.request_id;
  asker.is_secure = who.is_secure;
  HookChannel& channel = worker_.hook_channel();
  run.was_sent = true;
  run.handler = HandlerStage::asked;
  run.ticket = channel.enter(*this, HookKind::handler);
  append_handler_question(run.ticket, plan->handler->group, bytes, asker, channel.outgoing());
  run.id = proxy::request_id_for(head, action, who);
  since_ms_ = worker_.now_ms();
  transit(Event::consult);
  return false;
}

/// It goes out as it is, whatever has been loaded meanwhile: the handler has done its work.
bool Connection::answer_handled() {
  HookRun& run = *hooks_;
  is_forwarded_ = true;  // counts for the app, as what comes over the socket does
  if (run.handler == HandlerStage::lost) {
    // It may have done something already: it is not asked again.
    run.handler = HandlerStage::direct;
    return refuse(ErrorCode::upstream_closed, run.route);
  }
  if (run.handler == HandlerStage::decided) {
    run.handler = HandlerStage::answered;
    run.has_verdict = false;
    run.answer = std::move(run.verdict);
  }
  return reply_verdict(*run.answer, run.route);
}

}  // namespace sluice::worker
