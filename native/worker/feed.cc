// The life of a feed. What an exchange says is turned into news for all workers; those who are sent
// the stream learn of a break only when it lasts too long.
#include "worker/feed.h"

#include <algorithm>

#include "http/chars.h"
#include "http/request_parser.h"
#include "net/network.h"
#include "worker/worker.h"

namespace sluice::worker {

using proxy::Exchange;
using Outcome = proxy::Exchange::Outcome;

namespace {

/// From one try to the next after a break: doubled each time up to the most. An upstream that lived
/// for a while begins anew.
constexpr int64_t kFirstDelayMs = 100;
constexpr int64_t kMostDelayMs = 10'000;
constexpr int64_t kSteadyMs = 5'000;
/// `retry` of an event stream counts as this at most.
constexpr int64_t kMostRetryMs = 60'000;
/// Events and lines are held until they are whole, up to a share of the buffer.
constexpr uint64_t kWholeShare = 4;
constexpr uint64_t kMostWhole = 1024 * 1024;

size_t whole_bytes(const HubChannel& channel) {
  return static_cast<size_t>(std::min(channel.buffer_bytes() / kWholeShare, kMostWhole));
}

/// Whether it can stand in a field as it is.
bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string_view media_type(std::string_view value) {
  return http::trim_white_space(value.substr(0, value.find(';')));
}

/// Late joiners could not read what was encoded from the beginning on.
bool is_fit(const http::ResponseHead& head, transfer::Cut cut) {
  const std::string_view encoding = head.find("content-encoding");
  if (head.status != 200) return false;
  if (!encoding.empty() && !http::equals_ignoring_case(encoding, "identity")) return false;
  const std::string_view type = media_type(head.find("content-type"));
  return cut != transfer::Cut::event || http::equals_ignoring_case(type, "text/event-stream");
}

}  // namespace

Feed::Feed(Worker& worker, std::shared_ptr<HubChannel> channel, uint64_t epoch,
           Ref<Generation> generation)
    : worker_(worker),
      channel_(std::move(channel)),
      feed_(channel_->feed()),
      epoch_(epoch),
      generation_(std::move(generation)),
      cutter_(feed_->cut, feed_->marker, whole_bytes(*channel_)),
      add_([this](const transfer::PieceCutter::Part& part) {
        pieces_.push_back(channel_->add_piece(part));
      }) {
  nobody_.readable = false;
}

Feed::~Feed() {
  close_exchange();
  worker_.wheel().cancel(*this);
}

int64_t Feed::now_ms() const { return worker_.now_ms(); }

transfer::Reader::Fill Feed::fill(size_t& room) {
  room = 0;
  return Fill::empty;
}

std::string Feed::request() const {
  std::string head("GET ");
  head.append(feed_->path).append(" HTTP/1.1\r\nHost: -\r\nAccept: ").append(feed_->accept);
  head.append("\r\nAccept-Encoding: identity\r\n");
  if (feed_->cut == transfer::Cut::event) {
    head.append("Cache-Control: no-store\r\n");
    if (const std::string& id = cutter_.last_id(); !id.empty() && is_field_value(id)) {
      head.append("Last-Event-ID: ").append(id).append("\r\n");
    }
  }
  return head.append("\r\n");
}

void Feed::open() {
  retry_at_ms_ = 0;
  bad_answer_ = ErrorCode::none;
  is_end_ = false;
  const std::string text = request();
  const auto head = std::make_unique<http::RequestHead>();  // that of the worker is in use
  const http::HeadLimits limits{1024 * 1024, 1024 * 1024, http::kMaxFields};
  if (http::parse_request(text, 0, limits, *head).status != http::ParseStatus::ok) {
    return finish(FeedNews::Kind::failed, ErrorCode::internal_error);
  }
  char id[kRequestIdBytes];
  proxy::Asker asker;
  asker.request_id = worker_.next_request_id(id);
  exchange_.emplace(feed_->proxy, worker_.upstreams(), *this, worker_.exchange_limits(false));
  exchange_->begin(*head, route::Match(), asker, false);
  run();
}

void Feed::run() {
  if (is_over_ || !exchange_) return;
  Outcome outcome = exchange_->advance(worker_.outbox().date_field());
  if (bad_answer_ != ErrorCode::none) outcome = exchange_->give_up(bad_answer_);
  send_pieces();
  after(outcome);
}

void Feed::after(Outcome outcome) {
  const ErrorCode error = exchange_->error();
  switch (outcome) {
    case Outcome::waiting: break;
    case Outcome::more:
      worker_.post([channel = channel_](Worker& there) { there.run_feed(channel); });
      break;
    case Outcome::answered:
      on_end(!ends_by_close_ && feed_->cut != transfer::Cut::event, ErrorCode::upstream_cut_body);
      break;
    case Outcome::cut: on_end(false, error); break;
    case Outcome::refused: is_end_ ? on_end(true, ErrorCode::none) : on_failure(error); break;
    default: on_failure(ErrorCode::internal_error); break;
  }
  if (!is_over_) set_deadline();
}

/// The answer is there: it is for everybody.
bool Feed::may_respond(const http::ResponseHead& head) {
  // As EventSource has it, where an event stream was before: do not come again.
  is_end_ = head.status == 204 && has_opened_ && feed_->cut == transfer::Cut::event;
  if (is_end_ || !is_fit(head, feed_->cut)) {
    bad_answer_ = ErrorCode::unfit_stream;
    return false;
  }
  ends_by_close_ = head.framing == http::ResponseFraming::until_close;
  proxy::ResponseShape shape;
  shape.inbound = transfer::Inbound::until_end;
  FeedNews news;
  news.kind = FeedNews::Kind::opened;
  proxy::append_response_head(head, feed_->proxy, shape, news.head);
  news.head.resize(news.head.size() - 2);  // the empty line
  is_open_ = has_opened_ = true;
  opened_ms_ = now_ms();
  away_ms_ = 0;
  channel_->counts.connections.fetch_add(1);
  channel_->counts.opened.fetch_add(1);
  cutter_.restart();
  tell(std::move(news));
  return true;
}

void Feed::take(std::string_view bytes) { cutter_.take(bytes, add_); }

void Feed::send_pieces() {
  if (pieces_.empty()) return;
  FeedNews news;
  news.messages = std::exchange(pieces_, {});
  tell(std::move(news));
}

void Feed::tell(FeedNews news) {
  news.epoch = epoch_;
  channel_->tell(std::make_shared<const FeedNews>(std::move(news)));
}

/// The upstream's stream is over.
void Feed::on_end(bool is_orderly, ErrorCode error) {
  if (is_orderly) {
    cutter_.finish(add_);
    send_pieces();
    return finish(FeedNews::Kind::ended);
  }
  complain(error);
  if (now_ms() - opened_ms_ >= kSteadyMs) failures_ = 0;
  go_away(error);
}

/// There was no answer, or none that can be passed on.
void Feed::on_failure(ErrorCode error) {
  complain(error);
  if (!has_opened_) return finish(FeedNews::Kind::failed, error);
  FeedNews news;
  news.kind = FeedNews::Kind::failed;
  news.error = error;
  tell(std::move(news));
  go_away(error);
}

/// Those who have a stream keep it for a while, in which the upstream may come back.
void Feed::go_away(ErrorCode error) {
  close_exchange();
  // What was not whole is nobody's.
  feed_->cut == transfer::Cut::marker ? cutter_.finish(add_) : cutter_.restart();
  send_pieces();
  if (away_ms_ == 0) away_ms_ = now_ms();
  if (now_ms() - away_ms_ >= feed_->outage_ms) return finish(FeedNews::Kind::broken, error);
  const int64_t doubled = kFirstDelayMs << std::min<uint32_t>(failures_++, 10);
  const int64_t wanted = std::min(cutter_.retry_ms(), kMostRetryMs);
  retry_at_ms_ = now_ms() + std::max(std::min(doubled, kMostDelayMs), wanted);
}

/// The next client begins anew.
void Feed::finish(FeedNews::Kind kind, ErrorCode error) {
  channel_->seat().give_up();
  is_over_ = true;
  close_exchange();
  worker_.wheel().cancel(*this);
  FeedNews news;
  news.kind = kind;
  news.error = error;
  tell(std::move(news));
  worker_.post([channel = channel_](Worker& there) { there.remove_feed(channel); });
}

void Feed::stop(ErrorCode reason) {
  if (!is_over_) finish(FeedNews::Kind::broken, reason);
}

void Feed::close_exchange() {
  if (std::exchange(is_open_, false)) channel_->counts.connections.fetch_sub(1);
  exchange_.reset();
}

/// What went wrong is for the operator to know, a line a second at most.
void Feed::complain(ErrorCode error) {
  // Those who wait for it are told, and counted.
  if (has_opened_) worker_.stats().errors[static_cast<size_t>(error)].add();
  if (!worker_.may_report(error)) return;
  const ErrorInfo& info = error_info(error);
  std::string message =
      "relay of upstream " + worker_.upstreams().config(feed_->proxy.upstream).name;
  if (exchange_ && !exchange_->target_name().empty()) {
    message.append(" (").append(exchange_->target_name()).append(")");
  }
  worker_.fault(info.name.data(), message.append(": ").append(info.meaning));
}

void Feed::on_empty() {
  if (is_over_) return;
  close_at_ms_ = now_ms() + feed_->linger_ms;
  set_deadline();
}

void Feed::set_deadline() {
  int64_t deadline = TimerWheel::kNever;
  if (exchange_) deadline = exchange_->deadline_ms();
  if (retry_at_ms_ != 0) deadline = std::min(deadline, retry_at_ms_);
  if (close_at_ms_ != 0) deadline = std::min(deadline, close_at_ms_);
  if (away_ms_ != 0) deadline = std::min(deadline, away_ms_ + feed_->outage_ms);
  if (deadline == TimerWheel::kNever) return worker_.wheel().cancel(*this);
  worker_.wheel().set(*this, deadline);
}

void Feed::on_alarm() {
  if (is_over_) return;
  if (close_at_ms_ != 0 && now_ms() >= close_at_ms_) {
    close_at_ms_ = 0;
    if (channel_->seat().leave_if_empty()) return finish(FeedNews::Kind::closed);
  }
  if (away_ms_ != 0 && now_ms() >= away_ms_ + feed_->outage_ms) {
    return finish(FeedNews::Kind::broken, ErrorCode::upstream_cut_body);
  }
  if (exchange_ && now_ms() >= exchange_->deadline_ms()) {
    const Outcome outcome = exchange_->on_deadline();
    if (outcome == Outcome::more) return run();
    return after(outcome);
  }
  if (retry_at_ms_ != 0 && now_ms() >= retry_at_ms_) {
    channel_->counts.reconnects.fetch_add(1);
    return open();
  }
  set_deadline();
}

}  // namespace sluice::worker
