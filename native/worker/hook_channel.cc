// Links, slots and what happens when an app goes. A verdict runs its connection at once, which may
// ask again, close, or bring others to an end: nothing here is held across such a call but indices.
#include "worker/hook_channel.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "core/limits.h"
#include "net/address.h"
#include "net/sys.h"
#include "worker/worker.h"

namespace sluice::worker {

/// One connection to one app.
class HookChannel::Link final : public net::EventHandler {
 public:
  Link(HookChannel& owner, int fd) : owner_(owner), socket_{fd} {}
  ~Link() {
    if (socket_.fd >= 0) sys::close(socket_.fd);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  int fd() const { return socket_.fd; }
  std::string& outgoing() { return outgoing_; }
  size_t waiting_bytes() const { return outgoing_.size() - sent_; }
  size_t open = 0;          ///< questions that it carries
  bool is_retired = false;  ///< another one has taken its place

  void on_events(uint32_t events) override {
    if (is_gone_) return;
    socket_.on_events(events);
    if (socket_.readable && !receive()) return end();
    if (!send()) end();
  }

  /// False: it is broken.
  bool send() {
    while (waiting_bytes() > 0 && socket_.writable) {
      const ssize_t sent =
          sys::send(socket_.fd, outgoing_.data() + sent_, waiting_bytes(), MSG_NOSIGNAL);
      if (sent == -EAGAIN) {
        socket_.writable = false;
        return true;
      }
      if (sent < 0) return false;
      sent_ += static_cast<size_t>(sent);
    }
    if (sent_ >= kScratchBytes) {
      outgoing_.erase(0, sent_);
      sent_ = 0;
    }
    if (sent_ == outgoing_.size()) {
      outgoing_.clear();
      sent_ = 0;
    }
    return true;
  }

  void end() {
    if (is_gone_) return;
    is_gone_ = true;
    owner_.worker_.loop().remove(socket_.fd);
    owner_.lose(*this);
  }

 private:
  bool receive() {
    if (owner_.room_.empty()) owner_.room_.resize(kScratchBytes);
    while (socket_.readable) {
      const std::span<char> room = owner_.room_;
      const ssize_t got = sys::recv(socket_.fd, room.data(), room.size(), 0);
      socket_.on_received(got, room.size());
      if (got == -EAGAIN) return true;
      if (got <= 0) return false;
      std::string_view bytes(room.data(), static_cast<size_t>(got));
      if (!kept_.empty()) {
        kept_.append(bytes);
        bytes = kept_;
      }
      const size_t taken = take(bytes);
      if (taken == SIZE_MAX) return false;
      if (kept_.empty()) {
        kept_.assign(bytes.substr(taken));
      } else {
        kept_.erase(0, taken);
      }
      if (is_gone_) return true;
    }
    return true;
  }

  /// Hands out the whole verdicts in `bytes`; how much that was, SIZE_MAX when they make no sense.
  size_t take(std::string_view bytes) {
    size_t taken = 0;
    for (;;) {
      const ParsedVerdict parsed = parse_verdict(bytes.substr(taken));
      if (parsed.status == VerdictStatus::need_more) return taken;
      if (parsed.consumed == 0) return SIZE_MAX;
      taken += parsed.consumed;
      owner_.deliver(*this, parsed);
    }
  }

  HookChannel& owner_;
  net::SocketState socket_;
  std::string outgoing_, kept_;
  size_t sent_ = 0;
  bool is_gone_ = false;
};

HookChannel::HookChannel(Worker& worker) : worker_(worker) {}

HookChannel::~HookChannel() = default;

void HookChannel::connect_to(std::string path) {
  path_ = std::move(path);
  habits_.forget();
  if (current_ != nullptr) current_->is_retired = true;
  current_ = nullptr;
  if (!path_.empty()) try_to_connect();
  // An old one that nobody waits for has no use.
  std::vector<Link*> idle;
  for (const auto& link : links_) {
    if (link->is_retired && link->open == 0) idle.push_back(link.get());
  }
  for (Link* link : idle) link->end();
}

void HookChannel::try_to_connect() {
  net::SocketAddress address;
  if (net::to_socket_address({"", 0, path_}, address) < 0) return;
  const int fd = sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    auto link = std::make_unique<Link>(*this, fd);
    const auto* where = reinterpret_cast<const sockaddr*>(&address.storage);
    const bool is_connected = sys::connect(fd, where, address.length) == 0;
    constexpr uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    if (is_connected && worker_.loop().add(fd, kEvents, link.get()) == 0) {
      current_ = link.get();
      links_.push_back(std::move(link));
      return tell_lost(nullptr);
    }
  }
  // The app is not there any more, or has its hands full; somebody tells when there is another.
  if (open_ > 0) worker_.wheel().set(*this, worker_.now_ms() + kHookRetryMs);
}

void HookChannel::on_alarm() {
  if (current_ == nullptr && !path_.empty()) try_to_connect();
}

bool HookChannel::has_room() const {
  return open_ < kMaxHookQuestions &&
         (current_ == nullptr || current_->waiting_bytes() < kMaxHookBytes);
}

HookTicket HookChannel::enter(HookAskerSide& asker, HookKind kind) {
  uint32_t index = static_cast<uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  if (++last_serial_ == 0) last_serial_ = 1;
  slots_[index] = {&asker, last_serial_, current_, true, kind == HookKind::handler};
  if (current_ != nullptr) {
    ++current_->open;
  } else if (!path_.empty()) {
    worker_.wheel().set(*this, worker_.now_ms() + kHookRetryMs);
  }
  ++open_;
  worker_.stats().hooks_open = open_;
  return {index, last_serial_};
}

std::string& HookChannel::outgoing() { return current_->outgoing(); }

void HookChannel::leave(const HookTicket& ticket) {
  if (ticket.slot >= slots_.size()) return;
  Slot& slot = slots_[ticket.slot];
  if (slot.serial != ticket.serial || !slot.is_used) return;
  // The verdict may still come: the slot is free when nobody can mean it.
  slot.asker = nullptr;
  if (slot.link == nullptr) return free(ticket.slot);
  if (slot.is_told) append_withdrawal(ticket, slot.link->outgoing());
}

void HookChannel::free(uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.link != nullptr) --slot.link->open;
  slot = {nullptr, slot.serial, nullptr, false, false};
  free_.push_back(index);
  --open_;
  worker_.stats().hooks_open = open_;
}

void HookChannel::deliver(Link& link, const ParsedVerdict& parsed) {
  const HookTicket& ticket = parsed.ticket;
  if (ticket.slot >= slots_.size()) return;
  Slot& slot = slots_[ticket.slot];
  if (!slot.is_used || slot.serial != ticket.serial || slot.link != &link) return;
  HookAskerSide* asker = slot.asker;
  free(ticket.slot);
  if (asker != nullptr && parsed.is_outdated) {
    asker->on_question_lost(QuestionLoss::outdated);
  } else if (asker != nullptr) {
    Ref<const Verdict> verdict = parsed.verdict;
    if (parsed.status == VerdictStatus::bad) {
      Ref<Verdict> failed = make_ref<Verdict>();
      failed->kind = Verdict::Kind::failed;
      failed->remember_ms = 0;
      verdict = Ref<const Verdict>(failed.get());
    }
    asker->on_verdict(std::move(verdict));
  }
  if (link.is_retired && link.open == 0) link.end();
}

/// The link has left the loop. Those who waited on it ask again, here or when there is another.
void HookChannel::lose(Link& link) {
  if (current_ == &link) {
    current_ = nullptr;
    // Whoever supervises the app says when it is there again; until then it may be the link alone.
    if (open_ > 0) worker_.wheel().set(*this, worker_.now_ms() + kHookRetryMs);
  }
  tell_lost(&link);
  const auto found =
      std::ranges::find_if(links_, [&link](const auto& each) { return each.get() == &link; });
  if (found == links_.end()) return;
  dead_.push_back(std::move(*found));
  links_.erase(found);
}

/// Tells those whose question `link` carried; null: those whose question waits for a link.
void HookChannel::tell_lost(const Link* link) {
  const QuestionLoss why = link == nullptr ? QuestionLoss::unsent : QuestionLoss::asked;
  std::vector<HookTicket> lost;
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].is_used && slots_[i].link == link) lost.push_back({i, slots_[i].serial});
  }
  for (const HookTicket& ticket : lost) {
    const Slot slot = slots_[ticket.slot];
    if (!slot.is_used || slot.serial != ticket.serial) continue;
    free(ticket.slot);
    if (slot.asker != nullptr) slot.asker->on_question_lost(why);
  }
}

/// Retired ones, too: what was asked in the turn that brought another is for them.
void HookChannel::flush() {
  dead_.clear();
  for (size_t i = 0; i < links_.size();) {
    Link& link = *links_[i];
    if (link.send()) {
      ++i;
    } else {
      link.end();  // takes it out of the list
    }
  }
}

}  // namespace sluice::worker
