// One block is filled at a time. The alarm runs from the first line on that the writer was not
// woken for, so a worker without requests does not wake.
#include "log/access_log.h"

#include <utility>

#include "core/limits.h"

namespace sluice::log {

AccessLog::AccessLog(const Settings& settings, Writer& writer, TimerWheel& wheel, uint32_t worker)
    : writer_(writer), wheel_(wheel), worker_(worker), random_(0x9e3779b9u * (worker + 1)) {
  for (size_t i = 0; i < shares_.size(); ++i) {
    shares_[i] = static_cast<uint32_t>(settings.sample[i] * UINT32_MAX);
  }
}

void AccessLog::end(std::string_view begun, const Outcome& outcome) {
  if (!has_room(begun.size() + kMostUpstream, outcome.ended_us)) return;
  block_->size += end_record(begun, outcome, block_->bytes + block_->size);
  ++block_->lines;
}

void AccessLog::log(const Request& request, const Outcome& outcome) {
  if (!wants(outcome.status)) return;
  alone_.clear();
  const Begun begun = begin(request, alone_);
  end(alone_.part(begun.begin, begun.end), outcome);
}

bool AccessLog::has_room(size_t bytes, int64_t now_us) {
  if (block_ != nullptr && kLogBlockBytes - block_->size < bytes) {
    hand_over();
    if (waiting_ >= kLogBlocksAtOnce) flush();
  }
  if (block_ != nullptr) return true;
  block_ = writer_.take_block(worker_);
  if (block_ == nullptr) {
    dropped_.add();
    writer_.complain("its destination does not keep up", now_us);
    return false;
  }
  if (waiting_ == 0) wheel_.set(*this, now_us / 1'000 + kLogDelayMs);
  return true;
}

void AccessLog::hand_over() {
  writer_.submit(*std::exchange(block_, nullptr));
  ++waiting_;
}

void AccessLog::flush() {
  wheel_.cancel(*this);
  if (block_ != nullptr) hand_over();
  if (waiting_ > 0) writer_.wake();
  waiting_ = 0;
}

}  // namespace sluice::log
