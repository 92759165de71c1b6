// Events of the core on their way to JavaScript: any thread puts them in a mailbox, one wake-up
// takes them all, one call hands them over. Lives from the making of a gateway until its uv_async
// handle has closed; must never touch JavaScript from another thread than the one that made it.
#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>
#include <memory>

#include "core/mailbox.h"
#include "worker/core_event.h"

namespace sluice::binding {

class Bridge final : public worker::EventSink {
 public:
  using Receive = std::function<void(std::vector<worker::CoreEvent>)>;

  /// `receive` is called on this thread, inside a handle scope.
  Bridge(Napi::Env env, Receive receive);

  /// Any thread.
  void emit(worker::CoreEvent event) override;

  /// Whether the process stays alive for events to come. False at first.
  void keep_alive(bool wanted);

  /// No further event is delivered; deletes this when libuv lets go of the handle. Call once, and
  /// only when no other thread emits any more.
  void close();

 private:
  ~Bridge() = default;
  static void on_wake(uv_async_t* handle);

  Napi::Env env_;
  Receive receive_;
  Mailbox<worker::CoreEvent> events_;
  uv_async_t wake_{};
};

}  // namespace sluice::binding
