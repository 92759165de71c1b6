// A line exists as long as somebody stands in it or a question of its address is open.
#include "worker/question_lines.h"

#include <algorithm>

#include "core/limits.h"

namespace sluice::worker {

AddressKey QuestionLines::share_of(const AddressKey& address) {
  const bool is_ipv4 = address.high == 0 && (address.low >> 32) == 0xffff;
  return is_ipv4 ? address : AddressKey{address.high, 0};
}

bool QuestionLines::has_room(const AddressKey& share) const {
  if (share == AddressKey{}) return true;
  const auto line = lines_.find(share);
  return line == lines_.end() || line->second.open < kQuestionsPerAddress;
}

void QuestionLines::opened(const AddressKey& share) { ++lines_[share].open; }

void QuestionLines::closed(const AddressKey& share) {
  const auto line = lines_.find(share);
  if (--line->second.open == 0 && !line->second.has_turn) lines_.erase(line);
}

void QuestionLines::wait(const AddressKey& share, uint64_t ticket,
                         const std::function<bool(uint64_t)>& is_gone) {
  Line& line = lines_[share];
  if (line.tickets.size() >= line.tidy_at) {
    std::erase_if(line.tickets, is_gone);
    line.tidy_at = std::max<size_t>(1024, 2 * line.tickets.size());
  }
  line.tickets.push_back(ticket);
  if (line.has_turn) return;
  line.has_turn = true;
  turns_.push_back(share);
}

std::optional<uint64_t> QuestionLines::next() {
  for (size_t i = turns_.size(); i > 0; --i) {
    const AddressKey share = turns_.front();
    turns_.pop_front();
    if (!has_room(share)) {
      turns_.push_back(share);
      continue;
    }
    const auto place = lines_.find(share);
    Line& line = place->second;
    std::optional<uint64_t> ticket;
    if (!line.tickets.empty()) {
      ticket = line.tickets.front();
      line.tickets.pop_front();
    }
    line.has_turn = !line.tickets.empty();
    if (line.has_turn) {
      turns_.push_back(share);
    } else if (line.open == 0) {
      lines_.erase(place);
    }
    if (ticket) return ticket;
  }
  return std::nullopt;
}

}  // namespace sluice::worker
