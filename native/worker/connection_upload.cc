// A connection whose request is a file that comes, or one to remove: hands what can wait for a disk
// to the I/O threads, takes the body in between, answers when the file has its name. At any time
// either the worker or one I/O thread works on the upload, never both.
//
//   begin ──open──▶ receiving ⇄ writing ──store──▶ answer
//            (an I/O thread opens, writes and stores; refusals end it at any point)
#include <sys/socket.h>

#include <algorithm>

#include "files/upload.h"
#include "http/chars.h"
#include "http/digest.h"
#include "http/response_head.h"
#include "http/uri.h"
#include "net/sys.h"
#include "net/transport.h"
#include "worker/connection.h"
#include "worker/uploading.h"
#include "worker/worker.h"

namespace sluice::worker {
namespace {

using http::Method;
using transfer::Intake;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

bool begins_with_lower(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         http::equals_ignoring_case(text.substr(0, lower.size()), lower);
}

/// Whether the rules let a file of this path be written, whatever is there.
bool may_be_named(std::string_view path, const route::UploadRules& rules) {
  constexpr std::string_view kWellKnown = ".well-known/";
  if (path.starts_with(kWellKnown)) path.remove_prefix(kWellKnown.size());
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    if (name.starts_with(files::kHiddenPrefix)) return false;
    if (name.starts_with('.') && !rules.hidden_names) return false;
    begin = end + 1;
  }
  return true;
}

/// Why a body as the head describes it is no file.
ErrorCode judge_body(const http::RequestHead& head, const route::UploadRules& rules) {
  if (head.framing == http::Framing::length && head.content_length > rules.body_bytes) {
    return ErrorCode::body_too_large;
  }
  // RFC 9110 §14.5: a part of a file must not be taken for the whole.
  if (!head.find("content-range").empty()) return ErrorCode::upload_range;
  const std::string_view coding = head.find("content-encoding");
  if (!coding.empty() && !http::equals_ignoring_case(coding, "identity"))
    return ErrorCode::upload_type;
  const std::string_view type = head.find("content-type");
  return begins_with_lower(type, "multipart/form-data") ? ErrorCode::upload_type : ErrorCode::none;
}

/// The last holder may unlink or free what the disk has of it: not on a worker.
void let_go(Worker& worker, Ref<files::Upload> upload) {
  transfer::Load& load = upload->load;
  if (load.pipe) {
    transfer::PipePool& pipes = worker.upstreams().pipes();
    load.in_pipe == 0 ? pipes.give_back(load.pipe) : pipes.discard(load.pipe);
    load.pipe = {};
  }
  const size_t lane = upload->lane();
  worker.io().post([held = std::move(upload)] {}, lane);
}

}  // namespace

bool Connection::takes_in(const http::RequestHead& head, const route::FilesAction& action) const {
  if (!action.upload) return false;
  if (head.method == Method::delete_) return action.upload->remove;
  return head.method == Method::put || head.method == Method::post;
}

/// PUT, POST or DELETE. True: the connection can go on now.
bool Connection::take_in(const http::RequestHead& head, const route::FilesAction& action,
                         const route::Match& match) {
  const route::UploadRules& rules = *action.upload;
  const http::DecodedPath decoded = http::decode_path(match.rest, worker_.path_scratch(match.rest));
  std::string_view path = decoded.text;
  if (path.starts_with('/')) path.remove_prefix(1);
  const bool is_folder = path.empty() || path.ends_with('/');
  const bool is_named = head.method != Method::post;
  if (decoded.check != http::PathCheck::ok || !may_be_named(path, rules)) {
    return refuse(ErrorCode::upload_refused, match.route);
  }
  if (is_folder == is_named) return refuse(ErrorCode::upload_conflict, match.route);
  const ErrorCode wrong =
      head.method == Method::delete_ ? ErrorCode::none : judge_body(head, rules);
  if (wrong != ErrorCode::none) return refuse(wrong, match.route);
  if (rules.asks && !answer_) {
    // Patterns of names are TypeScript's: it is asked under a path that no request can have.
    const std::string key = std::string(kMayWrite).append(path);
    files::Answer* known = worker_.answers().find({match.route, key});
    if (known == nullptr) return park({match.route, key}, match.route);
    answer_ = Ref<files::Answer>(known);
  }
  if (const Ref<files::Answer> given = std::move(answer_); given && given->status != 204) {
    return refuse(given->status == 403 ? ErrorCode::upload_refused : ErrorCode::too_many_questions,
                  match.route);
  }
  // What was answered before goes out first: what we say of the upload does not wait for it.
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  return begin_upload(head, action, match, std::string(path));
}

bool Connection::begin_upload(const http::RequestHead& head, const route::FilesAction& action,
                              const route::Match& match, std::string path) {
  files::UploadRequest request;
  request.root = action.root;
  request.path = std::move(path);
  request.rules = action.upload;
  request.demands = files::Demands(head);
  request.names_itself = head.method == Method::post;
  Sha256Digest digest;
  switch (http::find_digest(head, digest)) {
    case http::DigestCheck::found: request.digest = digest; break;
    case http::DigestCheck::malformed: return refuse(ErrorCode::bad_digest, match.route);
    case http::DigestCheck::none: break;
  }
  const bool is_removal = head.method == Method::delete_;
  const bool is_chunked = head.framing == http::Framing::chunked;
  if (!is_chunked) request.length = head.content_length;
  uploading_ = std::make_unique<Uploading>();
  Uploading& up = *uploading_;
  up.route = match.route;
  up.generation = worker_.serving();
  up.fields = action.fields;
  up.location = head.path;
  up.names_itself = request.names_itself;
  // Bytes that are hashed have to pass through here, and so do those that are copied anyway.
  up.copies = action.copy_only || request.digest.has_value();
  up.waits_for_continue = head.expect_continue;
  up.upload = make_ref<files::Upload>(std::move(request));
  up.upload->set_lane(files::lane_of(action.root));
  log_taking(head, match.route);
  keep_for_hooks();
  if (is_removal) {
    input_.remove_prefix(consumed_);
    consumed_ = 0;
    head_seen_ = 0;
  } else {
    take_body(head, action.upload->body_bytes);
  }
  transit(Event::take_in);
  return order(is_removal ? Uploading::Order::remove : Uploading::Order::open);
}

/// Hooks that are asked about the answer find the request's head again.
void Connection::keep_for_hooks() {
  if (hooks_ && !hooks_->question.empty()) uploading_->head = input_.substr(0, consumed_);
}

/// What the head says, while it is there.
void Connection::log_taking(const http::RequestHead& head, uint32_t route) {
  log::AccessLog* log = worker_.access_log();
  if (log == nullptr) return;
  log::Request logged = log_request(&head, {}, request_us_);
  logged.route = route;
  uploading_->begun = log->begin(logged, uploading_->text);
}

/// The request's body is read by us, not skipped.
void Connection::take_body(const http::RequestHead& head, uint64_t most) {
  const uint32_t requests = worker_.snapshot().limits.keep_alive_requests;
  keep_ = head.keep_alive && may_persist() && (requests == 0 || requests_ + 1 < requests);
  body_ = http::Framing::none;
  chunks_.reset();
  const bool is_chunked = head.framing == http::Framing::chunked;
  const auto inbound = is_chunked ? transfer::Inbound::chunked : transfer::Inbound::length;
  uploading_->intake.start(inbound, head.content_length, most);
  // Until something of it is taken, a short one can be skipped as that of any request.
  uploading_->framing = head.content_length > kDiscardBytes ? http::Framing::none : head.framing;
  uploading_->length = head.content_length;
  input_.remove_prefix(consumed_);
  consumed_ = 0;
  head_seen_ = 0;
}

/// Has an I/O thread do the next thing. False: nothing goes on until it has.
bool Connection::order(Uploading::Order order) {
  Uploading& up = *uploading_;
  up.order = order;
  up.ordered_ms = worker_.now_ms();
  const uint64_t ticket = ticket_ = worker_.next_ticket();
  Worker& worker = worker_;
  worker.await(ticket, *this);
  files::UploadRoots& roots = *worker.shared().uploads;
  auto job = [&worker, &roots, ticket, order, upload = up.upload] {
    const ErrorCode error = perform_order(order, *upload, roots);
    auto report = [&worker, ticket, error, upload] {
      worker.post([ticket, error, upload](Worker& there) mutable {
        there.upload_ready(ticket, error, std::move(upload));
      });
    };
    // Whoever is told of the new file must not be given the old one by any worker.
    const bool changes = order == Uploading::Order::store || order == Uploading::Order::remove;
    if (!changes) return report();
    worker.shared().when_seen(std::move(report));
  };
  if (worker.io().post(std::move(job), up.upload->lane())) return false;
  worker.give_up(ticket);
  up.order = Uploading::Order::none;
  return fail_upload(ErrorCode::too_many_questions);
}

ErrorCode Connection::perform_order(Uploading::Order order, files::Upload& upload,
                                    files::UploadRoots& roots) {
  switch (order) {
    case Uploading::Order::open: return upload.open(roots);
    case Uploading::Order::write: return upload.write();
    case Uploading::Order::store: return upload.store();
    case Uploading::Order::remove: return upload.remove(roots);
    case Uploading::Order::none: break;
  }
  return ErrorCode::internal_error;
}

/// Of a connection that is gone.
void discard_upload(Worker& worker, Ref<files::Upload> upload) {
  let_go(worker, std::move(upload));
}

void Connection::upload_ready(ErrorCode error) {
  if (state_ != State::taking_in) return;
  Uploading& up = *uploading_;
  const Uploading::Order done = std::exchange(up.order, Uploading::Order::none);
  up.pace.pause(worker_.now_ms() - up.ordered_ms);  // the disk was slow, not the client
  up.error = error;
  up.is_stored = error == ErrorCode::none &&
                 (done == Uploading::Order::store || done == Uploading::Order::remove);
  transfer::Load& load = up.upload->load;
  if (load.pipe && load.in_pipe == 0) {
    worker_.upstreams().pipes().give_back(load.pipe);
    load.pipe = {};
  }
  drive();
}

bool Connection::step_taking_in() {
  Uploading& up = *uploading_;
  if (up.order != Uploading::Order::none) return false;  // an I/O thread is at it
  if (up.error != ErrorCode::none) return fail_upload(up.error);
  if (up.is_stored) return answer_upload();
  if (up.waits_for_continue && !say_continue()) return false;
  const bool can_splice = !up.copies && !up.intake.has_all();
  const transfer::IntakeContext context{*this, socket_,
                                        can_splice ? &worker_.upstreams().pipes() : nullptr,
                                        worker_.now_us(), worker_.snapshot().splice_bytes};
  up.framing = http::Framing::none;
  const uint64_t direct = up.intake.direct();
  transfer::Load& load = up.publishing ? up.publishing->load : up.upload->load;
  const Intake::Step step = up.intake.run(context, load);
  worker_.stats().bytes_in.add(up.intake.direct() - direct);
  switch (step) {
    case Intake::Step::full:
      return up.publishing ? step_publishing(step) : order(Uploading::Order::write);
    case Intake::Step::done:
      if (up.publishing) return step_publishing(step);
      if (up.upload->load.total() > 0) return order(Uploading::Order::write);
      return order(Uploading::Order::store);
    case Intake::Step::bad_framing: return fail_upload(up.intake.error());
    case Intake::Step::too_large: return fail_upload(ErrorCode::body_too_large);
    case Intake::Step::ended:
    case Intake::Step::failed: close(ErrorCode::client_gone); return false;
    case Intake::Step::source_empty:
    case Intake::Step::going: break;
  }
  // What the client takes long to send counts from here on.
  if (!up.pace.has_begun()) up.pace.restart(worker_.now_ms());
  return false;
}

/// False: the connection is closed.
bool Connection::say_continue() {
  uploading_->waits_for_continue = false;
  if (!input_.empty()) return true;  // it did not wait
  const ssize_t sent = net::send(socket_, kContinue.data(), kContinue.size(), false);
  if (sent == static_cast<ssize_t>(kContinue.size())) {
    worker_.stats().bytes_out.add(kContinue.size());
    return true;
  }
  close(ErrorCode::client_gone);
  return false;
}

bool Connection::answer_upload() {
  const Uploading& up = *uploading_;
  const files::Upload& upload = *up.upload;
  files::Reply reply;
  reply.status = upload.is_new() ? 201 : 204;
  http::append_status_line(reply.built, reply.status);
  reply.built.append(up.fields);
  if (!upload.etag().empty()) http::append_field(reply.built, "ETag", upload.etag());
  if (upload.is_new()) {
    std::string location = up.location;
    if (up.names_itself && !location.ends_with('/')) location.append("/");
    if (up.names_itself) location.append(upload.name());
    http::append_field(reply.built, "Location", location);
    http::append_content_length(reply.built, 0);
  }
  return answer_taken(reply);
}

/// All of it is where it belongs.
bool Connection::answer_taken(const files::Reply& made) {
  files::Reply reply = made;
  reply.head = reply.built;
  reply.engine = upload_engine();
  record_upload(reply.status, ErrorCode::none);
  const uint32_t route = uploading_->route;
  std::string head = std::move(uploading_->head);
  end_upload();
  keep_ = keep_ && may_persist();
  transit(Event::sent);
  if (!head.empty()) {
    taken_ = std::make_unique<Taken>(Taken{reply.status, reply.built, *reply.engine, route});
    keep_head(std::move(head));
    parse_again();
  }
  return respond(reply, route);
}

/// A hook has spoken about the answer.
bool Connection::answer_taken_again() {
  const Taken taken = *taken_;
  body_ = http::Framing::none;  // it was read
  files::Reply reply;
  reply.status = taken.status;
  reply.head = taken.head;
  reply.engine = taken.engine;
  return respond(reply, taken.route);
}

/// Whether the body, of which nothing was taken, is skipped behind the answer.
bool Connection::skips_body() {
  const Uploading& up = *uploading_;
  if (up.framing == http::Framing::none || up.waits_for_continue) return false;
  body_ = up.framing;
  const bool is_chunked = body_ == http::Framing::chunked;
  body_left_ = is_chunked ? kDiscardBytes : up.length;
  if (is_chunked) chunks_ = std::make_unique<http::ChunkedDecoder>();
  since_ms_ = worker_.now_ms();
  return true;
}

/// The upload ends without a file.
bool Connection::fail_upload(ErrorCode error) {
  const uint32_t route = uploading_->route;
  // A hook that is asked about the error would leave the body between two requests.
  const bool is_told = !uploading_->head.empty();
  is_refused_ = !uploading_->intake.has_all() && (is_told || !skips_body());
  keep_ = keep_ && !is_refused_ && may_persist();
  record_upload(error_info(error).status, error);
  std::string head = std::move(uploading_->head);
  end_upload();
  transit(Event::sent);
  if (is_told) {
    keep_head(std::move(head));
    parse_again();
  }
  return refuse(error, route);
}

transfer::Engine Connection::upload_engine() const {
  const Intake& intake = uploading_->intake;
  if (intake.taken() == 0) return transfer::Engine::memory;
  return intake.spliced() > 0 ? transfer::Engine::splice_in : transfer::Engine::copy;
}

/// Counts what was taken in; the answer's few bytes go by memory, and are counted by begin().
void Connection::record_upload(uint16_t status, ErrorCode error) {
  using transfer::Engine;
  const Uploading& up = *uploading_;
  WorkerStats& stats = worker_.stats();
  const uint64_t spliced = up.intake.spliced();
  stats.engines[static_cast<size_t>(Engine::splice_in)].bytes.add(spliced);
  stats.engines[static_cast<size_t>(Engine::copy)].bytes.add(up.intake.taken() - spliced);
  log::AccessLog* log = worker_.access_log();
  // What a hook may still change is logged when it goes out.
  if (log == nullptr || !up.head.empty()) return;
  is_logged_ = true;
  if (!log->wants(status)) return;
  log::Outcome outcome;
  outcome.status = status;
  outcome.started_us = request_us_;
  outcome.ended_us = worker_.refresh_clock();
  outcome.engine = transfer::engine_name(upload_engine());
  outcome.error = error;
  log->end(up.text.part(up.begun.begin, up.begun.end), outcome);
}

void Connection::end_upload() {
  const bool is_busy = uploading_->order != Uploading::Order::none;
  if (!is_busy && uploading_->upload) let_go(worker_, std::move(uploading_->upload));
  uploading_.reset();
}

/// The connection ends while an upload is under way.
void Connection::abort_upload(ErrorCode reason) {
  uploading_->head.clear();
  record_upload(0, reason);
  end_upload();
}

int64_t Connection::upload_deadline_ms() const {
  const Uploading& up = *uploading_;
  if (up.order == Uploading::Order::none && up.pace.has_begun()) {
    return up.pace.due_ms(worker_.snapshot().timeouts.body);
  }
  return worker_.now_ms() + worker_.snapshot().timeouts.body;  // the disk has as long as it takes
}

/// A sample of the client's pace. True: it was closed.
void Connection::on_upload_alarm() {
  const route::Timeouts& timeouts = worker_.snapshot().timeouts;
  Uploading& up = *uploading_;
  switch (up.pace.sample(timeouts.body, up.intake.taken(), timeouts.minimum_rate)) {
    case Pace::Verdict::fine: return set_deadline();
    case Pace::Verdict::stalled: return close(ErrorCode::body_timeout);
    case Pace::Verdict::slow: return close(ErrorCode::too_slow);
  }
}

}  // namespace sluice::worker
