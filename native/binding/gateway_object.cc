// Methods of the object: decode, hand over to the group, encode. No decisions are made here.
// After the last worker has ended, the batch with its `ended` event is delivered first and the
// group destroyed then, so that JavaScript can read the last statistics.
#include "binding/gateway_object.h"

#include <system_error>

#include "binding/decode.h"
#include "binding/decode_upstream.h"
#include "binding/encode.h"
#include "http/request_parser.h"
#include "http/uri.h"

namespace sluice::binding {
namespace {

std::vector<std::vector<int>> decode_inherited(const Reader& listeners) {
  std::vector<std::vector<int>> inherited;
  if (listeners.is_null()) return inherited;
  for (uint32_t i = 0; i < listeners.length(); ++i) {
    const Reader sockets = listeners.at(i);
    std::vector<int> fds;
    for (uint32_t n = 0; n < sockets.length(); ++n) {
      fds.push_back(static_cast<int>(sockets.at(n).integer(0, INT32_MAX)));
    }
    inherited.push_back(std::move(fds));
  }
  return inherited;
}

}  // namespace

Napi::Function GatewayObject::define(Napi::Env env) {
  return DefineClass(env, "NativeGateway",
                     {InstanceMethod<&GatewayObject::listen>("listen"),
                      InstanceMethod<&GatewayObject::listening_sockets>("listeningSockets"),
                      InstanceMethod<&GatewayObject::leave_listeners>("leaveListeners"),
                      InstanceMethod<&GatewayObject::beat>("beat"),
                      InstanceMethod<&GatewayObject::look>("look"),
                      InstanceMethod<&GatewayObject::answer>("answer"),
                      InstanceMethod<&GatewayObject::forget>("forget"),
                      InstanceMethod<&GatewayObject::release>("release"),
                      InstanceMethod<&GatewayObject::connect_encoder>("connectEncoder"),
                      InstanceMethod<&GatewayObject::disconnect_encoder>("disconnectEncoder"),
                      InstanceMethod<&GatewayObject::encode>("encode"),
                      InstanceMethod<&GatewayObject::set_targets>("setTargets"),
                      InstanceMethod<&GatewayObject::reload_certificates>("reloadCertificates"),
                      InstanceMethod<&GatewayObject::certificates>("certificates"),
                      InstanceMethod<&GatewayObject::rotate_tickets>("rotateTickets"),
                      InstanceMethod<&GatewayObject::ticket_keys>("ticketKeys"),
                      InstanceMethod<&GatewayObject::adopt_tickets>("adoptTickets"),
                      InstanceMethod<&GatewayObject::publish>("publish"),
                      InstanceMethod<&GatewayObject::replace>("replace"),
                      InstanceMethod<&GatewayObject::end_generation>("endGeneration"),
                      InstanceMethod<&GatewayObject::set_hook_socket>("setHookSocket"),
                      InstanceMethod<&GatewayObject::match>("match"),
                      InstanceMethod<&GatewayObject::stats>("stats"),
                      InstanceMethod<&GatewayObject::reopen_logs>("reopenLogs"),
                      InstanceMethod<&GatewayObject::drain>("drain"),
                      InstanceMethod<&GatewayObject::close>("close")});
}

GatewayObject::GatewayObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  worker::GroupOptions options = decode_config(Reader(info[0], ""));
  if (!info[1].IsFunction())
    throw Napi::TypeError::New(info.Env(), "onEvents: expected a function");
  on_events_ = Napi::Persistent(info[1].As<Napi::Function>());
  context_ = std::make_unique<Napi::AsyncContext>(info.Env(), "SluiceGateway");
  bridge_ = new Bridge(
      info.Env(), [this](std::vector<worker::CoreEvent> events) { receive(std::move(events)); });
  try {
    group_ = std::make_unique<worker::WorkerGroup>(std::move(options), *bridge_);
  } catch (const std::system_error& error) {
    std::exchange(bridge_, nullptr)->close();
    throw Napi::Error::New(info.Env(), std::string("no thread can be started: ") + error.what());
  }
  napi_add_async_cleanup_hook(info.Env(), on_environment_end, this, &cleanup_);
  Ref();  // the core's threads call back into this object: it lives until end()
}

GatewayObject::~GatewayObject() { end(); }

worker::WorkerGroup& GatewayObject::group(Napi::Env env) const {
  if (!group_) throw Napi::TypeError::New(env, "the gateway has ended");
  return *group_;
}

Napi::Value GatewayObject::listen(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  worker::WorkerGroup& workers = group(env);
  if (running_ > 0) throw Napi::TypeError::New(env, "listen: the gateway listens already");
  check(env, workers.listen(decode_inherited(Reader(info[0], "inherited"))));
  running_ = workers.worker_count();
  return addresses(env);
}

void GatewayObject::check(Napi::Env env, const worker::ListenError& failed) {
  if (failed.bind.error == 0) return;
  const char* code = files::errno_name(-failed.bind.error);
  Napi::Error error = Napi::Error::New(env, std::string(failed.bind.call) + ": " + code);
  error.Set("code", code);
  error.Set("call", failed.bind.call);
  error.Set("address", encode_endpoint(env, failed.endpoint));
  error.Set("tls", encode_tls_problems(env, failed.tls));
  throw error;
}

Napi::Array GatewayObject::addresses(Napi::Env env) const {
  Napi::Array addresses = Napi::Array::New(env);
  for (const std::optional<net::Endpoint>& endpoint : group(env).endpoints()) {
    const uint32_t at = addresses.Length();
    addresses[at] = endpoint ? Napi::Value(encode_endpoint(env, *endpoint)) : env.Null();
  }
  return addresses;
}

Napi::Value GatewayObject::replace(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  worker::WorkerGroup& workers = group(env);
  if (running_ == 0) throw Napi::TypeError::New(env, "replace: the gateway does not listen");
  worker::GroupOptions next = decode_config(Reader(info[0], ""));
  if (next.snapshot->generation <= workers.snapshot().generation) {
    throw Napi::TypeError::New(env, "generation: expected a later one");
  }
  check(env, workers.replace(std::move(next)));
  return addresses(env);
}

void GatewayObject::end_generation(const Napi::CallbackInfo& info) {
  if (group_) group_->end_generation(Reader(info[0], "generation").integer(1, 1ULL << 53));
}

/// By listener, the descriptors; none once it drains, when they are no longer ours to tell.
Napi::Value GatewayObject::listening_sockets(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array listeners = Napi::Array::New(env);
  for (const net::BoundListener& bound : group(env).bound()) {
    Napi::Array sockets = Napi::Array::New(env);
    for (int fd : bound.fds) sockets[sockets.Length()] = Napi::Number::New(env, fd);
    listeners[listeners.Length()] = sockets;
  }
  return listeners;
}

void GatewayObject::leave_listeners(const Napi::CallbackInfo&) {
  if (group_) group_->leave_listeners();
}

Napi::Value GatewayObject::beat(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(group_ ? group_->beat() : 0));
}

void GatewayObject::look(const Napi::CallbackInfo& info) {
  worker::WorkerGroup& workers = group(info.Env());
  uint64_t id = Reader(info[0], "id").integer(0, 1ULL << 53);
  files::Look look = decode_look(Reader(info[1], "where"));
  if (looks_++ == 0) bridge_->keep_alive(true);
  workers.look(id, std::move(look));
}

void GatewayObject::answer(const Napi::CallbackInfo& info) {
  worker::WorkerGroup& workers = group(info.Env());
  uint64_t worker = Reader(info[0], "worker").integer(0, UINT32_MAX);
  uint64_t question = Reader(info[1], "question").integer(0, 1ULL << 53);
  bool lost = false;
  files::AnswerSource source = decode_answer(Reader(info[2], "answer"), workers, lost);
  if (lost) throw Napi::TypeError::New(info.Env(), "answer.file: expected open files");
  workers.answer(static_cast<uint32_t>(worker), question, std::move(source));
}

void GatewayObject::forget(const Napi::CallbackInfo& info) {
  if (!group_) return;
  Reader ids(info[0], "answers");
  std::vector<uint64_t> answers;
  for (uint32_t i = 0; i < ids.length(); ++i) answers.push_back(ids.at(i).integer(0, 1ULL << 53));
  group_->forget(answers);
}

void GatewayObject::release(const Napi::CallbackInfo& info) {
  if (!group_) return;
  Reader ids(info[0], "files");
  for (uint32_t i = 0; i < ids.length(); ++i) {
    group_->release_file(ids.at(i).integer(0, 1ULL << 53));
  }
}

Napi::Value GatewayObject::connect_encoder(const Napi::CallbackInfo& info) {
  const int fd = group(info.Env()).connect_encoder();
  if (fd >= 0) return Napi::Number::New(info.Env(), fd);
  const char* code = files::errno_name(-fd);
  Napi::Error error = Napi::Error::New(info.Env(), std::string("socketpair: ") + code);
  error.Set("code", code);
  throw error;
}

void GatewayObject::disconnect_encoder(const Napi::CallbackInfo&) {
  if (group_) group_->disconnect_encoder();
}

void GatewayObject::encode(const Napi::CallbackInfo& info) {
  worker::WorkerGroup& workers = group(info.Env());
  bool lost = false;
  files::EncodeJob job = decode_encode_job(Reader(info[1], "job"), workers, lost);
  job.id = Reader(info[0], "id").integer(0, 1ULL << 53);
  if (lost) throw Napi::TypeError::New(info.Env(), "job.file: expected an open file");
  workers.encode(std::move(job));
}

void GatewayObject::set_targets(const Napi::CallbackInfo& info) {
  worker::WorkerGroup& workers = group(info.Env());
  Reader upstream(info[0], "upstream");
  const size_t upstreams = workers.targets().size();
  if (upstreams == 0) upstream.fail("the index of an upstream");
  const uint64_t index = upstream.integer(0, upstreams - 1);
  workers.set_targets(static_cast<uint32_t>(index), decode_targets(Reader(info[1], "targets")));
}

Napi::Value GatewayObject::reload_certificates(const Napi::CallbackInfo& info) {
  worker::WorkerGroup& workers = group(info.Env());
  const auto listener = static_cast<uint16_t>(Reader(info[0], "listener").integer(0, UINT16_MAX));
  return encode_tls_problems(info.Env(), workers.reload_certificates(listener));
}

Napi::Value GatewayObject::certificates(const Napi::CallbackInfo& info) {
  const auto listener = static_cast<uint16_t>(Reader(info[0], "listener").integer(0, UINT16_MAX));
  const bool has_ended = group_ == nullptr;
  return encode_tls_facts(
      info.Env(), has_ended ? std::vector<net::TlsFacts>() : group_->certificates(listener));
}

void GatewayObject::rotate_tickets(const Napi::CallbackInfo&) {
  if (group_) group_->rotate_tickets();
}

Napi::Value GatewayObject::ticket_keys(const Napi::CallbackInfo& info) {
  const std::string keys = group_ ? group_->ticket_keys() : std::string();
  return Napi::Buffer<char>::Copy(info.Env(), keys.data(), keys.size());
}

void GatewayObject::adopt_tickets(const Napi::CallbackInfo& info) {
  const Reader keys(info[0], "keys");
  if (!group(info.Env()).adopt_tickets(keys.bytes())) keys.fail("the ticket keys of a gateway");
}

Napi::Value GatewayObject::publish(const Napi::CallbackInfo& info) {
  worker::WorkerGroup& workers = group(info.Env());
  Reader channel(info[0], "channel");
  worker::HubChannel* to = workers.channels().find(channel.integer(0, UINT32_MAX));
  if (to == nullptr) channel.fail("the index of a channel");
  const transfer::Publication publication{Reader(info[1], "bytes").bytes(),
                                          Reader(info[2], "event").text()};
  return Napi::Number::New(info.Env(), static_cast<double>(to->publish(publication)));
}

void GatewayObject::set_hook_socket(const Napi::CallbackInfo& info) {
  if (group_) group_->set_hook_socket(Reader(info[0], "path").text());
}

/// Builds a request and parses it as a worker would, so that both refuse the same.
Napi::Value GatewayObject::match(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const route::Snapshot& snapshot = group(env).snapshot();
  std::string request = Reader(info[0], "method").text() + " " + Reader(info[2], "target").text() +
                        " HTTP/1.1\r\nHost: " + Reader(info[1], "host").text() + "\r\n\r\n";
  auto head = std::make_unique<http::RequestHead>();
  http::ParseResult parsed = http::parse_request(request, 0, snapshot.limits.head, *head);
  Napi::Object result = Napi::Object::New(env);
  Napi::Array allow = Napi::Array::New(env);
  result["route"] = Napi::Number::New(env, -1);
  result["allow"] = allow;
  result["rest"] = env.Null();
  result["error"] = Napi::String::New(env, "");
  if (parsed.status != http::ParseStatus::ok) {
    result["error"] = Napi::String::New(env, std::string(error_info(parsed.error).name));
    return result;
  }
  route::Match match;
  snapshot.table.match(head->method_text, head->host, head->path, match);
  if (match.route != route::kNoRoute) {
    result["route"] = Napi::Number::New(env, match.route);
    std::string room(match.rest.size() + 1, '\0');
    http::DecodedPath rest = http::decode_path(match.rest, room.data());
    if (rest.check == http::PathCheck::ok) {
      result["rest"] = Napi::String::New(env, std::string(rest.text));
    }
  } else if (match.allow != nullptr) {
    for (std::string_view method : *match.allow) {
      allow[allow.Length()] = Napi::String::New(env, std::string(method));
    }
  }
  return result;
}

Napi::Value GatewayObject::stats(const Napi::CallbackInfo& info) {
  return encode_stats(info.Env(), group(info.Env()));
}

void GatewayObject::reopen_logs(const Napi::CallbackInfo&) {
  if (group_) group_->reopen_log();
}

void GatewayObject::drain(const Napi::CallbackInfo& info) {
  if (running_ == 0) return close(info);
  group_->drain();
}

void GatewayObject::close(const Napi::CallbackInfo&) {
  if (!group_) return;
  if (running_ > 0) return group_->stop();
  // Never listened: there is nobody who would say `ended`.
  running_ = 1;
  bridge_->keep_alive(true);
  worker::CoreEvent event;
  event.kind = worker::CoreEvent::Kind::ended;
  bridge_->emit(std::move(event));
}

void GatewayObject::receive(std::vector<worker::CoreEvent> events) {
  Napi::Env env = Env();
  Napi::Array batch = Napi::Array::New(env);
  bool has_ended = false;
  for (worker::CoreEvent& event : events) {
    using Kind = worker::CoreEvent::Kind;
    if (event.kind == Kind::looked && --looks_ == 0) bridge_->keep_alive(false);
    // Workers that had started when another could not be do not count.
    if (event.kind == Kind::ended) has_ended = running_ > 0 && --running_ == 0;
    if (event.kind == Kind::ended && !has_ended) continue;
    batch[batch.Length()] = encode_event(env, event, *group_);
  }
  if (has_ended) group_->close_log();  // whoever is told of the end may read the log
  if (batch.Length() > 0) call_back(batch);
  if (has_ended) end();
}

/// Runs microtasks afterwards; an exception becomes an uncaughtException, as in any callback.
void GatewayObject::call_back(const Napi::Array& events) {
  Napi::Env env = Env();
  napi_value argument = events;
  napi_value result = nullptr;
  napi_value receiver = Value();
  napi_status status =
      napi_make_callback(env, *context_, receiver, on_events_.Value(), 1, &argument, &result);
  if (status != napi_pending_exception) return;
  napi_value error = nullptr;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

void GatewayObject::end() {
  if (!group_) return;
  group_.reset();
  bridge_->close();
  bridge_ = nullptr;
  on_events_.Reset();
  context_.reset();
  if (cleanup_ != nullptr) napi_remove_async_cleanup_hook(std::exchange(cleanup_, nullptr));
  Unref();
}

void GatewayObject::on_environment_end(napi_async_cleanup_hook_handle, void* self) {
  static_cast<GatewayObject*>(self)->end();
}

}  // namespace sluice::binding
