// The ends of heads, rebuilt once a second.
#include "worker/outbox.h"

#include "http/date.h"
#include "http/response_head.h"

namespace sluice::worker {

void Outbox::set_date(int64_t wall_s, std::string_view server_field) {
  char date[http::kDateBytes];
  http::format_date(wall_s, date);
  date_field_.clear();
  http::append_field(date_field_, "Date", {date, sizeof date});
  std::string common = date_field_;
  common.append(server_field);
  implied_ = common + "\r\n";
  keep_alive_ = common + "Connection: keep-alive\r\n\r\n";
  close_ = common + "Connection: close\r\n\r\n";
}

void Outbox::finish_head(Persistence persistence) {
  switch (persistence) {
    case Persistence::implied: return append(implied_);
    case Persistence::keep_alive: return append(keep_alive_);
    case Persistence::close: return append(close_);
  }
}

}  // namespace sluice::worker
