// A connection that is to be sent a feed: it waits until the upstream has answered and is handled
// again then; its stream is that of a channel (connection_channel.cc).
#include "http/chunked_encoder.h"
#include "worker/connection.h"
#include "worker/worker.h"

namespace sluice::worker {

/// So many who have gone may be in the list of those who wait, beside as many as are there.
constexpr size_t kFewGone = 64;

bool Connection::serve_feed(const http::RequestHead& head, const route::ChannelAction& action,
                            const route::Match& match) {
  ChannelDesk& desk = worker_.desk(action.channel);
  if (head.method == http::Method::head) {
    files::Reply reply;
    reply.status = 200;
    reply.built.append(desk.head.empty() ? action.head : desk.head);
    reply.head = reply.built;
    return respond(reply, match.route);
  }
  if (head.method != http::Method::get) {
    return refuse(ErrorCode::method_not_allowed, match.route, "Allow: GET, HEAD\r\n");
  }
  if (const ErrorCode error = std::exchange(feed_error_, ErrorCode::none);
      error != ErrorCode::none) {
    place_.reset();
    return refuse(error, match.route);
  }
  // A place of before may be at a feed that is over.
  const FeedSeat::Place place = desk.hub->seat().enter(worker_.index());
  place_ = std::make_unique<FeedPlace>(desk.hub, place.epoch);
  if (place.has_to_read) {
    desk.epoch = place.epoch;
    desk.head.clear();
    if (desk.listeners.empty()) desk.ring.clear();
    worker_.open_feed(desk, place.epoch);
  }
  if (desk.head.empty()) return await_feed(action, match);
  const std::string lines = desk.head;
  const bool goes_on = begin_stream(head, action, match, lines);
  // A hook is asked, or answers instead: it comes again if it is to.
  place_.reset();
  return goes_on;
}

/// Until the upstream has answered, or has not.
bool Connection::await_feed(const route::ChannelAction& action, const route::Match& match) {
  if (Sent sent = flush(false); sent != Sent::all) {
    if (sent == Sent::blocked) transit(Event::block);
    forget_request();
    return false;
  }
  const uint64_t parked = worker_.stats().states[static_cast<size_t>(State::awaiting_feed)].get();
  if (parked >= kMaxParked) {
    place_.reset();
    return refuse(ErrorCode::too_many_questions, match.route);
  }
  std::vector<ChannelDesk::Waiting>& waiting = worker_.desk(action.channel).waiting;
  if (waiting.size() > 2 * parked + kFewGone) {
    std::erase_if(waiting, [this](const auto& each) { return !worker_.awaits(each.ticket); });
  }
  ticket_ = worker_.next_ticket();
  worker_.await_answer(ticket_, *this);
  waiting.push_back({ticket_, place_->epoch()});
  transit(Event::attend);
  return false;
}

void Connection::feed_ready(ErrorCode error, const Ref<Generation>& parked_on) {
  if (state_ != State::awaiting_feed) return;
  transit(Event::answered);
  was_in_line_ = true;
  // What breaks a stream may have no status: who waits for one is told that there was no answer.
  const bool has_answer = error == ErrorCode::none || error_info(error).status != 0;
  feed_error_ = has_answer ? error : ErrorCode::upstream_closed;
  drive(parked_on);
}

void Connection::on_feed_end(uint64_t epoch, uint64_t last, ErrorCode error) {
  if (state_ != State::streaming || !streaming_->place) return;
  if (streaming_->place->epoch() > epoch) return;
  streaming_->is_over = true;
  streaming_->last = last;
  streaming_->end_error = error;
  on_message();
}

/// It has all that there was. Always true, or the connection is closed.
bool Connection::end_feed_stream() {
  Streaming& stream = *streaming_;
  const bool is_drained = stream.end_error == ErrorCode::draining && !stream.is_within;
  if (stream.end_error == ErrorCode::none || is_drained) {
    stream.is_ending = true;
    if (stream.is_chunked) stream.pending.assign(http::kLastChunk);
    return true;
  }
  if (!stream.is_chunked) reset();  // a FIN would say that this was all
  close(stream.end_error);
  return false;
}

}  // namespace sluice::worker
