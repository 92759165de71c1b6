// The writing thread's loop: take a block, lay out its lines, give it back, write the lines from
// the first to the last byte. It sleeps in poll(2), on its eventfd and, where lines wait for room,
// on the destination.
#include "log/writer.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/counter.h"
#include "core/mailbox.h"
#include "log/outlet.h"
#include "net/sys.h"

namespace sluice::log {

/// Shared by the Writer and its thread: whoever lets go last frees it.
struct Writer::State {
  /// The blocks of one worker.
  struct Pool {
    std::vector<std::unique_ptr<Block>> blocks;  ///< all that were made; the worker's
    std::vector<Block*> free;                    ///< the worker's
    Mailbox<Block*> returned;                    ///< on their way back
  };

  State(const Settings& settings, std::vector<std::string> routes, size_t workers, Report report_to)
      : outlet(settings.to),
        format(settings, std::move(routes)),
        pools(workers),
        report(std::move(report_to)) {}
  ~State() {
    if (wake >= 0) sys::close(wake);
  }

  void run();
  void take_names();
  void lay_out(const Block& block);
  void give_back(Block& block);
  void write(uint32_t count);
  bool write_some(std::string_view all, size_t& at);
  void recover();
  bool wait_for_room();
  void sleep(int fd, int64_t timeout_ms);
  void reopen_when_asked();
  void drop(uint64_t lines, const char* reason);
  void wake_up();
  void complain(const char* reason, int64_t now_us);
  void say(std::string message);
  bool is_ending() const { return deadline_us.load(std::memory_order_acquire) != INT64_MAX; }

  // The thread's own.
  Outlet outlet;
  Format format;
  Text text;  ///< the lines that are being written
  std::deque<Block*> waiting;
  int64_t tried_us = 0;  ///< when it was last opened
  bool is_torn = false;  ///< what is written ends within a line, which will not be completed
  bool is_new = false;   ///< opened anew: the line under way begins again

  // Any thread's.
  std::vector<Pool> pools;
  Mailbox<Block*> handed_over;
  int wake = -1;
  std::atomic<bool> wants_reopen{false};
  std::atomic<int64_t> deadline_us{INT64_MAX};  ///< not INT64_MAX: end, by then at the latest
  std::atomic<int64_t> quiet_until_us{0};
  Counter lines, bytes, dropped;
  std::mutex mutex;
  std::condition_variable ended;
  bool has_ended = false;
  std::optional<std::vector<std::string>> new_routes;  ///< under the mutex
  Report report;  ///< under the mutex; empty once nobody listens
};

Writer::Writer(const Settings& settings, std::vector<std::string> routes, size_t workers,
               Report report)
    : state_(std::make_shared<State>(settings, std::move(routes), workers, std::move(report))) {}

int Writer::start() {
  state_->wake = sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (state_->wake < 0) return state_->wake;
  const int error = state_->outlet.open();
  state_->tried_us = sys::now_us();
  if (error != 0 && !state_->outlet.may_come_later(error)) return error;
  if (error != 0) state_->say("nobody reads the access log yet: its lines are dropped until then");
  // Signals are for the threads of whoever runs us.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([state = state_] {
      pthread_setname_np(pthread_self(), "sluice-log");
      state->run();
    });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return 0;
}

void Writer::close() {
  if (!thread_.joinable()) return;
  state_->deadline_us.store(sys::now_us() + kLogPatienceUs, std::memory_order_release);
  state_->wake_up();
  std::unique_lock lock(state_->mutex);
  // A little longer than the thread itself is told to try: the rest is a disk that hangs.
  const auto patience = std::chrono::microseconds(kLogPatienceUs + kLogPatienceUs / 4);
  const bool ended = state_->ended.wait_for(lock, patience, [this] { return state_->has_ended; });
  if (!ended && state_->report) state_->report("the access log hangs: its last lines are lost");
  state_->report = nullptr;
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

Block* Writer::take_block(uint32_t worker) {
  State::Pool& pool = state_->pools[worker];
  if (pool.free.empty()) {
    for (Block* block : pool.returned.take_all()) pool.free.push_back(block);
  }
  if (!pool.free.empty()) {
    Block* block = pool.free.back();
    pool.free.pop_back();
    return block;
  }
  if (pool.blocks.size() == kLogBlocks) return nullptr;
  pool.blocks.push_back(std::make_unique_for_overwrite<Block>());
  pool.blocks.back()->worker = worker;
  return pool.blocks.back().get();
}

void Writer::submit(Block& block) { state_->handed_over.push(&block); }

void Writer::wake() { state_->wake_up(); }

void Writer::reopen() {
  state_->wants_reopen.store(true, std::memory_order_release);
  state_->wake_up();
}

void Writer::name_routes(std::vector<std::string> routes) {
  const std::lock_guard lock(state_->mutex);
  state_->new_routes = std::move(routes);
}

void Writer::complain(const char* reason, int64_t now_us) { state_->complain(reason, now_us); }

WriterCounts Writer::counts() const {
  return {state_->lines.get(), state_->bytes.get(), state_->dropped.get()};
}

void Writer::State::wake_up() {
  const uint64_t one = 1;
  if (wake >= 0) sys::write(wake, &one, sizeof one);
}

void Writer::State::say(std::string message) {
  const std::lock_guard lock(mutex);
  if (report) report(std::move(message));
}

void Writer::State::complain(const char* reason, int64_t now_us) {
  const int64_t quiet_until = quiet_until_us.load(std::memory_order_relaxed);
  // Extended while it goes on, but not by every line of every worker.
  const bool is_quiet = now_us < quiet_until;
  if (is_quiet && quiet_until - now_us > kShortageQuietMs * 1'000 / 2) return;
  const int64_t wanted = now_us + kShortageQuietMs * 1'000;
  int64_t expected = quiet_until;
  const bool is_ours = quiet_until_us.compare_exchange_strong(expected, wanted);
  if (is_quiet || !is_ours) return;
  say(std::string("lines of the access log are dropped: ") + reason);
}

void Writer::State::drop(uint64_t count, const char* reason) {
  if (count == 0) return;
  dropped.add(count);
  complain(reason, sys::now_us());
}

void Writer::State::run() {
  for (;;) {
    const bool is_last_look = is_ending();  // asked first: what came before the end is taken below
    for (Block* block : handed_over.take_all()) waiting.push_back(block);
    reopen_when_asked();
    if (waiting.empty()) {
      if (is_last_look) break;
      sleep(-1, -1);
      continue;
    }
    Block& block = *waiting.front();
    waiting.pop_front();
    const uint32_t count = block.lines;
    take_names();
    lay_out(block);
    give_back(block);
    write(count);
  }
  const std::lock_guard lock(mutex);
  has_ended = true;
  ended.notify_all();
}

void Writer::State::take_names() {
  const std::lock_guard lock(mutex);
  if (new_routes) format.name_routes(*std::exchange(new_routes, std::nullopt));
}

void Writer::State::lay_out(const Block& block) {
  text.clear();
  for (size_t at = 0; at < block.size;) {
    const auto& record = *reinterpret_cast<const Record*>(block.bytes + at);
    format.write(record, block.worker, text);
    at += record.size;
  }
}

/// Its worker may fill it again while its lines are written.
void Writer::State::give_back(Block& block) {
  block.size = 0;
  block.lines = 0;
  pools[block.worker].returned.push(&block);
}

/// Waits for room at `fd` (-1: for nothing) or for being woken.
void Writer::State::sleep(int fd, int64_t timeout_ms) {
  pollfd events[2] = {{wake, POLLIN, 0}, {fd, POLLOUT, 0}};
  sys::poll(events, fd < 0 ? 1 : 2, static_cast<int>(timeout_ms));
  if (events[0].revents == 0) return;
  uint64_t count;
  sys::read(wake, &count, sizeof count);
}

void Writer::State::reopen_when_asked() {
  if (!wants_reopen.exchange(false, std::memory_order_acq_rel) || !outlet.can_reopen()) return;
  tried_us = sys::now_us();
  if (outlet.open() != 0) {
    say("the access log could not be opened anew: it stays where it was");
  } else {
    is_torn = false;
    is_new = true;
  }
}

namespace {

uint64_t lines_in(std::string_view text) {
  uint64_t lines = 0;
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    ++lines;
  }
  return lines;
}

/// Where the line begins that `at` lies in.
size_t line_start(std::string_view text, size_t at) {
  const size_t end = text.substr(0, at).rfind('\n');
  return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

/// The text, which is `count` lines.
void Writer::State::write(uint32_t count) {
  const std::string_view all = text.part(0, text.size());
  size_t at = 0;
  is_new = false;
  while (at < all.size() && write_some(all, at)) {
  }
  bytes.add(at);
  if (at == all.size()) return lines.add(count);
  const uint64_t lost = lines_in(all.substr(at));
  is_torn = is_torn || (at > 0 && all[at - 1] != '\n');
  lines.add(count - lost);
  drop(lost, is_ending() ? "the gateway stops" : "it cannot be written");
}

/// Takes the text further; false: what is left of it is lost.
bool Writer::State::write_some(std::string_view all, size_t& at) {
  if (!outlet.is_open()) {
    recover();
    if (!outlet.is_open()) return false;
  }
  if (std::exchange(is_new, false)) at = line_start(all, at);
  if (is_torn) {
    const ssize_t ended = outlet.write("\n");
    if (ended == -EAGAIN) return wait_for_room();
    if (ended < 0) return false;
    is_torn = false;
  }
  const ssize_t taken = outlet.write(all.substr(at));
  if (taken == -EAGAIN) return wait_for_room();
  if (taken > 0) {
    at += static_cast<size_t>(taken);
    return true;
  }
  if (taken != -EPIPE && taken != -ECONNRESET && taken != -ENOTCONN) return false;
  if (!outlet.can_reopen()) return false;
  // Whoever read has gone with the beginning of a line: the next one gets it whole.
  outlet.close();
  is_torn = false;
  at = line_start(all, at);
  return true;
}

void Writer::State::recover() {
  const int64_t now_us = sys::now_us();
  if (now_us - tried_us < kLogRetryUs) return;
  tried_us = now_us;
  if (outlet.open() == 0) is_torn = false;
}

/// False when there is no more time for it.
bool Writer::State::wait_for_room() {
  int64_t patience_ms = -1;
  if (is_ending()) {
    const int64_t left_us = deadline_us.load(std::memory_order_acquire) - sys::now_us();
    if (left_us <= 0) return false;
    patience_ms = left_us / 1'000 + 1;
  }
  sleep(outlet.wait_fd(), patience_ms);
  reopen_when_asked();
  return true;
}

}  // namespace sluice::log
