// The wake-up. uv_async_send coalesces, so one call may find many events or none.
// The mailbox says when it was empty: a busy main thread costs its senders no system call.
#include "binding/bridge.h"

namespace sluice::binding {

Bridge::Bridge(Napi::Env env, Receive receive) : env_(env), receive_(std::move(receive)) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  uv_async_init(loop, &wake_, on_wake);
  wake_.data = this;
  keep_alive(false);
}

void Bridge::keep_alive(bool wanted) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&wake_);
  wanted ? uv_ref(handle) : uv_unref(handle);
}

void Bridge::emit(worker::CoreEvent event) {
  if (events_.push(std::move(event))) uv_async_send(&wake_);
}

void Bridge::close() {
  receive_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_),
           [](uv_handle_t* handle) { delete static_cast<Bridge*>(handle->data); });
}

void Bridge::on_wake(uv_async_t* handle) {
  auto* bridge = static_cast<Bridge*>(handle->data);
  std::vector<worker::CoreEvent> events = bridge->events_.take_all();
  if (events.empty() || !bridge->receive_) return;
  Napi::HandleScope scope(bridge->env_);
  Receive receive = bridge->receive_;  // it may close the bridge
  try {
    receive(std::move(events));
  } catch (const Napi::Error&) {
    // JavaScript cannot run any more: its environment is being torn down with events on their way.
    // Nobody is left to tell, and the environment's hook ends the gateway.
  }
}

}  // namespace sluice::binding
