// Sees changes of files by inotify: one inotify descriptor and one thread per gateway. What a look
// goes through is watched first, then opened, then fstat'ed (DESIGN §7), so that no change falls
// between. When something changed, the answers that rest on it are marked (workers see it with
// their next request) and reported, so that TypeScript lets go of their files. Where watching is
// refused or the bound is reached, answers are looked at again every second, as without inotify.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "files/answer.h"
#include "files/opener.h"
#include "files/watch.h"
#include "files/watch_tree.h"
#include "net/event_loop.h"

namespace sluice::files {

/// Both are called on any of our threads and must not block.
struct FreshnessListener {
  std::function<void(std::vector<uint64_t> answers)> on_changed;
  std::function<void(const char* code, std::string message)> on_fault;
};

struct FreshnessCounts {
  uint64_t folders = 0;  ///< watched now
  uint64_t watches = 0;  ///< paths that are kept an eye on now
  uint64_t changes = 0;  ///< seen since start, of paths that somebody's look went through
};

class Freshness final : private net::EventHandler {
 public:
  /// `max_folders`: directories watched at most.
  Freshness(FreshnessListener listener, size_t max_folders);
  ~Freshness();
  Freshness(const Freshness&) = delete;
  Freshness& operator=(const Freshness&) = delete;

  /// Starts watching what a look at `path` beneath `root` goes through; before the look, on its I/O
  /// thread. Null where there is no inotify.
  Ref<Watch> begin(const std::string& root, const std::string& path);
  /// What the look found. `watch` may be null.
  void found(Watch* watch, const Looked& looked);
  /// Lets answer `id` rest on what its looks found. Main thread.
  Grounds grounds_for(uint64_t id, const std::vector<Look>& looks);

  /// Calls back on our thread when everything that has happened to files by now has been taken
  /// note of. Any thread.
  void when_seen(std::function<void()> then);

  FreshnessCounts counts() const;

 private:
  enum class Traced : uint8_t { complete, ended_early, refused };
  struct Trail;

  void run();
  void on_events(uint32_t events) override;
  void take_events(const char* buffer, size_t size, std::vector<uint64_t>& answers);
  void expire(Watch& watch, std::vector<uint64_t>& answers);
  void tidy();

  Traced trace(Watch& watch, const std::string& root, const std::string& path);
  Traced follow(Watch& watch, Trail& trail);
  int watch_name(Watch& watch, const std::string& folder, const std::string& name, bool contents);
  int add_watch(const std::string& folder, bool contents);
  void complain(int error);

  const FreshnessListener listener_;
  const size_t max_folders_;
  int inotify_ = -1;
  mutable std::mutex mutex_;  ///< never held while a disk may be waited for
  WatchTree tree_;
  std::unordered_map<std::string, Ref<Watch>> by_key_;
  size_t tidy_at_;
  uint64_t changes_ = 0;
  bool complained_ = false;
  bool stopping_ = false;     ///< the thread's own
  std::vector<char> buffer_;  ///< likewise
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;
};

}  // namespace sluice::files
