// The object that JavaScript holds for one gateway in the core (NativeGateway in
// src/native/interface.ts). Belongs to one JavaScript environment; ends its threads before that
// environment does, whatever state JavaScript left it in.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/bridge.h"
#include "worker/worker_group.h"

namespace sluice::binding {

class GatewayObject final : public Napi::ObjectWrap<GatewayObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit GatewayObject(const Napi::CallbackInfo& info);
  ~GatewayObject() override;

 private:
  Napi::Value listen(const Napi::CallbackInfo& info);
  Napi::Value listening_sockets(const Napi::CallbackInfo& info);
  void leave_listeners(const Napi::CallbackInfo& info);
  Napi::Value beat(const Napi::CallbackInfo& info);
  void look(const Napi::CallbackInfo& info);
  void answer(const Napi::CallbackInfo& info);
  void forget(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);
  Napi::Value connect_encoder(const Napi::CallbackInfo& info);
  void disconnect_encoder(const Napi::CallbackInfo& info);
  void encode(const Napi::CallbackInfo& info);
  Napi::Value replace(const Napi::CallbackInfo& info);
  void end_generation(const Napi::CallbackInfo& info);
  void set_targets(const Napi::CallbackInfo& info);
  Napi::Value reload_certificates(const Napi::CallbackInfo& info);
  Napi::Value certificates(const Napi::CallbackInfo& info);
  void rotate_tickets(const Napi::CallbackInfo& info);
  Napi::Value ticket_keys(const Napi::CallbackInfo& info);
  void adopt_tickets(const Napi::CallbackInfo& info);
  Napi::Value publish(const Napi::CallbackInfo& info);
  void set_hook_socket(const Napi::CallbackInfo& info);
  Napi::Value match(const Napi::CallbackInfo& info);
  void reopen_logs(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  void drain(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  /// The group, or a TypeError when the gateway has ended.
  worker::WorkerGroup& group(Napi::Env env) const;
  /// Throws what JavaScript is told of it, unless it is none.
  static void check(Napi::Env env, const worker::ListenError& failed);
  Napi::Array addresses(Napi::Env env) const;
  void receive(std::vector<worker::CoreEvent> events);
  void call_back(const Napi::Array& events);
  /// Joins every thread and lets go of everything native. Idempotent.
  void end();
  static void on_environment_end(napi_async_cleanup_hook_handle handle, void* self);

  Napi::FunctionReference on_events_;
  std::unique_ptr<Napi::AsyncContext> context_;
  Bridge* bridge_ = nullptr;
  std::unique_ptr<worker::WorkerGroup> group_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  size_t running_ = 0;  ///< workers that have not ended
  size_t looks_ = 0;    ///< outstanding; they keep the process alive
};

}  // namespace sluice::binding
