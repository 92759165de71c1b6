// Decode, call, encode; a refusal of the system is thrown with its `code`. What a message brought
// is closed here when the message cannot be used.
#include "binding/process_sockets.h"

#include "binding/encode.h"
#include "binding/reader.h"
#include "files/opener.h"
#include "net/descriptor_passing.h"
#include "net/listener.h"
#include "net/sys.h"

namespace sluice::binding {
namespace {

[[noreturn]] void refuse(Napi::Env env, const char* call, int64_t error) {
  const char* code = files::errno_name(static_cast<int>(-error));
  Napi::Error thrown = Napi::Error::New(env, std::string(call) + ": " + code);
  thrown.Set("code", code);
  throw thrown;
}

int descriptor(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<int>(Reader(info[index], "descriptor").integer(0, INT32_MAX));
}

/// (host, port) or (path, null): a listening socket for one thread.
Napi::Value bind_socket(const Napi::CallbackInfo& info) {
  net::Endpoint endpoint;
  if (info[1].IsNumber()) {
    endpoint.host = Reader(info[0], "host").text();
    endpoint.port = static_cast<uint16_t>(Reader(info[1], "port").integer(0, UINT16_MAX));
  } else {
    endpoint.path = Reader(info[0], "path").text();
  }
  net::BoundListener bound;
  const net::BindError error = net::bind_listener(endpoint, 1, bound);
  if (error.error != 0) refuse(info.Env(), error.call, error.error);
  Napi::Object result = Napi::Object::New(info.Env());
  result["fd"] = Napi::Number::New(info.Env(), bound.fds.front());
  result["address"] = encode_endpoint(info.Env(), bound.endpoint);
  return result;
}

/// Where a socket is bound; null: it is none, or of another family.
Napi::Value socket_address(const Napi::CallbackInfo& info) {
  net::Endpoint endpoint;
  if (!net::local_endpoint(descriptor(info, 0), endpoint)) return info.Env().Null();
  return encode_endpoint(info.Env(), endpoint);
}

Napi::Value connect_to(const Napi::CallbackInfo& info) {
  const auto patience_ms = static_cast<int>(Reader(info[1], "patienceMs").integer(1, 600'000));
  const int fd = net::connect_to(Reader(info[0], "path").text(), patience_ms);
  if (fd < 0) refuse(info.Env(), "connect", fd);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value peer_user(const Napi::CallbackInfo& info) {
  const int64_t user = net::peer_user(descriptor(info, 0));
  if (user < 0) refuse(info.Env(), "getsockopt", user);
  return Napi::Number::New(info.Env(), static_cast<double>(user));
}

void send_descriptors(const Napi::CallbackInfo& info) {
  Reader sockets(info[2], "descriptors");
  std::vector<int> fds;
  for (uint32_t i = 0; i < sockets.length(); ++i) {
    fds.push_back(static_cast<int>(sockets.at(i).integer(0, INT32_MAX)));
  }
  const int sent = net::pass_descriptors(descriptor(info, 0), Reader(info[1], "text").text(), fds);
  if (sent < 0) refuse(info.Env(), "sendmsg", sent);
}

Napi::Value receive_descriptors(const Napi::CallbackInfo& info) {
  net::Passed passed;
  if (const int error = net::take_descriptors(descriptor(info, 0), passed); error < 0) {
    for (int fd : passed.fds) sys::close(fd);
    refuse(info.Env(), "recvmsg", error);
  }
  Napi::Array fds = Napi::Array::New(info.Env());
  for (int fd : passed.fds) fds[fds.Length()] = Napi::Number::New(info.Env(), fd);
  Napi::Object result = Napi::Object::New(info.Env());
  result["text"] = Napi::String::New(info.Env(), passed.text);
  result["descriptors"] = fds;
  return result;
}

void send_datagram(const Napi::CallbackInfo& info) {
  const std::string path = Reader(info[0], "path").text();
  const int sent = net::send_datagram(path, Reader(info[1], "text").text());
  if (sent < 0) refuse(info.Env(), "sendmsg", sent);
}

}  // namespace

void export_process_sockets(Napi::Env env, Napi::Object exports) {
  exports["bindSocket"] = Napi::Function::New(env, bind_socket);
  exports["socketAddress"] = Napi::Function::New(env, socket_address);
  exports["connectTo"] = Napi::Function::New(env, connect_to);
  exports["peerUser"] = Napi::Function::New(env, peer_user);
  exports["sendDescriptors"] = Napi::Function::New(env, send_descriptors);
  exports["receiveDescriptors"] = Napi::Function::New(env, receive_descriptors);
  exports["sendDatagram"] = Napi::Function::New(env, send_datagram);
}

}  // namespace sluice::binding
