// From a request head to what is sent: route, action, remembered answer or question.
// Nothing here waits. A request whose answer is not known keeps its bytes, is parked, and is parsed
// and dispatched again when the answer is there: no pointer into the head outlives a turn.
#include <algorithm>

#include "core/limits.h"
#include "files/instructed_reply.h"
#include "http/accept.h"
#include "http/response_head.h"
#include "http/uri.h"
#include "net/sys.h"
#include "proxy/relay.h"
#include "worker/connection.h"
#include "worker/error_reply.h"
#include "worker/location.h"
#include "worker/worker.h"

namespace sluice::worker {

using http::Method;

namespace {

/// What every path that cannot name a file is asked and remembered under: no decoded path has a
/// NUL.
constexpr std::string_view kNoName("\0", 1);

/// Certificates are proven here (RFC 8555 §8.3), also where everything else goes to https.
constexpr std::string_view kAcmePath = "/.well-known/acme-challenge/";

/// Whether the action, or what it hands on to, has a bound of its own for request bodies.
bool reads_bodies(const route::Action& action) {
  if (std::holds_alternative<route::ProxyAction>(action)) return true;
  if (std::holds_alternative<route::ChannelAction>(action)) return true;
  const auto* files = std::get_if<route::FilesAction>(&action);
  if (files != nullptr && files->upload) return true;
  return files != nullptr && files->otherwise && reads_bodies(files->otherwise->action);
}

}  // namespace

bool Connection::handle(http::RequestHead& head, size_t consumed) {
  if (!is_inner_ && !worker_.snapshot().subject_fields.empty()) name_client(head);
  const route::Limits& limits = worker_.snapshot().limits;
  consumed_ = consumed;
  // A request that was parked began when it was parked, one that was forwarded long before.
  if (!answer_ && !was_in_line_ && !instructed_ && !hooks_) request_us_ = worker_.now_us();
  is_minor_0_ = head.minor_version == 0;
  is_head_ = head.method == Method::head;
  keep_ = head.keep_alive && may_persist() &&
          (limits.keep_alive_requests == 0 || requests_ + 1 < limits.keep_alive_requests);
  if (instructed_) return serve_instructed(head);
  if (taken_) return answer_taken_again();
  if (hooks_ && hooks_->error != ErrorCode::none) return finish_error(head);
  if (hooks_ && hooks_->is_handled()) return answer_handled();
  // What follows belongs to a tunnel, not to us.
  if (head.method == Method::connect) return refuse_head(ErrorCode::no_tunnels);
  expect_body(head);
  return dispatch(head);
}

/// Whose routes are looked through.
std::string_view Connection::routed_host(const http::RequestHead& head) const {
  return is_inner_ ? head.find(route::kInnerRouteField) : head.host;
}

/// OPTIONS of the server as a whole (RFC 9110 §9.3.7): what some route may answer.
bool Connection::tell_options() {
  files::Reply reply;
  reply.status = 204;
  http::append_status_line(reply.built, reply.status);
  reply.built.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
  reply.head = reply.built;
  return respond(reply, unrouted());
}

bool Connection::dispatch(const http::RequestHead& head) {
  const route::Snapshot& snapshot = worker_.snapshot();
  if (head.path == "*") return tell_options();
  route::Match match;
  if (!tls_ && worker_.rules(listener_).secure_twin >= 0 && !head.path.starts_with(kAcmePath)) {
    return redirect_to_secure(head);
  }
  drop_outdated_hooks();
  if (!use_target(worker_.head_scratch())) return refuse(ErrorCode::hook_failed, unrouted());
  snapshot.table.match(head.method_text, routed_host(head), head.path, match);
  if (match.route == route::kNoRoute && snapshot.has_hooks) match_preflight(head, match);
  const bool is_routed = match.route != route::kNoRoute;
  const bool has_own_bound = is_routed && reads_bodies(snapshot.routes[match.route].action);
  if (!has_own_bound && head.framing == http::Framing::length &&
      head.content_length > snapshot.limits.body_bytes) {
    keep_ = false;
    return refuse(ErrorCode::body_too_large, is_routed ? match.route : unrouted());
  }
  if (is_routed) {
    bool goes_on = false;
    const bool has_plan = snapshot.routes[match.route].hooks != nullptr;
    if (has_plan && !pass_hooks(worker_.head_scratch(), match, goes_on)) return goes_on;
    return perform(head, snapshot.routes[match.route].action, match);
  }
  if (match.allow == nullptr || match.allow->empty()) {
    return refuse(ErrorCode::no_route, unrouted());
  }
  std::string allow;
  for (std::string_view method : *match.allow)
    allow.append(allow.empty() ? "" : ", ").append(method);
  std::string field;
  http::append_field(field, "Allow", allow);
  return refuse(ErrorCode::method_not_allowed, unrouted(), field);
}

bool Connection::perform(const http::RequestHead& head, const route::Action& action,
                         const route::Match& match) {
  if (const auto* files = std::get_if<route::FilesAction>(&action)) {
    return serve_files(head, *files, match);
  }
  if (const auto* redirection = std::get_if<route::RedirectAction>(&action)) {
    return redirect(head, *redirection, match);
  }
  if (const auto* proxied = std::get_if<route::ProxyAction>(&action)) {
    return reach(head, *proxied, match);
  }
  if (const auto* channel = std::get_if<route::ChannelAction>(&action)) {
    return serve_channel(head, *channel, match);
  }
  const auto& fixed = std::get<route::RespondAction>(action);
  files::Reply reply;
  reply.status = fixed.status;
  reply.head = fixed.head;
  reply.source = fixed.body.get();
  reply.length = http::is_bodiless(fixed.status) ? 0 : fixed.body->bytes.size();
  return respond(reply, match.route);
}

bool Connection::redirect(const http::RequestHead& head, const route::RedirectAction& action,
                          const route::Match& match) {
  files::Reply reply;
  reply.status = action.status;
  http::append_status_line(reply.built, action.status);
  reply.built.append(action.fields);
  http::append_field(reply.built, "Location", make_location(action, head, match));
  http::append_content_length(reply.built, 0);
  reply.head = reply.built;
  return respond(reply, match.route);
}

bool Connection::serve_files(const http::RequestHead& head, const route::FilesAction& action,
                             const route::Match& match) {
  if (takes_in(head, action)) return take_in(head, action, match);
  if (head.method != Method::get && head.method != Method::head) {
    return serve_no_file(head, action, match);
  }
  if (answer_) {
    Ref<files::Answer> given = std::move(answer_);
    return serve_answer(head, action, match, *given);
  }
  std::string_view path = match.rest;
  if (!head.path_is_plain) {
    http::DecodedPath decoded = http::decode_path(match.rest, worker_.path_scratch(match.rest));
    path = decoded.check == http::PathCheck::ok ? decoded.text : kNoName;
  }
  const files::PathKeyView key{match.route, path};
  files::Answer* known = recall(key);
  if (known == nullptr) return park(key, match.route);
  return serve_answer(head, action, match, *known);
}

/// What is remembered and trusted.
files::Answer* Connection::recall(files::PathKeyView key) {
  files::Answer* known = worker_.answers().find(key);
  if (known == nullptr) return nullptr;
  if (known->has_changed()) {
    worker_.drop_stale(known->id);
    return nullptr;
  }
  const bool trusted =
      known->looks.empty() || worker_.now_us() - known->checked_us < known->trust_us();
  if (!trusted) return nullptr;
  worker_.stats().remembered.add();
  if (!known->touched) worker_.report_touched(*known);
  return known;
}

/// The file that the answer of an upstream named.
bool Connection::serve_instructed(const http::RequestHead& head) {
  const proxy::Instruction& instruction = instructed_->instruction;
  // The exchange has read the body, or its rest cannot be told from the next request.
  body_ = http::Framing::none;
  if (!instructed_->is_read) {
    keep_ = false;
    is_refused_ = true;
  }
  if (answer_) {
    const Ref<files::Answer> given = std::move(answer_);
    return reply_instructed(head, *given);
  }
  std::string_view path = kNoName;
  if (instruction.is_path) {
    const http::DecodedPath decoded =
        http::decode_path(instruction.path, worker_.path_scratch(instruction.path));
    if (decoded.check == http::PathCheck::ok) path = decoded.text;
  }
  const files::PathKeyView key{instructed_->files, path};
  files::Answer* known = recall(key);
  return known != nullptr ? reply_instructed(head, *known) : park(key, instructed_->route);
}

bool Connection::reply_instructed(const http::RequestHead& head, const files::Answer& answer) {
  const std::unique_ptr<Instructed> instructed = std::move(instructed_);
  // Where else a directory could be found is a matter of the application's own paths.
  if (answer.relocation) return refuse(ErrorCode::not_found, instructed->route);
  files::Reply reply;
  const files::Dressing dressing{instructed->instruction.status, instructed->instruction.fields};
  files::reply_dressed(answer, head, worker_.wall_s(), dressing, reply);
  return respond(reply, instructed->route, instructed->copy_only);
}

/// A method that files do not have.
bool Connection::serve_no_file(const http::RequestHead& head, const route::FilesAction& action,
                               const route::Match& match) {
  if (action.otherwise) return perform(head, action.otherwise->action, match);
  if (head.method != Method::options) {
    return refuse(ErrorCode::method_not_allowed, match.route, action.allow);
  }
  files::Reply reply;
  reply.status = 204;
  http::append_status_line(reply.built, reply.status);
  reply.built.append(action.fields).append(action.allow);
  reply.head = reply.built;
  return respond(reply, match.route);
}

bool Connection::serve_answer(const http::RequestHead& head, const route::FilesAction& action,
                              const route::Match& match, const files::Answer& answer) {
  if (answer.otherwise && action.otherwise) return perform(head, action.otherwise->action, match);
  const bool json = answer.json && http::prefers(head.find(http::FieldId::accept),
                                                 "application/json", "text/html");
  files::Reply reply;
  files::reply_with(json ? *answer.json : answer, head, worker_.wall_s(), reply);
  return respond(reply, match.route, action.copy_only);
}

/// Until `key` has an answer that is trusted. `route` is that of the request.
bool Connection::park(files::PathKeyView key, uint32_t route) {
  files::Answer* known = worker_.answers().find(key);
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  Questions& questions = worker_.questions();
  ticket_ = worker_.next_ticket();
  bool parked = known == nullptr ? questions.ask(key, address_, ticket_)
                                 : questions.look_again(key, *known, address_, ticket_);
  if (!parked) {
    instructed_.reset();
    return refuse(ErrorCode::too_many_questions, route);
  }
  worker_.await_answer(ticket_, *this);
  if (!was_in_line_) since_ms_ = worker_.now_ms();
  transit(Event::ask);
  return false;
}

/// The head stays in the input and is handled again once the answers before it are out: until then
/// nothing that it says of connection or body may steer what follows those.
void Connection::forget_request() {
  keep_ = true;
  body_ = http::Framing::none;
  chunks_.reset();
}

bool Connection::respond(const files::Reply& reply, uint32_t route, bool copy_only) {
  bool goes_on = false;
  if (plan_of(route) != nullptr && !pass_later_hooks(reply, route, goes_on)) return goes_on;
  if (!is_head_) return begin(reply, route, copy_only);
  files::Reply headless;
  headless.status = reply.status;
  headless.error = reply.error;
  headless.head = reply.head;
  return begin(headless, route, copy_only);
}

/// The head itself is wrong or never came: nothing after it can be trusted.
bool Connection::refuse_head(ErrorCode error) {
  consumed_ = input_.size();
  keep_ = false;
  is_refused_ = true;
  is_head_ = false;
  is_minor_0_ = false;
  body_ = http::Framing::none;
  request_us_ = worker_.now_us();
  return refuse(error, unrouted());
}

bool Connection::refuse(ErrorCode error, uint32_t route, std::string_view fields) {
  worker_.complain(error);
  const ErrorReply& prepared = error_reply(error);
  files::Reply reply;
  reply.status = error_info(error).status;
  reply.error = error;
  reply.head = prepared.head;
  if (!fields.empty() || is_inner_) {
    reply.built.append(prepared.head).append(fields);
    if (is_inner_) http::append_field(reply.built, proxy::kFaultField, error_info(error).name);
    reply.head = reply.built;
  }
  reply.source = prepared.body.get();
  reply.length = prepared.body->bytes.size();
  return respond(reply, route);
}

}  // namespace sluice::worker
