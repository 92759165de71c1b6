// The table and its index by id. The index holds pointers to elements: a rehash of an unordered_map
// invalidates its iterators, never the elements themselves.
#include "files/answer_table.h"

#include "core/limits.h"

namespace sluice::files {

Answer* AnswerTable::find(PathKeyView key) const {
  auto found = answers_.find(key);
  return found == answers_.end() ? nullptr : found->second.get();
}

void AnswerTable::insert(PathKeyView key, Ref<Answer> answer) {
  if (auto old = answers_.find(key); old != answers_.end()) forget(old->second->id);
  if (answers_.size() >= kMaxAnswers) return;
  uint64_t id = answer->id;
  auto [place, added] =
      answers_.emplace(PathKey{key.route, std::string(key.path)}, std::move(answer));
  if (added) by_id_[id] = &*place;
}

void AnswerTable::forget(uint64_t id) {
  auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  const PathKey& key = found->second->first;
  answers_.erase(answers_.find(PathKeyView{key.route, key.path}));
  by_id_.erase(found);
}

void AnswerTable::clear() {
  by_id_.clear();
  answers_.clear();
}

}  // namespace sluice::files
