// The addon's module: what src/native/addon.ts loads (NativeAddon in src/native/interface.ts).
// Loaded once per JavaScript environment; keeps no state outside its gateways.
#include <napi.h>

#include "binding/decode.h"
#include "binding/encode.h"
#include "binding/gateway_object.h"
#include "binding/process_sockets.h"
#include "net/cpus.h"
#include "net/tls_context.h"

namespace sluice::binding {
namespace {

const char* build_kind() {
#if defined(SLUICE_ASAN)
  return "asan";
#elif defined(SLUICE_TSAN)
  return "tsan";
#else
  return "release";
#endif
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto* constructor = new Napi::FunctionReference(Napi::Persistent(GatewayObject::define(env)));
  env.SetInstanceData(constructor);  // deleted with the environment
  exports["createGateway"] =
      Napi::Function::New(env, [constructor](const Napi::CallbackInfo& info) -> Napi::Value {
        return constructor->New({info[0], info[1]});
      });
  exports["capabilities"] = Napi::Function::New(
      env, [](const Napi::CallbackInfo& info) { return encode_capabilities(info.Env()); });
  exports["checkTls"] = Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    std::vector<net::TlsProblem> problems;
    net::TlsContext::load(decode_tls(Reader(info[0], "tls")), problems);
    return encode_tls_problems(info.Env(), problems);
  });
  exports["tlsLibrary"] = net::tls_library();
  exports["usableCpus"] = Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), net::usable_cpus());
  });
  exports["buildKind"] = build_kind();
  export_process_sockets(env, exports);
  return exports;
}

}  // namespace
}  // namespace sluice::binding

using sluice::binding::initialize;
NODE_API_MODULE(sluice, initialize)
