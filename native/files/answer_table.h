// A worker's table of remembered answers: (route, path) → answer. One thread. Bounded by
// TypeScript, which forgets by id; kMaxAnswers is the backstop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/hash.h"
#include "core/ref.h"
#include "files/answer.h"

namespace sluice::files {

/// What one path of one route is remembered under.
struct PathKey {
  uint32_t route;
  std::string path;
};

/// The same, for looking up without a copy.
struct PathKeyView {
  uint32_t route;
  std::string_view path;
};

struct PathKeyHash {
  using is_transparent = void;
  size_t operator()(const PathKeyView& key) const {
    return hash_bytes(key.path, hash_seed() + key.route);
  }
  size_t operator()(const PathKey& key) const { return (*this)(PathKeyView{key.route, key.path}); }
};

struct PathKeyEqual {
  using is_transparent = void;
  template <typename Left, typename Right>
  bool operator()(const Left& left, const Right& right) const {
    return left.route == right.route && left.path == right.path;
  }
};

template <typename Value>
using PathMap = std::unordered_map<PathKey, Value, PathKeyHash, PathKeyEqual>;

class AnswerTable {
 public:
  /// Null when not remembered. Valid until the table changes.
  Answer* find(PathKeyView key) const;
  /// Replaces what was remembered there. Ignored when the table is full.
  void insert(PathKeyView key, Ref<Answer> answer);
  /// Drops the answer with this id, if it is here.
  void forget(uint64_t id);
  void clear();
  size_t size() const { return answers_.size(); }

 private:
  PathMap<Ref<Answer>> answers_;
  std::unordered_map<uint64_t, PathMap<Ref<Answer>>::value_type*> by_id_;
};

}  // namespace sluice::files
