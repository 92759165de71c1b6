// The steering thread: a queue of tasks, of which an event of the core is one. The group is made,
// used and destroyed on it, as on the main thread of a real gateway.
#include "worker/running_group.h"

#include <chrono>
#include <future>
#include <utility>

#include "files/opener.h"
#include "http/response_head.h"
#include "testing.h"

namespace worker_tests {

using sluice::worker::CoreEvent;
using sluice::worker::WorkerGroup;
using sluice::worker::WorkerStats;

namespace {

constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kPause = std::chrono::milliseconds(2);
constexpr std::string_view kFixedBody = "fixed";

sluice::route::RespondAction fixed(std::string body) {
  sluice::route::RespondAction action;
  sluice::http::append_status_line(action.head, 200);
  sluice::http::append_content_length(action.head, body.size());
  action.body = sluice::make_ref<const sluice::Source>(-1, std::move(body));
  return action;
}

}  // namespace

std::string content_of(std::string_view name, size_t size) {
  uint64_t state = sluice::hash_bytes(name, 0x5eed);
  std::string content(size, '\0');
  for (char& byte : content) {
    state = state * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    byte = static_cast<char>(state >> 56);
  }
  return content;
}

RunningGroup::RunningGroup(GroupSettings settings) : settings_(settings) {
  sluice::worker::GroupOptions options;
  auto first = make_snapshot();
  first->table.finish();
  options.snapshot = std::move(first);
  options.workers = settings_.workers;
  endpoint_.host = "127.0.0.1";
  if (settings_.on_unix_socket) endpoint_.path = run_ / "socket";
  options.listeners.emplace_back(endpoint_);
  steering_ = std::thread([this] { steer(); });
  call([&] {
    group_ = std::make_unique<WorkerGroup>(std::move(options), *this);
    const sluice::worker::ListenError failed = group_->listen();
    CHECK_EQ(failed.bind.error, 0);
    endpoint_ = *group_->endpoints().at(0);
  });
}

RunningGroup::~RunningGroup() {
  call([this] { group_.reset(); });
  post([this] { is_over_ = true; });
  steering_.join();
}

std::shared_ptr<sluice::route::Snapshot> RunningGroup::make_snapshot() const {
  auto snapshot = std::make_shared<sluice::route::Snapshot>();
  snapshot->limits = settings_.limits;
  snapshot->timeouts = settings_.timeouts;
  snapshot->copy_only = settings_.copy_only;
  snapshot->memory_bytes = settings_.memory_bytes;
  CHECK(snapshot->table.add(0, "", "", "/*").ok);
  CHECK(snapshot->table.add(1, "", "", "/fixed").ok);
  CHECK(snapshot->table.add(2, "", "", "/fixed/large").ok);
  sluice::route::FilesAction files{site_.path(), settings_.copy_only};
  snapshot->routes.push_back({"/*", std::move(files)});
  snapshot->routes.push_back({"/fixed", fixed(std::string(kFixedBody))});
  snapshot->routes.push_back({"/fixed/large", fixed(content_of("large", 4'000))});
  return snapshot;
}

/// /proxied stays what it is; /replaced has another number each time.
void RunningGroup::add_replaced(const std::string& body, sluice::route::Snapshot& snapshot) const {
  constexpr uint32_t kProxied = 3;
  const auto replaced = static_cast<uint32_t>(kProxied + 1 + snapshot.generation % 64);
  CHECK(snapshot.table.add(kProxied, "", "", "/proxied").ok);
  CHECK(snapshot.table.add(replaced, "", "", "/replaced").ok);
  sluice::route::Upstream self;
  self.name = "self";
  self.idle_connections = 4;
  self.idle_ms = 20'000;
  sluice::route::TargetConfig target;
  target.id = 1;
  target.address = endpoint_;
  target.authority = "self";
  self.targets.push_back(target);
  snapshot.upstreams.push_back(std::move(self));
  sluice::route::ProxyAction proxied;
  proxied.copy_only = settings_.copy_only;
  proxied.rewrite.push_back({sluice::route::TemplatePart::Kind::literal, "/fixed", 0});
  snapshot.routes.resize(replaced + 1);
  snapshot.routes[kProxied] = {"/proxied", std::move(proxied)};
  snapshot.routes[replaced] = {"/replaced", fixed(body)};
}

void RunningGroup::replace(const std::string& body) {
  uint64_t generation = 0;
  call([&] {
    auto snapshot = make_snapshot();
    snapshot->generation = generation = ++generation_;
    add_replaced(body, *snapshot);
    snapshot->table.finish();
    sluice::worker::GroupOptions next;
    next.snapshot = std::move(snapshot);
    next.listeners.emplace_back(endpoint_);
    CHECK_EQ(group_->replace(std::move(next)).bind.error, 0);
  });
  wait_until("all workers to have it", [&] { return adopted_ >= generation; });
}

void RunningGroup::post(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  ready_.notify_one();
}

void RunningGroup::call(const Task& task) {
  std::promise<void> done;
  post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void RunningGroup::emit(CoreEvent event) {
  post([this, event = std::move(event)]() mutable { handle(event); });
}

void RunningGroup::steer() {
  std::unique_lock lock(mutex_);
  while (!is_over_ || !tasks_.empty()) {
    ready_.wait(lock, [this] { return !tasks_.empty(); });
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

void RunningGroup::handle(CoreEvent& event) {
  switch (event.kind) {
    case CoreEvent::Kind::question: {
      {
        const std::lock_guard lock(mutex_);
        ++asked_[event.text];
      }
      if (policy_ == Policy::answer) look(event);
      if (policy_ == Policy::hold) held_.push_back(std::move(event));
      break;
    }
    case CoreEvent::Kind::touched: touched_ += event.answers.size(); break;
    case CoreEvent::Kind::stale:
      stale_ += event.answers.size();
      if (group_) group_->forget(event.answers);
      break;
    case CoreEvent::Kind::fault: {
      const std::lock_guard lock(mutex_);
      ++faults_[event.code];
      break;
    }
    case CoreEvent::Kind::encoded: break;  // nobody asks for it
    case CoreEvent::Kind::adopted: adopted_ = event.id; break;
    case CoreEvent::Kind::retired: ++retired_; break;
    case CoreEvent::Kind::ended: ++ended_; break;
    case CoreEvent::Kind::looked: {
      auto question = looking_.extract(event.id);
      answer(question.mapped(), event.looked);
      break;
    }
  }
}

/// As TypeScript does: an I/O thread looks, and what it finds is the answer.
void RunningGroup::look(const CoreEvent& question) {
  if (!group_) return;
  sluice::files::Look look;
  look.root = site_.path();
  look.path = question.text.substr(1);
  looking_.emplace(++last_look_, question);
  group_->look(last_look_, std::move(look));
}

void RunningGroup::answer(const CoreEvent& question, const sluice::files::Looked& looked) {
  if (!group_) return;
  sluice::files::AnswerSource source;
  source.id = ++last_id_;
  source.status = looked.file ? 200 : 404;
  source.file = sluice::Ref<const sluice::files::File>(looked.file.get());
  sluice::files::Look look;
  look.root = site_.path();
  look.path = question.text.substr(1);
  look.identity = looked.identity;
  source.looks.push_back(std::move(look));
  given_.push_back(source.id);
  group_->answer(question.worker, question.id, std::move(source));
}

bool RunningGroup::release(const std::string& path) {
  bool found = false;
  call([&] {
    for (auto at = held_.begin(); at != held_.end() && !found; ++at) {
      if (at->text != path) continue;
      found = true;
      look(*at);
      held_.erase(at);
      break;
    }
  });
  return found;
}

void RunningGroup::evict_all() {
  call([this] {
    if (group_) group_->forget(std::exchange(given_, {}));
  });
}

void RunningGroup::drain() {
  call([this] { group_->drain(); });
}

void RunningGroup::stop() {
  call([this] { group_->stop(); });
}

void RunningGroup::end() {
  wait_until("all workers to have ended", [this] { return ended(); });
  call([this] { group_.reset(); });
}

bool RunningGroup::wait_until(const char* what, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      testing::fail(__FILE__, __LINE__, std::string("waited in vain for ") + what);
      return false;
    }
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

uint64_t RunningGroup::sum(Sum figure) {
  uint64_t total = 0;
  call([&] {
    if (!group_) return;
    for (const auto& worker : group_->workers()) total += figure(std::as_const(*worker).stats());
  });
  return total;
}

uint64_t RunningGroup::connections() {
  return sum([](const WorkerStats& stats) { return stats.connections.get(); });
}

uint64_t RunningGroup::parked() {
  return sum([](const WorkerStats& stats) { return stats.parked.get(); });
}

uint64_t RunningGroup::requests() {
  return sum([](const WorkerStats& stats) { return stats.requests.get(); });
}

uint64_t RunningGroup::errors(sluice::ErrorCode code) {
  uint64_t total = 0;
  call([&] {
    for (const auto& worker : group_->workers()) {
      total += std::as_const(*worker).stats().errors[static_cast<size_t>(code)].get();
    }
  });
  return total;
}

int64_t RunningGroup::descriptors() {
  int64_t count = 0;
  call([&] {
    if (group_) count = group_->file_counts().descriptors.load();
  });
  return count;
}

size_t RunningGroup::held() {
  size_t count = 0;
  call([&] { count = held_.size(); });
  return count;
}

size_t RunningGroup::questions(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return asked_[path];
}

size_t RunningGroup::faults(const std::string& code) {
  const std::lock_guard lock(mutex_);
  return faults_[code];
}

}  // namespace worker_tests
