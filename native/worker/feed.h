// Reads the one upstream of a feed (relay() routes of a name) on the worker that the first client
// came to: opens it, cuts what comes into pieces for everybody, and opens it again when it breaks.
// It is an exchange whose response goes to no client: targets, their choice, health and patience
// are those of proxy(). That worker's thread only; owned by its desk.
//
//   opening ──head──> open ──break──> away ──back-off──> opening
//      └──no answer, nobody has a stream──> over <──no client, end, outage over── (all)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/alarm.h"
#include "proxy/exchange.h"
#include "route/feed.h"
#include "transfer/piece_cutter.h"
#include "worker/feed_news.h"
#include "worker/generation.h"

namespace sluice::worker {

class Worker;

class Feed final : public proxy::Downstream, public transfer::Sink, public Alarm {
 public:
  Feed(Worker& worker, std::shared_ptr<HubChannel> channel, uint64_t epoch,
       Ref<Generation> generation);
  ~Feed();

  void begin() { open(); }
  /// Goes on after its budget of the last turn was used up.
  void run();
  /// The last client has left.
  void on_empty();
  /// The configuration goes on with `next`, which has this feed.
  void adopt(Ref<Generation> next) { generation_ = std::move(next); }
  uint64_t generation() const { return generation_->number(); }
  /// Ends now.
  void stop(ErrorCode reason);
  bool is_over() const { return is_over_; }

  void on_alarm() override;

  // proxy::Downstream: whoever asks. It has nothing to send, and takes all that comes.
  net::SocketState& socket() override { return nobody_; }
  transfer::Sink* sink() override { return this; }
  std::string_view unread() const override { return {}; }
  void consume(size_t) override {}
  Fill fill(size_t& room) override;
  void on_exchange() override { run(); }
  bool may_respond(const http::ResponseHead& head) override;
  void on_response(uint16_t) override {}
  bool may_persist() const override { return false; }
  std::string_view response_fields() const override { return {}; }
  void set_deaf(bool) override {}
  void ends(http::ProxyEnd&, http::ProxyEnd&) const override {}
  proxy::Hold hold() const override { return {}; }  // it has no mirrors

  // transfer::Sink
  void take(std::string_view bytes) override;

 private:
  void open();
  std::string request() const;
  void after(proxy::Exchange::Outcome outcome);
  void on_end(bool is_orderly, ErrorCode error);
  void on_failure(ErrorCode error);
  void go_away(ErrorCode error);
  void finish(FeedNews::Kind kind, ErrorCode error = ErrorCode::none);
  void send_pieces();
  void tell(FeedNews news);
  void complain(ErrorCode error);
  void close_exchange();
  void set_deadline();
  int64_t now_ms() const;

  Worker& worker_;
  const std::shared_ptr<HubChannel> channel_;
  const std::shared_ptr<const route::Feed> feed_;
  const uint64_t epoch_;
  Ref<Generation> generation_;
  net::SocketState nobody_;
  std::optional<proxy::Exchange> exchange_;
  transfer::PieceCutter cutter_;
  transfer::PieceCutter::Emit add_;
  std::vector<Ref<const transfer::Message>> pieces_;  ///< of this turn
  ErrorCode bad_answer_ = ErrorCode::none;
  bool is_end_ = false;         ///< the answer says that there is no more
  bool is_open_ = false;        ///< its answer is being read
  bool has_opened_ = false;     ///< some client may have a stream
  bool ends_by_close_ = false;  ///< how that ends says nothing
  bool is_over_ = false;
  uint32_t failures_ = 0;  ///< in a row
  int64_t opened_ms_ = 0;
  int64_t away_ms_ = 0;      ///< since when nothing came; 0: it is open
  int64_t retry_at_ms_ = 0;  ///< when it is opened again; 0: it is not away
  int64_t close_at_ms_ = 0;  ///< when it closes if nobody has come; 0: somebody is there
};

}  // namespace sluice::worker
