// The index of watches, the thread that reads inotify, and what an event does. The way from a path
// to the directories that are watched is in freshness_trace.cc.
// The order that everything rests on: a directory is in the tree before anything in it is looked
// at. An event that nobody finds a watch for came before, so the look sees what it was about.
#include "files/freshness.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "net/sys.h"

namespace sluice::files {
namespace {

constexpr size_t kTidyFirst = 1024;
constexpr size_t kEventBytes = 64 * 1024;

std::string key_of(const std::string& root, const std::string& path) {
  return std::string(root).append(1, '\0').append(path);
}

}  // namespace

Freshness::Freshness(FreshnessListener listener, size_t max_folders)
    : listener_(std::move(listener)), max_folders_(max_folders), tidy_at_(kTidyFirst) {
  const int inotify = sys::inotify_init(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify < 0) {
    complain(-inotify);
    return;
  }
  loop_ = std::make_unique<net::EventLoop>();
  if (loop_->error() != 0 || loop_->add(inotify, EPOLLIN, this) < 0) {
    sys::close(inotify);
    return;
  }
  inotify_ = inotify;
  buffer_.resize(kEventBytes);
  thread_ = std::thread([this] { run(); });
}

Freshness::~Freshness() {
  if (thread_.joinable()) {
    loop_->post([this] { stopping_ = true; });
    thread_.join();
  }
  if (inotify_ >= 0) sys::close(inotify_);
}

void Freshness::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals belong to the main thread
  pthread_setname_np(pthread_self(), "sluice-watch");
  while (!stopping_) {
    loop_->wait(-1);
    loop_->dispatch();
  }
}

Ref<Watch> Freshness::begin(const std::string& root, const std::string& path) {
  if (inotify_ < 0) return {};
  std::string key = key_of(root, path);
  {
    const std::lock_guard lock(mutex_);
    const auto known = by_key_.find(key);
    if (known != by_key_.end() && known->second->watchable_ && !known->second->changed()) {
      known->second->old_ = false;
      return known->second;
    }
  }
  auto watch = make_ref<Watch>();
  const Traced traced = trace(*watch, root, path);
  const std::lock_guard lock(mutex_);
  watch->complete_ = traced == Traced::complete;
  watch->watchable_ = traced != Traced::refused;
  if (!watch->watchable_) tree_.detach(*watch);
  Ref<Watch>& place = by_key_[std::move(key)];
  if (place) tree_.detach(*place);  // what is in the tree is in the index
  place = watch;
  if (by_key_.size() >= tidy_at_) tidy();
  tree_.drop_empty(inotify_);
  return watch;
}

void Freshness::found(Watch* watch, const Looked& looked) {
  if (watch == nullptr || !watch->watchable_) return;
  std::vector<uint64_t> answers;
  {
    const std::lock_guard lock(mutex_);
    // Written through another name, or reached by a way that was not watched.
    if (looked.links > 1) watch->reliable_ = false;
    if (looked.identity != kAbsent && !watch->complete_) watch->reliable_ = false;
    if (looked.outcome == Outcome::failed) return;
    // It changed and inotify did not say so: what rests on the watch rests on something else.
    if (watch->has_identity_ && watch->identity_ != looked.identity) {
      expire(*watch, answers);
      tree_.drop_empty(inotify_);
    }
    watch->identity_ = looked.identity;
    watch->has_identity_ = true;
  }
  if (!answers.empty()) listener_.on_changed(std::move(answers));
}

Grounds Freshness::grounds_for(uint64_t id, const std::vector<Look>& looks) {
  Grounds grounds;
  grounds.is_reliable = !looks.empty();
  const std::lock_guard lock(mutex_);
  for (const Look& look : looks) {
    if (look.follow || look.list) {  // not watched, see WorkerGroup::look
      grounds.is_reliable = false;
      continue;
    }
    const auto known = by_key_.find(key_of(look.root, look.path));
    if (known == by_key_.end() || !known->second->watchable_ || !known->second->has_identity_) {
      grounds.is_reliable = false;
      continue;
    }
    Watch& watch = *known->second;
    // Changed between the look and its answer, of which an event has told or will tell.
    if (watch.changed() || watch.identity_ != look.identity) grounds.has_changed = true;
    grounds.is_reliable = grounds.is_reliable && watch.reliable_;
    grounds.watches.emplace_back(&watch);
    // Enough: an answer that is not reported is still marked, and its file closed when idle.
    if (watch.answers_.size() >= kMaxReported) continue;
    if (watch.answers_.empty() || watch.answers_.back() != id) watch.answers_.push_back(id);
  }
  return grounds;
}

void Freshness::when_seen(std::function<void()> then) {
  if (inotify_ < 0) return then();
  loop_->post([this, then = std::move(then)] {
    on_events(EPOLLIN);  // the kernel queues an event before the call that caused it returns
    then();
  });
}

FreshnessCounts Freshness::counts() const {
  const std::lock_guard lock(mutex_);
  return {tree_.size(), by_key_.size(), changes_};
}

/// Under the lock. The watch stays in the index, so that grounds_for() knows that it changed.
void Freshness::expire(Watch& watch, std::vector<uint64_t>& answers) {
  if (watch.changed()) return;
  ++changes_;
  watch.changed_.store(true, std::memory_order_release);
  answers.insert(answers.end(), watch.answers_.begin(), watch.answers_.end());
  watch.answers_.clear();
  tree_.detach(watch);
}

/// Under the lock. Forgets what no answer has held for two rounds: one may be on its way. A round
/// is a quarter as many new paths as answers hold: those of which none is left cannot pile up.
void Freshness::tidy() {
  size_t held = 0;
  std::erase_if(by_key_, [&](auto& entry) {
    Watch& watch = *entry.second;
    if (watch.is_shared()) {
      ++held;
      return watch.old_ = false;
    }
    if (!watch.old_) return !(watch.old_ = true);
    tree_.detach(watch);
    return true;
  });
  tidy_at_ = by_key_.size() + std::max(kTidyFirst, held / 4);
}

void Freshness::on_events(uint32_t) {
  std::vector<uint64_t> answers;
  for (;;) {
    const ssize_t got = sys::read(inotify_, buffer_.data(), buffer_.size());
    if (got <= 0) break;
    take_events(buffer_.data(), static_cast<size_t>(got), answers);
  }
  if (!answers.empty()) listener_.on_changed(std::move(answers));
}

void Freshness::take_events(const char* buffer, size_t size, std::vector<uint64_t>& answers) {
  const std::lock_guard lock(mutex_);
  std::vector<Watch*> concerned;
  for (size_t at = 0; at < size;) {
    inotify_event event;
    std::memcpy(&event, buffer + at, sizeof event);
    const char* name = buffer + at + sizeof event;  // ends with at least one zero byte, if any
    at += sizeof event + event.len;
    concerned.clear();
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      tree_.collect_all(concerned);  // nobody knows what was lost
    } else {
      tree_.collect(event.wd, event.len > 0 ? name : "", concerned);
    }
    for (Watch* watch : concerned) expire(*watch, answers);
    if ((event.mask & IN_IGNORED) != 0) tree_.lose(event.wd);
  }
  tree_.drop_empty(inotify_);
}

}  // namespace sluice::files
