// Parking and resuming. A question stays open until it is answered even when every client that
// waited has gone: the answer is remembered for the next.
#include "worker/questions.h"

#include "core/limits.h"
#include "files/opener.h"
#include "net/io_threads.h"
#include "worker/worker.h"

namespace sluice::worker {

Questions::Pending* Questions::park(files::PathKeyView key, uint64_t ticket, bool& is_new) {
  auto known = by_key_.find(key);
  is_new = known == by_key_.end();
  if (parked_ >= kMaxParked || (is_new && pending_.size() >= kMaxQuestions)) return nullptr;
  uint64_t id = is_new ? next_id_++ : known->second;
  Pending& pending = pending_[id];
  if (is_new) {
    pending.key = {key.route, std::string(key.path)};
    by_key_.emplace(pending.key, id);
  }
  pending.waiting.push_back(ticket);
  ++parked_;
  worker_.stats().parked.add();
  return &pending;
}

bool Questions::ask(files::PathKeyView key, uint64_t ticket) {
  bool is_new = false;
  Pending* pending = park(key, ticket, is_new);
  if (pending == nullptr) return false;
  if (is_new) emit_question(next_id_ - 1, pending->key);
  return true;
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

bool Questions::look_again(files::PathKeyView key, files::Answer& answer, uint64_t ticket) {
  bool is_new = false;
  if (park(key, ticket, is_new) == nullptr) return false;
  if (!is_new) return true;
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
  parked_ -= pending.waiting.size();
  worker_.stats().parked.subtract(pending.waiting.size());
  for (uint64_t ticket : pending.waiting) worker_.resume(ticket, answer);
}

}  // namespace sluice::worker
