// A mirror is destroyed when it is over and nobody feeds it any more, at the end of a turn: until
// then events and timers may still name it.
#include "proxy/mirrors.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sluice::proxy {

Mirrors::~Mirrors() {
  stop();
  run();
}

/// Where every target is ejected none gets the request: a mirror is not tried for want of a better.
Upstreams::Chosen Mirrors::choose(const route::MirrorRule& rule, const Selection& selection) {
  if (totals_->in_flight.load(std::memory_order_relaxed) >= limits_.requests) {
    counts_.outcomes[static_cast<size_t>(MirrorOutcome::limited)].add();
    return {};
  }
  Upstreams::Chosen chosen = upstreams_.choose(rule.upstream, selection);
  const bool is_ejected = chosen.target != nullptr && !chosen.is_trial &&
                          chosen.target->is_ejected(upstreams_.now_us());
  if (is_ejected) upstreams_.leave(rule.upstream, *std::exchange(chosen.target, nullptr));
  if (chosen.target == nullptr) {
    counts_.outcomes[static_cast<size_t>(MirrorOutcome::unavailable)].add();
  }
  return chosen;
}

Mirror* Mirrors::begin(const route::MirrorRule& rule, const Upstreams::Chosen& chosen,
                       MirrorRequest request) {
  Target& target = *chosen.target;
  const route::Upstream& config = upstreams_.config(rule.upstream);
  target.requests.fetch_add(1, std::memory_order_relaxed);
  // It is sent once: a connection that may be gone is not for it.
  UpstreamConnection* connection =
      config.proxy_protocol == 0 ? upstreams_.take_idle(rule.upstream, target, true) : nullptr;
  int error = 0;
  if (connection == nullptr) connection = upstreams_.connect(rule.upstream, target, error);
  if (connection == nullptr) {
    const bool is_refused = error == -ECONNREFUSED || error == -ENOENT || error == -EACCES ||
                            error == -ENETUNREACH || error == -EHOSTUNREACH || error == -EAGAIN;
    if (is_refused) target.failed(config, upstreams_.now_us());
    if (chosen.is_trial) target.end_trial();
    upstreams_.leave(rule.upstream, target);
    const MirrorOutcome outcome = is_refused ? MirrorOutcome::failed : MirrorOutcome::limited;
    counts_.outcomes[static_cast<size_t>(outcome)].add();
    return nullptr;
  }
  Mirror* mirror = slab_.create(*this, rule, std::move(request), Ref<Target>(&target),
                                chosen.is_trial, *connection);
  upstreams_.use(*connection, *mirror);
  mirror->index_ = all_.size();
  all_.push_back(mirror);
  totals_->in_flight.fetch_add(1, std::memory_order_relaxed);
  counts_.in_flight.add();
  mirror->set_deadline();
  run_later(*mirror);
  return mirror;
}

void Mirrors::run_later(Mirror& mirror) {
  if (std::exchange(mirror.is_queued_, true)) return;
  ready_.push_back(&mirror);
}

/// It is over: no connection, no timer, nothing that waits.
void Mirrors::left(Mirror& mirror) {
  totals_->in_flight.fetch_sub(1, std::memory_order_relaxed);
  counts_.in_flight.subtract();
  run_later(mirror);
}

void Mirrors::run() {
  if (ready_.empty()) return;
  std::vector<Mirror*> ready;
  ready.swap(ready_);
  for (Mirror* mirror : ready) {
    mirror->is_queued_ = false;
    mirror->run();
    // One that is over but still fed is buried when it is left.
    if (mirror->is_over() && !mirror->is_fed_ && !mirror->is_queued_) bury(*mirror);
  }
  // Those that ended in this round.
  std::erase_if(ready_, [this](Mirror* mirror) {
    if (!mirror->is_over()) return false;
    mirror->is_queued_ = false;
    if (!mirror->is_fed_) bury(*mirror);
    return true;
  });
}

void Mirrors::bury(Mirror& mirror) {
  all_.back()->index_ = mirror.index_;
  std::swap(all_[mirror.index_], all_.back());
  all_.pop_back();
  slab_.destroy(&mirror);
}

void Mirrors::drain() {
  is_draining_ = true;
  for (Mirror* mirror : all_) {
    if (!mirror->is_over()) mirror->set_deadline();
  }
}

void Mirrors::stop() {
  for (Mirror* mirror : all_) mirror->end(MirrorOutcome::aborted);
}

void Mirrors::end_generation(uint64_t number) {
  for (Mirror* mirror : all_) {
    if (mirror->generation() == number) mirror->end(MirrorOutcome::aborted);
  }
}

}  // namespace sluice::proxy
