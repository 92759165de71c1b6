// A connection that is sent what is published on a channel, and one that publishes. Messages go out
// whole and in their order; a client that falls behind what the desk keeps is taken to the newest,
// or cut off, between two of them, and keeps nobody else waiting.
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "http/chars.h"
#include "http/chunked_encoder.h"
#include "http/response_head.h"
#include "net/acknowledged.h"
#include "net/sys.h"
#include "net/transport.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {
namespace {

using transfer::Engine;

/// One connection's share of a turn: many of them have something to send at the same moment. More
/// than the usual large message with what frames it, whose end would wait for all others.
constexpr uint64_t kStreamTurnBytes = 128 * 1024;
constexpr std::string_view kHeartbeat = ":\n\n";

/// Compares in a time that tells nothing about where they differ.
bool same_secret(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (size_t i = 0; i < secret.size(); ++i) {
    const char c = given.empty() ? '\0' : given[i % given.size()];
    difference |= static_cast<unsigned char>(c ^ secret[i]);
  }
  return difference == 0;
}

bool is_allowed(const http::RequestHead& head, const std::string& token) {
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view field = head.find("authorization");
  return field.size() > kBearer.size() &&
         http::equals_ignoring_case(field.substr(0, kBearer.size()), kBearer) &&
         same_secret(http::trim_white_space(field.substr(kBearer.size())), token);
}

/// Where a newcomer begins: behind what it says that it has, or with the history of the route.
uint64_t first_message(const http::RequestHead& head, const transfer::Ring& ring,
                       uint32_t history) {
  if (ring.empty()) return 0;
  const std::string_view text = head.find("last-event-id");
  uint64_t last = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), last);
  const bool is_id = !text.empty() && error == std::errc() && end == text.data() + text.size();
  if (is_id && last <= ring.newest()) return std::max(last + 1, ring.oldest());
  const uint64_t behind = ring.newest() + 1;
  return std::max(behind - std::min<uint64_t>(history, behind), ring.oldest());
}

/// How far a newcomer is taken back by `history` pieces, or by bytes.
uint64_t behind_newest(const transfer::Ring& ring, const route::ChannelAction& action) {
  uint64_t at = ring.newest() + 1;
  uint64_t first = at, pieces = 0, bytes = 0;
  while (at > ring.oldest()) {
    const transfer::Message& message = *ring.find(--at);
    bytes += message.wires[static_cast<size_t>(route::Format::raw)].size;
    if (action.history_bytes > 0 ? bytes > action.history_bytes : pieces >= action.history) break;
    if (!message.begins) continue;
    first = at;
    ++pieces;
  }
  return first;
}

/// The same of a feed, whose ids are those that the upstream gave events.
uint64_t first_piece(const http::RequestHead& head, const transfer::Ring& ring,
                     const route::ChannelAction& action) {
  if (ring.empty()) return 0;
  const std::string_view last = head.find("last-event-id");
  for (uint64_t id = ring.newest(); !last.empty() && id >= ring.oldest(); --id) {
    if (ring.find(id)->event_id == last) return id + 1;
  }
  return behind_newest(ring, action);
}

}  // namespace

bool Connection::serve_channel(const http::RequestHead& head, const route::ChannelAction& action,
                               const route::Match& match) {
  if (action.is_feed) return serve_feed(head, action, match);
  if (head.method == http::Method::get) return begin_stream(head, action, match, action.head);
  if (head.method == http::Method::head) {
    files::Reply reply;
    reply.built.append(action.head);
    reply.head = reply.built;
    return respond(reply, match.route);
  }
  const bool takes_posts = !action.token.empty();
  if (head.method == http::Method::post && takes_posts) {
    return begin_publication(head, action, match);
  }
  return refuse(ErrorCode::method_not_allowed, match.route,
                takes_posts ? "Allow: GET, HEAD, POST\r\n" : "Allow: GET, HEAD\r\n");
}

bool Connection::begin_stream(const http::RequestHead& head, const route::ChannelAction& action,
                              const route::Match& match, std::string_view lines) {
  files::Reply reply;
  reply.status = 200;
  reply.head = lines;
  bool goes_on = false;
  const bool is_hooked = plan_of(match.route) != nullptr;
  if (is_hooked && !pass_later_hooks(reply, match.route, goes_on)) return goes_on;
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  keep_ = false;  // it ends with the connection
  streaming_ = std::make_unique<Streaming>();
  Streaming& stream = *streaming_;
  stream.channel = action.channel;
  stream.format = action.format;
  stream.skips = action.skips;
  stream.is_chunked = !is_minor_0_;
  const bool has_comments = action.is_feed || action.format == route::Format::sse;
  stream.heartbeat_ms = has_comments ? action.heartbeat_ms : 0;
  stream.is_strict = action.is_strict;
  stream.place = std::move(place_);
  stream.route = match.route;
  stream.generation = worker_.serving();
  if (log::AccessLog* log = worker_.access_log()) {
    log::Request logged = log_request(&head, {}, request_us_);
    logged.route = match.route;
    stream.begun = log->begin(logged, stream.text);
  }
  ChannelDesk& desk = worker_.desk(action.channel);
  stream.next = stream.place ? first_piece(head, desk.ring, action)
                             : first_message(head, desk.ring, action.history);
  desk.join(*this, stream.slot);
  desk.hub->counts.clients.fetch_add(1);
  Outbox& box = worker_.outbox();
  append_head(lines, match.route);
  hooks_.reset();
  if (stream.is_chunked) box.append("Transfer-Encoding: chunked\r\n");
  box.finish_head(Outbox::Persistence::close);
  stream.pending.assign(box.bytes());
  box.clear();
  on_response(200);
  input_ = {};
  consumed_ = 0;
  head_seen_ = 0;
  transit(Event::stream);
  return true;
}

/// A message has come to the desk.
void Connection::on_message() {
  if (state_ == State::streaming && !streaming_->is_blocked) run_later();
}

bool Connection::step_streaming() {
  input_ = {};
  if (socket_.peer_ended) {
    close(ErrorCode::none);
    return false;
  }
  Streaming& stream = *streaming_;
  stream.is_blocked = false;
  for (uint64_t budget = kStreamTurnBytes; budget > 0;) {
    if (!send_stream_text()) return false;
    if (stream.message.left == 0) {
      if (!next_message()) return false;
      continue;
    }
    const transfer::Progress progress =
        transfer::step(stream.message, socket_, std::min(budget, stream.message.left),
                       worker_.copy_scratch(), worker_.now_us());
    stream.bytes += progress.moved;
    budget -= std::min(budget, progress.moved);
    if (progress.moved > 0) stream.sent_ms = worker_.now_ms();
    worker_.stats().bytes_out.add(progress.moved);
    worker_.stats().engines[static_cast<size_t>(stream.message.engine)].bytes.add(progress.moved);
    switch (progress.step) {
      case transfer::Step::done:
      case transfer::Step::more: break;
      case transfer::Step::blocked: block_stream(); return false;
      case transfer::Step::peer_gone: close(ErrorCode::client_gone); return false;
      default: close(ErrorCode::internal_error); return false;
    }
  }
  run_later();
  return false;
}

/// It ends with the message that is on its way, if the client takes that now.
void Connection::leave_stream() {
  streaming_->is_leaving = true;
  run_later();
}

void Connection::block_stream() {
  if (streaming_->is_leaving) return close(ErrorCode::draining);
  streaming_->is_blocked = true;
  if (!streaming_->pace.has_begun()) streaming_->pace.restart(worker_.now_ms());
}

/// Head, heartbeat or end. False: nothing more goes out now.
bool Connection::send_stream_text() {
  Streaming& stream = *streaming_;
  while (!stream.pending.empty()) {
    const ssize_t sent = net::send(socket_, stream.pending.data(), stream.pending.size(), false);
    if (sent == -EAGAIN) {
      block_stream();
      return false;
    }
    if (sent < 0) {
      close(ErrorCode::client_gone);
      return false;
    }
    worker_.stats().bytes_out.add(static_cast<size_t>(sent));
    stream.pending.erase(0, static_cast<size_t>(sent));
    stream.sent_ms = worker_.now_ms();
  }
  return true;
}

/// False: there is none, or the connection is closed.
bool Connection::next_message() {
  Streaming& stream = *streaming_;
  stream.message.source.reset();
  if (stream.is_ending) {
    if (net::end_sending(socket_)) {
      close(ErrorCode::none);
    } else {
      block_stream();
    }
    return false;
  }
  const ChannelDesk& desk = worker_.desk(stream.channel);
  const transfer::Ring& ring = desk.ring;
  if (stream.next == 0 && !ring.empty()) stream.next = ring.oldest();
  const bool has_more = !ring.empty() && stream.next <= ring.newest();
  if (stream.is_over && (!has_more || stream.next > stream.last)) return end_feed_stream();
  if ((worker_.draining() || stream.is_leaving) && !stream.is_within) {
    stream.is_ending = true;
    if (stream.is_chunked) stream.pending.assign(http::kLastChunk);
    return true;
  }
  if (!has_more) {
    stream.pace = Pace();
    return false;
  }
  if (stream.next < ring.oldest()) return fall_behind(ring);
  const transfer::Message& message = *ring.find(stream.next++);
  if (!stream.is_placed && !message.begins) return true;
  if (stream.is_within && message.begins) {  // the upstream broke off within it
    close(ErrorCode::upstream_cut_body);
    return false;
  }
  stream.is_placed = true;
  stream.is_within = stream.is_strict && !message.ends;
  const transfer::Wire& wire = message.wires[static_cast<size_t>(stream.format)];
  if (!wire.source) return true;
  const bool is_copied = worker_.snapshot().copy_only;
  stream.engine = is_copied ? transfer::copy_engine(cipher())
                            : transfer::choose_for_file(
                                  wire.source->in_memory(), false, transfer::Mode::automatic,
                                  worker_.shared().sendfile_available, cipher())
                                  .engine;
  const uint64_t before = stream.is_chunked ? 0 : wire.before;
  const uint64_t behind = stream.is_chunked ? 0 : http::kChunkEnd.size();
  stream.message = {stream.engine, wire.source, wire.offset + before, wire.size - before - behind};
  stream.message.ready_to = stream.message.offset + stream.message.left;  // no disk is behind it
  return true;
}

/// What comes next for it is gone: it goes on with the newest that a reader can begin with. False:
/// the connection is closed.
bool Connection::fall_behind(const transfer::Ring& ring) {
  Streaming& stream = *streaming_;
  ChannelCounts& counts = worker_.desk(stream.channel).hub->counts;
  if (!stream.skips || stream.is_within || stream.is_over) {
    counts.cut.fetch_add(1);
    close(ErrorCode::fell_behind);
    return false;
  }
  uint64_t next = ring.newest();
  while (next > ring.oldest() && !ring.find(next)->begins) --next;
  if (!ring.find(next)->begins) next = ring.newest() + 1;
  counts.skipped.fetch_add(next - stream.next);
  stream.next = next;
  stream.is_placed = false;
  return true;
}

int64_t Connection::stream_deadline_ms() const {
  const Streaming& stream = *streaming_;
  if (stream.is_blocked) return stream.pace.due_ms(worker_.snapshot().timeouts.write);
  const int64_t silence = stream.heartbeat_ms > 0 ? stream.heartbeat_ms : kSilentStreamMs;
  return std::max(stream.sent_ms + silence, worker_.now_ms());
}

/// Time for a sign of life, or to see whether the client is alive.
void Connection::on_stream_alarm() {
  Streaming& stream = *streaming_;
  const route::Timeouts& timeouts = worker_.snapshot().timeouts;
  if (stream.is_blocked) {
    const int64_t acknowledged = net::acknowledged_bytes(socket_.fd);
    const uint64_t taken = acknowledged < 0 ? stream.bytes : static_cast<uint64_t>(acknowledged);
    switch (stream.pace.sample(timeouts.write, taken, timeouts.minimum_rate)) {
      case Pace::Verdict::fine: return set_deadline();
      case Pace::Verdict::stalled: return close(ErrorCode::write_timeout);
      case Pace::Verdict::slow: return close(ErrorCode::too_slow);
    }
  }
  stream.sent_ms = worker_.now_ms();
  if (stream.heartbeat_ms == 0 || stream.is_within) return set_deadline();
  if (stream.is_chunked) {
    std::array<char, http::kChunkLineRoom> room;
    stream.pending.append(http::chunk_line(kHeartbeat.size(), room));
  }
  stream.pending.append(kHeartbeat);
  if (stream.is_chunked) stream.pending.append(http::kChunkEnd);
  drive();
}

/// The connection ends.
void Connection::end_stream(ErrorCode reason) {
  const Streaming& stream = *streaming_;
  ChannelDesk& desk = worker_.desk(stream.channel);
  Connection* moved = desk.leave(stream.slot);
  if (moved != nullptr) moved->streaming_->slot = stream.slot;
  desk.hub->counts.clients.fetch_sub(1);
  worker_.stats().engines[static_cast<size_t>(stream.engine)].responses.add();
  log::AccessLog* log = worker_.access_log();
  if (log != nullptr && log->wants(200)) {
    log::Outcome outcome;
    outcome.status = 200;
    outcome.bytes = stream.bytes;
    outcome.started_us = request_us_;
    outcome.ended_us = worker_.refresh_clock();
    outcome.engine = transfer::engine_name(stream.engine);
    outcome.error = reason;
    log->end(stream.text.part(stream.begun.begin, stream.begun.end), outcome);
  }
  streaming_.reset();
}

bool Connection::begin_publication(const http::RequestHead& head,
                                   const route::ChannelAction& action, const route::Match& match) {
  if (!is_allowed(head, action.token)) {
    return refuse(ErrorCode::bad_token, match.route, "WWW-Authenticate: Bearer\r\n");
  }
  if (head.framing == http::Framing::length && head.content_length > action.message_bytes) {
    return refuse(ErrorCode::body_too_large, match.route);
  }
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  uploading_ = std::make_unique<Uploading>();
  Uploading& up = *uploading_;
  up.route = match.route;
  up.generation = worker_.serving();
  up.copies = true;
  up.waits_for_continue = head.expect_continue;
  up.publishing = std::make_unique<Publishing>();
  up.publishing->channel = action.channel;
  up.publishing->publication.event = head.find("sluice-event");
  log_taking(head, match.route);
  keep_for_hooks();
  take_body(head, action.message_bytes);
  transit(Event::take_in);
  return true;
}

/// More of what is published has come; all of it: 204 with its id.
bool Connection::step_publishing(transfer::Intake::Step step) {
  Publishing& publishing = *uploading_->publishing;
  transfer::Load& load = publishing.load;
  if (load.size > 0) publishing.publication.bytes.append(load.room.get(), load.size);
  load.size = 0;
  if (step != transfer::Intake::Step::done) return true;
  const uint64_t id = worker_.desk(publishing.channel).hub->publish(publishing.publication);
  files::Reply reply;
  reply.status = 204;
  http::append_status_line(reply.built, reply.status);
  http::append_field(reply.built, "Sluice-Event-Id", std::to_string(id));
  return answer_taken(reply);
}

}  // namespace sluice::worker
