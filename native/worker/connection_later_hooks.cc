// Hooks that are asked when the head of an answer is there, or an error of ours: the request waits
// once more. An answer of ours is made anew after the verdict, from the head that was kept; that of
// an upstream waits in its connection. Nothing of either goes out before the verdict.
#include "http/response_head.h"
#include "http/response_parser.h"
#include "http/target.h"
#include "net/address.h"
#include "worker/connection.h"
#include "worker/error_reply.h"
#include "worker/worker.h"

namespace sluice::worker {
namespace {

/// Whether user code is asked about it: not where it has failed itself, and not for those whom it
/// is to be spared.
bool is_for_hooks(ErrorCode error) {
  switch (error) {
    case ErrorCode::none:
    case ErrorCode::hook_failed:
    case ErrorCode::hook_timeout:
    case ErrorCode::hook_lost:
    case ErrorCode::hook_unavailable:
    case ErrorCode::too_many_questions:
    case ErrorCode::address_denied:
    case ErrorCode::rate_limited: return false;
    default: return true;
  }
}

/// Without the status line.
std::string_view fields_of(std::string_view head) {
  const size_t end = head.find("\r\n");
  return end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
}

}  // namespace

/// Keeps what a later question says of the request, whose head may be gone by then.
void Connection::note_question(const http::RequestHead& head) {
  if (!hooks_->question.empty()) return;
  char address[net::kAddressBytes];
  HookAsker asker;
  asker.version = hooks_->plan->version;
  asker.address = {address, net::write_address(client_of(head), address)};
  asker.request_id = request_id();
  append_question({}, 0, head, asker, hooks_->question);
}

/// False: there is no room for another question.
bool Connection::ask_later(uint16_t group, HookKind kind, uint16_t status, std::string_view more) {
  HookRun& run = *hooks_;
  HookChannel& channel = worker_.hook_channel();
  if (!channel.has_room() || run.lost >= kMaxAppsLost) return false;
  run.was_sent = channel.is_open();
  run.ticket = channel.enter(*this, kind);
  run.asked_status = status;
  since_ms_ = worker_.now_ms();
  if (!run.was_sent) return true;
  worker_.stats().hooks_asked.add();
  append_later_question(run.question, run.ticket, group, kind, status, more, channel.outgoing());
  return true;
}

/// True: the answer can go out. Otherwise `goes_on` is whether the connection can go on now.
bool Connection::pass_later_hooks(const files::Reply& reply, uint32_t route, bool& goes_on) {
  const route::HookPlan& plan = *plan_of(route);
  if (!hooks_ || hooks_->question.empty()) return true;
  HookRun& run = *hooks_;
  if (reply.error == ErrorCode::none) {
    return plan.on_response < 0 || pass_response_hook(reply, plan, route, goes_on);
  }
  if (plan.on_error < 0 || run.is_error_decided || !is_for_hooks(reply.error)) return true;
  if (Sent sent = flush(false); sent != Sent::all) return true;  // it goes out as it is
  const auto group = static_cast<uint16_t>(plan.on_error);
  if (!ask_later(group, HookKind::error, reply.status, error_info(reply.error).name)) return true;
  run.route = route;
  run.error = reply.error;
  run.error_fields = fields_of(reply.head);
  transit(Event::consult);
  goes_on = false;
  return false;
}

bool Connection::pass_response_hook(const files::Reply& reply, const route::HookPlan& plan,
                                    uint32_t route, bool& goes_on) {
  HookRun& run = *hooks_;
  if (run.is_response_decided && run.asked_status == reply.status) return true;
  if (run.has_verdict && run.asked_status == reply.status) {
    run.has_verdict = false;
    run.is_response_decided = true;
    const Ref<const Verdict> verdict = std::move(run.verdict);
    if (verdict && verdict->kind == Verdict::Kind::failed) {
      goes_on = reply_verdict(*verdict, route);
      return false;
    }
    if (verdict) {
      run.response.removed.insert(run.response.removed.end(), verdict->response.removed.begin(),
                                  verdict->response.removed.end());
      run.response.added.append(verdict->response.added);
    }
    return true;
  }
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    goes_on = false;
    return false;
  }
  std::string fields;
  append_field_block(fields_of(reply.head), fields);
  run.has_verdict = false;
  if (!ask_later(static_cast<uint16_t>(plan.on_response), HookKind::response, reply.status,
                 fields)) {
    goes_on = refuse(ErrorCode::too_many_questions, route);
    return false;
  }
  transit(Event::consult);
  goes_on = false;
  return false;
}

/// The request is handled again to be told of an error.
bool Connection::finish_error(const http::RequestHead& head) {
  HookRun& run = *hooks_;
  if (run.was_forwarded) {
    // The exchange has read the body, or its rest cannot be told from the next request.
    body_ = http::Framing::none;
    if (!run.has_whole_request) {
      keep_ = false;
      is_refused_ = true;
    }
  } else {
    expect_body(head);
  }
  run.is_error_decided = true;
  const ErrorCode error = std::exchange(run.error, ErrorCode::none);
  const Ref<const Verdict> verdict = std::move(run.verdict);
  run.has_verdict = false;
  if (verdict && verdict->kind == Verdict::Kind::answer) {
    run.answer = verdict;
    run.is_response_decided = true;
    run.asked_status = verdict->status;
    return reply_verdict(*verdict, run.route);
  }
  const std::string fields = std::move(run.error_fields);
  files::Reply reply;
  reply.status = error_info(error).status;
  reply.error = error;
  http::append_status_line(reply.built, reply.status);
  reply.built.append(fields);
  reply.head = reply.built;
  const ErrorReply& prepared = error_reply(error);
  reply.source = prepared.body.get();
  reply.length = prepared.body->bytes.size();
  return respond(reply, run.route);
}

bool Connection::reply_verdict(const Verdict& verdict, uint32_t route) {
  const bool is_failure = verdict.kind == Verdict::Kind::failed;
  if (is_failure && verdict.head.empty()) return refuse(ErrorCode::hook_failed, route);
  if (is_failure) worker_.complain(ErrorCode::hook_failed);
  files::Reply reply;
  reply.status = verdict.status;
  reply.error = is_failure ? ErrorCode::hook_failed : ErrorCode::none;
  reply.head = verdict.head;
  reply.own = verdict.body;
  reply.source = verdict.body.get();
  reply.length = verdict.body ? verdict.body->bytes.size() : 0;
  return respond(reply, route);
}

/// An upstream did not answer: its request's head is put back, for the hook that is asked about the
/// error.
void Connection::keep_head(std::string head) {
  if (consumed_ > 0 || head.empty()) return;
  hooks_->was_forwarded = true;
  hooks_->has_whole_request = !is_refused_;
  consumed_ = head.size();
  head.append(input_);
  kept_ = std::move(head);
  load_input();
}

void renew_hooks(HookRun& run, const route::Snapshot& snapshot) {
  if (run.error != ErrorCode::none) {
    run.has_verdict = true;
    return;
  }
  const AskedRequest asked = read_question(run.question);
  http::RequestHead head;
  head.target = run.target.empty() ? asked.target : run.target;
  route::Match match;
  const size_t colon = asked.host.rfind(':');
  const bool has_port = colon != std::string_view::npos && asked.host.back() != ']';
  const std::string_view host = has_port ? asked.host.substr(0, colon) : asked.host;
  if (http::split_target(head) == ErrorCode::none) {
    snapshot.table.match(asked.method, host, head.path, match);
  }
  if (match.route == route::kNoRoute) {
    run.lost = kMaxAppsLost;  // nobody is left who could say what may go out
    return;
  }
  const std::shared_ptr<const route::HookPlan>& plan = snapshot.routes[match.route].hooks;
  if (!plan || plan->on_response < 0) {
    run.is_response_decided = true;
    return;
  }
  run.plan = plan;
  renew_question(run.question, plan->version);
}

/// The response of an upstream is there.
bool Connection::may_respond(const http::ResponseHead& head) {
  const route::HookPlan* plan = plan_of(forwarding_->route);
  if (plan == nullptr || plan->on_response < 0 || !hooks_) return true;
  HookRun& run = *hooks_;
  if (run.is_response_decided) return true;
  if (run.has_verdict) {
    run.has_verdict = false;
    run.is_response_decided = true;
    const Ref<const Verdict> verdict = std::move(run.verdict);
    if (verdict && verdict->kind == Verdict::Kind::failed) {
      hooks_->answer = verdict;
      return false;
    }
    if (!verdict) return true;
    *run.action = route::with_edits(*run.action, {}, verdict->response);
    // For an answer that only names a file, whose head is made here.
    run.response.removed.insert(run.response.removed.end(), verdict->response.removed.begin(),
                                verdict->response.removed.end());
    run.response.added.append(verdict->response.added);
    return true;
  }
  if (run.ticket.serial != 0 || run.answer) return false;
  std::string fields("\n");
  for (size_t i = 0; i < head.field_count; ++i) {
    if (fields.back() == '\n') fields.pop_back();
    append_field_block(std::string(head.fields[i].name).append(": ").append(head.fields[i].value),
                       fields);
  }
  if (!ask_later(static_cast<uint16_t>(plan->on_response), HookKind::response, head.status,
                 fields)) {
    Ref<Verdict> failed = make_ref<Verdict>();
    failed->kind = Verdict::Kind::failed;
    run.answer = Ref<const Verdict>(failed.get());
  }
  return false;
}

}  // namespace sluice::worker
