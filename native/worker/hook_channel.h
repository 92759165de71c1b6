// A worker's connection to the app for questions about requests: one stream socket, written once a
// turn with all that was asked in it, and who waits for which verdict. Survives the app: when a
// connection breaks, those who waited on it are told to ask again. The worker's thread only; never
// waits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/alarm.h"
#include "core/counter.h"
#include "net/event_loop.h"
#include "net/socket_state.h"
#include "worker/handler_habits.h"
#include "worker/hook_messages.h"

namespace sluice::worker {

class Worker;

/// Why a question has no verdict.
enum class QuestionLoss : uint8_t {
  unsent,    ///< no app has had it
  asked,     ///< an app had it and is gone
  outdated,  ///< the app has other hooks by now than those that the question is about
};

/// Whoever asks.
class HookAskerSide {
 public:
  /// The verdict; null: "pass".
  virtual void on_verdict(Ref<const Verdict> verdict) = 0;
  /// Its question is open no longer: ask again.
  virtual void on_question_lost(QuestionLoss why) = 0;

 protected:
  ~HookAskerSide() = default;
};

class HookChannel final : public Alarm {
 public:
  explicit HookChannel(Worker& worker);
  ~HookChannel();
  HookChannel(const HookChannel&) = delete;
  HookChannel& operator=(const HookChannel&) = delete;

  /// Where the app listens from now on; empty: nowhere. What another one has been asked it may
  /// still answer.
  void connect_to(std::string path);

  bool has_room() const;
  /// Whether a question can be sent now. If not, whoever enters is told when it can.
  bool is_open() const { return current_ != nullptr; }
  /// A place for one question; has_room() was true. With is_open() the caller appends the question
  /// to outgoing() at once.
  HookTicket enter(HookAskerSide& asker, HookKind kind);
  std::string& outgoing();
  /// Which handlers are asked here.
  HandlerHabits& habits() { return habits_; }
  /// For the head of a request, within a turn.
  std::string& head_room() { return head_room_; }
  /// Whoever waits under `ticket` does so no longer; a handler is told.
  void leave(const HookTicket& ticket);

  /// Sends what was asked in this turn. Once a turn, when nothing is being dispatched.
  void flush();
  void on_alarm() override;

 private:
  class Link;
  struct Slot {
    HookAskerSide* asker = nullptr;  ///< null: free, or whoever asked has left
    uint32_t serial = 0;
    Link* link = nullptr;  ///< that carries the question; null: it waits for one
    bool is_used = false;
    bool is_told = false;  ///< the app wants to know when nobody waits any more
  };

  void try_to_connect();
  void deliver(Link& link, const ParsedVerdict& parsed);
  void lose(Link& link);
  void free(uint32_t slot);
  void tell_lost(const Link* link);

  Worker& worker_;
  std::string path_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Link>> dead_;  ///< until the turn is over
  Link* current_ = nullptr;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t open_ = 0;
  uint32_t last_serial_ = 0;
  std::vector<char> room_;
  HandlerHabits habits_;
  std::string head_room_;
};

}  // namespace sluice::worker
