// Keys are the parts one after the other, each behind its length, so that no two requests have the
// same. Memory is bounded by entries and by bytes: strangers choose targets and credentials.
#include "worker/hook_memory.h"

#include "core/hash.h"
#include "core/limits.h"
#include "http/chars.h"

namespace sluice::worker {
namespace {

constexpr size_t kMostBytes = 16 * 1024 * 1024;
constexpr size_t kMostCost = 64 * 1024;  // of one entry

void append_number(size_t number, std::string& out) {
  const auto bytes = static_cast<uint32_t>(number);
  out.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
}

void append_part(std::string_view part, std::string& out) {
  append_number(part.size(), out);
  out.append(part);
}

}  // namespace

bool HookMemory::make_key(uint32_t version, uint32_t route, uint16_t step,
                          const http::RequestHead& head, const std::vector<std::string>& by) {
  key_.clear();
  append_number(version, key_);
  append_number(route, key_);
  append_number(step, key_);
  append_part(head.method_text, key_);
  append_part(head.host, key_);
  append_part(head.port, key_);
  append_part(head.target, key_);
  for (const std::string& name : by) {
    for (size_t i = 0; i < head.field_count; ++i) {
      const http::Field& field = head.fields[i];
      if (http::equals_ignoring_case(field.name, name)) append_part(field.value, key_);
    }
    append_number(UINT32_MAX, key_);  // no part is so long
  }
  hash_ = hash_bytes(key_, hash_seed());
  return key_.size() <= kMaxVerdictKey;
}

HookMemory::Entry* HookMemory::set_of(uint64_t hash) {
  return &entries_[hash % (kMaxVerdicts / kWays) * kWays];
}

HookMemory::Found HookMemory::find(int64_t now_ms) const {
  if (entries_.empty()) return {};
  const Entry* set = const_cast<HookMemory*>(this)->set_of(hash_);
  for (size_t i = 0; i < kWays; ++i) {
    const Entry& entry = set[i];
    if (entry.hash != hash_ || entry.expires_ms <= now_ms || entry.key != key_) continue;
    return {true, entry.verdict};
  }
  return {};
}

void HookMemory::insert(Ref<const Verdict> verdict, int64_t now_ms, int64_t expires_ms) {
  if (entries_.empty()) entries_.resize(kMaxVerdicts);
  Entry made{hash_, expires_ms, key_, std::move(verdict)};
  if (made.cost() > kMostCost) return;
  if (bytes_ + made.cost() > kMostBytes) clear();
  Entry* set = set_of(hash_);
  Entry* place = &set[0];
  for (size_t i = 0; i < kWays; ++i) {
    Entry& entry = set[i];
    const bool is_same = entry.hash == hash_ && entry.key == key_;
    if (is_same || entry.expires_ms <= now_ms) {
      place = &entry;
      if (is_same) break;
    } else if (place->expires_ms > now_ms && entry.expires_ms < place->expires_ms) {
      place = &entry;
    }
  }
  if (place->expires_ms != 0) {
    bytes_ -= place->cost();
    --size_;
  }
  bytes_ += made.cost();
  ++size_;
  *place = std::move(made);
}

void HookMemory::clear() {
  entries_.assign(kMaxVerdicts, {});
  size_ = 0;
  bytes_ = 0;
}

}  // namespace sluice::worker
