// Parking and resuming. A question stays open until it is answered even when every client that
// waited has gone: the answer is remembered for the next.
#include "worker/questions.h"

#include <algorithm>

#include "core/limits.h"
#include "files/opener.h"
#include "net/io_threads.h"
#include "worker/worker.h"

namespace sluice::worker {

/// The id of a question that is asked first is next_id_ - 1.
Questions::Parked Questions::park(files::PathKeyView key, const AddressKey& address,
                                  uint64_t ticket) {
  if (parked_ >= kMaxParked) return Parked::refused;
  const auto is_gone = [this](uint64_t left) { return !worker_.awaits(left); };
  const auto known = by_key_.find(key);
  const bool is_new = known == by_key_.end();
  const AddressKey share = QuestionLines::share_of(address);
  ++parked_;
  worker_.stats().parked.add();
  if (is_new && (pending_.size() >= kMaxQuestions || !lines_.has_room(share))) {
    lines_.wait(share, ticket, is_gone);
    return Parked::in_line;
  }
  Pending& pending = pending_[is_new ? next_id_++ : known->second];
  if (is_new) {
    pending.key = {key.route, std::string(key.path)};
    pending.share = share;
    by_key_.emplace(pending.key, next_id_ - 1);
    lines_.opened(share);
  }
  // Those who left are dropped now and then, so that coming and leaving costs no memory.
  if (pending.waiting.size() >= kMaxParked) std::erase_if(pending.waiting, is_gone);
  pending.waiting.push_back(ticket);
  return is_new ? Parked::first : Parked::with_others;
}

bool Questions::ask(files::PathKeyView key, const AddressKey& address, uint64_t ticket) {
  const Parked parked = park(key, address, ticket);
  if (parked == Parked::first) emit_question(next_id_ - 1, pending_[next_id_ - 1].key);
  return parked != Parked::refused;
}

void Questions::emit_question(uint64_t id, const files::PathKey& key) {
  worker_.stats().questions.add();
  worker_.flush_touched();
  CoreEvent event;
  event.kind = CoreEvent::Kind::question;
  event.worker = worker_.index();
  event.id = id;
  event.route = key.route;
  event.text = key.path;
  worker_.sink().emit(std::move(event));
}

namespace {

/// On an I/O thread. What cannot be told (no descriptors, a failing disk) counts as unchanged: a
/// shortage must not make everything stale at once.
bool is_unchanged(const std::vector<files::Look>& looks) {
  for (const files::Look& look : looks) {
    int error = 0;
    files::Identity identity = files::identify(look, &error);
    if (error == 0 && identity != look.identity) return false;
  }
  return true;
}

}  // namespace

bool Questions::look_again(files::PathKeyView key, files::Answer& answer, const AddressKey& address,
                           uint64_t ticket) {
  const Parked parked = park(key, address, ticket);
  if (parked != Parked::first) return parked != Parked::refused;
  uint64_t id = next_id_ - 1;
  // The answer's looks are immutable, so the I/O thread may read them while we go on.
  auto job = [this, id, held = Ref<files::Answer>(&answer)]() mutable {
    bool unchanged = is_unchanged(held->looks);
    worker_.post([this, id, held = std::move(held), unchanged](Worker&) mutable {
      on_looked(id, std::move(held), unchanged);
    });
  };
  size_t lane = answer.looks.empty() ? 0 : files::lane_of(answer.looks[0].root);
  if (worker_.io().post(std::move(job), lane)) return true;
  // Too busy to look: what is remembered goes on, one trust period longer. Not now but in the next
  // turn, since the caller has not parked yet.
  worker_.post([this, id, held = Ref<files::Answer>(&answer)](Worker&) mutable {
    on_looked(id, std::move(held), true);
  });
  return true;
}

void Questions::on_looked(uint64_t id, Ref<files::Answer> answer, bool unchanged) {
  auto found = pending_.find(id);
  if (found == pending_.end()) return;
  if (unchanged && !answer->young && !answer->has_changed()) {
    answer->checked_us = worker_.now_us();
    worker_.stats().remembered.add(found->second.waiting.size());
    return finish(id, answer);
  }
  worker_.drop_stale(answer->id);
  emit_question(id, found->second.key);
}

void Questions::on_answer(uint64_t id, Ref<files::Answer> answer) {
  auto found = pending_.find(id);
  if (found == pending_.end()) return;
  if (!answer->grounds.has_changed) answer->checked_us = worker_.now_us();
  if (answer->remember) worker_.remember(found->second.key, answer);
  finish(id, answer);
}

void Questions::finish(uint64_t id, const Ref<files::Answer>& answer) {
  auto found = pending_.find(id);
  Pending pending = std::move(found->second);
  by_key_.erase(pending.key);
  pending_.erase(found);
  lines_.closed(pending.share);
  for (uint64_t ticket : pending.waiting) worker_.resume(ticket, answer);
  admit();
}

/// Lets those in line ask, as far as there is room: they are handled again from their head on.
void Questions::admit() {
  while (pending_.size() < kMaxQuestions) {
    const std::optional<uint64_t> ticket = lines_.next();
    if (!ticket) return;
    worker_.resume(*ticket, {});
  }
}

void Questions::leave() {
  --parked_;
  worker_.stats().parked.subtract();
}

}  // namespace sluice::worker
