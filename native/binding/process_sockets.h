// Sockets that the process as a whole deals with: the admin listener, what is handed to a successor
// and taken from a predecessor, words to a service manager. The main thread only.
#pragma once

#include <napi.h>

namespace sluice::binding {

/// Adds the functions to what the module exports (NativeAddon in src/native/interface.ts).
void export_process_sockets(Napi::Env env, Napi::Object exports);

}  // namespace sluice::binding
