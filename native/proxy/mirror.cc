// The life of a mirror: what it is fed goes into its backlog, what its socket takes goes out of it
// when the turns of the clients are over, what it answers is read and dropped.
#include "proxy/mirror.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/limits.h"
#include "http/chunked_encoder.h"
#include "net/capabilities.h"
#include "proxy/mirrors.h"
#include "proxy/relay.h"

namespace sluice::proxy {
namespace {

/// Of an answer so much is read to keep the connection; after that it is closed.
constexpr uint64_t kAnswerBytes = 1024 * 1024;
/// Interim answers and the head of the final one.
constexpr http::HeadLimits kHeadLimits{64 * 1024, 8 * 1024, http::kMaxFields};
/// A worker that ends gives mirrors with the whole of their request so long.
constexpr int64_t kGraceMs = 1'000;

}  // namespace

Mirror::Mirror(Mirrors& owner, const route::MirrorRule& rule, MirrorRequest request,
               Ref<Target> target, bool is_trial, UpstreamConnection& connection)
    : owner_(owner),
      rule_(rule),
      hold_(std::move(request.hold)),
      framing_(request.framing),
      is_head_(request.is_head),
      is_trial_(is_trial),
      left_(request.content_length),
      target_(std::move(target)),
      connection_(&connection),
      backlog_(owner.upstreams_.pipes(), request.copies) {
  // What was idle is connected; a relay has greeted on it.
  is_connected_ = connection.requests() > 0;
  backlog_.add(request.head);
  if (framing_ == http::Framing::none || (framing_ == http::Framing::length && left_ == 0)) {
    has_all_ = true;
  }
}

// Being fed.

bool Mirror::can_tee(size_t capacity) {
  if (is_over() || is_broken_) return true;
  if (!net::available(net::Feature::tee)) return false;
  if (!backlog_.has_room_for_tee()) send();
  if (is_broken_) return true;
  if (!backlog_.has_room_for_tee()) {
    if (!backlog_.spill()) give_up(MirrorOutcome::limited);
    check_bounds();
  }
  return is_over() || backlog_.take_pipe(capacity, owner_.upstreams_.now_us());
}

void Mirror::on_bytes(std::span<const iovec> parts, uint64_t total) {
  if (is_over()) return;
  std::array<char, http::kChunkLineRoom> room;
  if (framing_ == http::Framing::chunked) add(http::chunk_line(total, room));
  for (const iovec& part : parts) add({static_cast<const char*>(part.iov_base), part.iov_len});
  if (framing_ == http::Framing::chunked) add(http::kChunkEnd);
  took(total);
}

void Mirror::on_pipe(int read_end, uint64_t bytes) {
  if (is_over()) return;
  if (!is_broken_) {
    std::array<char, http::kChunkLineRoom> room;
    std::string_view line;
    if (framing_ == http::Framing::chunked) line = http::chunk_line(bytes, room);
    if (!backlog_.tee(line, read_end, bytes)) return give_up(MirrorOutcome::limited);
    owner_.counts_.teed.add(bytes);
  }
  if (framing_ == http::Framing::chunked) add(http::kChunkEnd);
  took(bytes);
}

void Mirror::add(std::string_view bytes) {
  // Nobody would take them; the answer, which may be on its way, is still of interest.
  if (is_over() || is_broken_) return;
  if (!backlog_.add(bytes)) give_up(MirrorOutcome::limited);
}

/// So much of the body has been fed.
void Mirror::took(uint64_t bytes) {
  if (is_over()) return;
  check_bounds();
  if (is_over()) return;
  if (framing_ == http::Framing::length) {
    left_ -= std::min(left_, bytes);
    if (left_ == 0) complete({});
  }
  owner_.run_later(*this);
}

/// What it is behind by is its own fault beyond its own bound, and nobody's beyond that of all.
void Mirror::check_bounds() {
  note_waiting();
  if (backlog_.spilled() > rule_.max_behind) return give_up(MirrorOutcome::behind);
  const uint64_t all = owner_.totals_->waiting.load(std::memory_order_relaxed);
  if (waiting_ > 0 && all > owner_.limits_.bytes) give_up(MirrorOutcome::limited);
}

void Mirror::note_waiting() {
  const uint64_t now = is_over() ? 0 : backlog_.size();
  const uint64_t before = std::exchange(waiting_, now);
  if (now == before) return;
  owner_.totals_->waiting.fetch_add(now - before, std::memory_order_relaxed);
  owner_.counts_.waiting.add(now - before);  // modulo 2^64
}

void Mirror::complete(std::string_view end) {
  if (is_over() || has_all_) return;
  if (framing_ == http::Framing::chunked) add(end);
  if (is_over()) return;
  has_all_ = true;
  set_deadline();
  owner_.run_later(*this);
}

void Mirror::leave() {
  is_fed_ = false;
  if (!is_over() && !has_all_) end(MirrorOutcome::aborted);
  owner_.run_later(*this);
}

// On its own.

void Mirror::on_upstream() { owner_.run_later(*this); }

void Mirror::set_deadline() {
  const bool ends_soon = owner_.is_draining_ && has_all_;
  const int64_t most = ends_soon ? std::min(rule_.timeout_ms, kGraceMs) : rule_.timeout_ms;
  owner_.wheel_.set(*this, owner_.upstreams_.now_us() / 1000 + most);
}

void Mirror::on_alarm() {
  // A client may take as long as it likes over its request.
  if (is_over() || (is_connected_ && !has_all_)) return;
  // An answer may never end: a stream of events.
  if (has_head_ && is_all_out()) {
    persists_ = false;
    return end(MirrorOutcome::sent);
  }
  give_up(owner_.is_draining_ ? MirrorOutcome::aborted : MirrorOutcome::timed_out);
}

void Mirror::run() {
  if (is_over() || !connect()) return;
  send();
  enough_ = dropped_ + kTurnBytes;
  if (read_answer()) conclude();
  if (!is_over()) connection_->save();
}

/// True: bytes can go.
bool Mirror::connect() {
  if (is_connected_) return true;
  if (target_->is_relayed) {
    ErrorCode error = ErrorCode::none;
    is_connected_ = connection_->is_greeted(error);
    if (error != ErrorCode::none) fail(error);
  } else {
    is_connected_ = connection_->is_connected() && !connection_->is_broken();
    if (connection_->is_broken()) fail(ErrorCode::upstream_refused);
  }
  return is_connected_;
}

void Mirror::send() {
  if (!is_connected_ || is_broken_) return;
  uint64_t moved = 0;
  const transfer::Backlog::Step step = backlog_.send(connection_->socket(), kTurnBytes, moved);
  sent_ += moved;
  owner_.counts_.bytes.add(moved);
  note_waiting();
  if (step == transfer::Backlog::Step::failed) {
    is_broken_ = true;  // it may have said why
    backlog_.clear();
    note_waiting();
  }
  if (step == transfer::Backlog::Step::more) owner_.run_later(*this);
}

/// Whether it is over but for what is still to be sent.
void Mirror::conclude() {
  if (!has_answer_) return;
  if (is_all_out()) return end(MirrorOutcome::sent);
  if (is_broken_ || !persists_) end(MirrorOutcome::refused);
}

/// False: it is over, or waits for more of the answer.
bool Mirror::read_answer() {
  while (!has_answer_) {
    if (!(has_head_ ? read_body() : read_head())) return false;
  }
  return true;
}

/// Receives what follows. False: there is nothing yet, or it is over.
bool Mirror::receive() {
  if (!connection_->socket().readable) return false;
  switch (connection_->fill_more()) {
    case transfer::Reader::Fill::got: return true;
    case transfer::Reader::Fill::empty: return false;
    default: break;
  }
  if (has_head_ && answer_framing_ == http::ResponseFraming::until_close) {
    has_answer_ = true;
    return true;
  }
  fail(ErrorCode::upstream_closed);
  return false;
}

bool Mirror::read_head() {
  const std::string_view unread = connection_->unread();
  if (unread.empty() || head_seen_ == unread.size()) return receive();
  if (sent_ == 0) {
    fail(ErrorCode::unexpected_response);
    return false;
  }
  http::ResponseHead& head = owner_.upstreams_.head_scratch();
  const http::ParseResult result =
      http::parse_response(unread, head_seen_, kHeadLimits, is_head_, head);
  if (result.status == http::ParseStatus::need_more) {
    head_seen_ = unread.size();
    return receive();
  }
  if (result.status == http::ParseStatus::error || !on_head(head)) {
    if (!is_over()) fail(result.error);
    return false;
  }
  head_seen_ = 0;
  dropped_ += result.consumed;
  connection_->consume(result.consumed);
  return true;
}

bool Mirror::on_head(const http::ResponseHead& head) {
  if (head.is_interim) return dropped_ <= kHeadLimits.head_bytes;
  const ErrorCode fault = connection_->speaks_for_target() ? fault_in(head) : ErrorCode::none;
  if (fault != ErrorCode::none || head.status == 101) {
    fail(fault != ErrorCode::none ? fault : ErrorCode::unexpected_upgrade);
    return false;
  }
  target_->answered(owner_.upstreams_.now_us());
  has_head_ = true;
  persists_ = head.keep_alive && head.framing != http::ResponseFraming::until_close;
  idle_ms_ = owner_.upstreams_.config(rule_.upstream).idle_ms;
  if (head.keep_alive_timeout_s >= 0) {
    idle_ms_ = std::min<int64_t>(idle_ms_, head.keep_alive_timeout_s * 1000 - kIdleMarginMs);
  }
  answer_framing_ = head.framing;
  answer_left_ = head.content_length;
  if (head.framing == http::ResponseFraming::none) has_answer_ = true;
  return true;
}

bool Mirror::read_body() {
  const bool is_known = answer_framing_ == http::ResponseFraming::length;
  // More than the connection is worth. Until it has the whole request it may want to be read.
  if (is_all_out() && dropped_ + (is_known ? answer_left_ : 0) > kAnswerBytes) {
    persists_ = false;
    has_answer_ = true;
    return true;
  }
  if (!drop_body()) return false;
  if (has_answer_) return true;
  if (dropped_ < enough_) return receive();
  owner_.run_later(*this);
  return false;
}

/// Drops what has come of the body. False: it is over.
bool Mirror::drop_body() {
  while (!has_answer_ && !connection_->unread().empty()) {
    const std::string_view unread = connection_->unread();
    uint64_t bytes = unread.size();
    if (answer_framing_ == http::ResponseFraming::length) {
      bytes = std::min(answer_left_, bytes);
      answer_left_ -= bytes;
    } else if (answer_framing_ == http::ResponseFraming::chunked) {
      const http::ChunkedDecoder::Result result = chunks_.next(unread);
      if (result.step == http::ChunkedDecoder::Step::error) {
        fail(ErrorCode::upstream_bad_body);
        return false;
      }
      has_answer_ = result.step == http::ChunkedDecoder::Step::done;
      bytes = result.consumed;
      if (result.step == http::ChunkedDecoder::Step::payload) {
        const uint64_t payload = std::min<uint64_t>(result.payload, unread.size() - bytes);
        chunks_.took(payload);
        bytes += payload;
      }
    }
    dropped_ += bytes;
    connection_->consume(bytes);
    if (bytes == 0) break;
  }
  if (answer_framing_ == http::ResponseFraming::length && answer_left_ == 0) has_answer_ = true;
  return true;
}

// Ending.

/// The mirror has not done what it should.
void Mirror::fail(ErrorCode error) {
  if (is_over()) return;
  // An idle connection that was closed just now says nothing about the target.
  const bool is_stale =
      error == ErrorCode::upstream_closed && connection_->requests() > 0 && dropped_ == 0;
  if (is_stale) return end(MirrorOutcome::failed);
  give_up(MirrorOutcome::failed);
}

/// Whatever is its target's fault counts there.
void Mirror::give_up(MirrorOutcome outcome) {
  if (is_over()) return;
  const bool is_fault = outcome == MirrorOutcome::failed || outcome == MirrorOutcome::timed_out ||
                        outcome == MirrorOutcome::behind;
  const route::Upstream& config = owner_.upstreams_.config(rule_.upstream);
  if (is_fault) target_->failed(config, owner_.upstreams_.now_us());
  end(outcome);
}

void Mirror::end(MirrorOutcome outcome) {
  if (is_over()) return;
  UpstreamConnection& connection = *std::exchange(connection_, nullptr);
  owner_.wheel_.cancel(*this);
  note_waiting();
  if (outcome == MirrorOutcome::sent) target_->succeeded(owner_.upstreams_.now_us());
  if (std::exchange(is_trial_, false)) target_->end_trial();
  owner_.upstreams_.leave(rule_.upstream, *target_);
  const bool is_clean = outcome == MirrorOutcome::sent && persists_ &&
                        connection.unread().empty() &&
                        owner_.upstreams_.config(rule_.upstream).proxy_protocol == 0;
  if (is_clean) {
    owner_.upstreams_.keep(connection, idle_ms_);
  } else {
    owner_.upstreams_.close(connection);
  }
  backlog_.clear();
  owner_.counts_.outcomes[static_cast<size_t>(outcome)].add();
  owner_.left(*this);
}

// The mirrors of one request.

MirrorFeed::~MirrorFeed() {
  for (Mirror* mirror : mirrors_) mirror->leave();
}

void MirrorFeed::complete(std::string_view end) {
  for (Mirror* mirror : mirrors_) {
    mirror->complete(end);
    mirror->leave();
  }
  mirrors_.clear();
}

bool MirrorFeed::can_tee(size_t capacity) {
  bool can = true;
  for (Mirror* mirror : mirrors_) can = mirror->can_tee(capacity) && can;
  return can;
}

void MirrorFeed::on_bytes(std::span<const iovec> parts, uint64_t total) {
  for (Mirror* mirror : mirrors_) mirror->on_bytes(parts, total);
}

void MirrorFeed::on_pipe(int read_end, uint64_t bytes) {
  for (Mirror* mirror : mirrors_) mirror->on_pipe(read_end, bytes);
}

}  // namespace sluice::proxy
