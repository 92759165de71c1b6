// What a connection keeps of an upload while it is under way. The worker's thread only, but for
// the upload itself, which an I/O thread has while `order` is not none.
#pragma once

#include <string>
#include <string_view>

#include "files/upload.h"
#include "log/lines.h"
#include "transfer/broadcast.h"
#include "transfer/intake.h"
#include "worker/generation.h"
#include "worker/pace.h"

namespace sluice::worker {

class Worker;

/// What TypeScript is asked under whether a name may be written: no path has a NUL.
inline constexpr std::string_view kMayWrite("\0put/", 5);

/// What is published when all of it has come.
struct Publishing {
  uint32_t channel = 0;
  transfer::Publication publication;
  transfer::Load load;
};

/// What is taken in: a file, or a message.
struct Uploading {
  enum class Order : uint8_t { none, open, write, store, remove };

  Ref<files::Upload> upload;
  std::unique_ptr<Publishing> publishing;  ///< instead of a file
  transfer::Intake intake;
  Order order = Order::none;                    ///< what an I/O thread is doing
  http::Framing framing = http::Framing::none;  ///< of a body that may be skipped
  uint64_t length = 0;                          ///< likewise
  int64_t ordered_ms = 0;                       ///< since when
  ErrorCode error = ErrorCode::none;
  bool is_stored = false;
  bool copies = false;  ///< nothing is spliced
  bool waits_for_continue = false;
  bool names_itself = false;
  uint32_t route = 0;
  Ref<Generation> generation;  ///< that it is served with
  std::string fields;          ///< of the route
  std::string head;            ///< of the request, where a hook is asked about the answer
  std::string location;        ///< path of the request, as received
  Pace pace;                   ///< of the client, while we wait for it
  log::Text text;              ///< of the access log: what the head said
  log::Begun begun;
};

/// The answer to what was taken in, while a hook is asked about it.
struct Taken {
  uint16_t status = 0;
  std::string head;
  transfer::Engine engine = transfer::Engine::memory;
  uint32_t route = 0;
};

/// An I/O thread has done with an upload whose connection is gone.
void discard_upload(Worker& worker, Ref<files::Upload> upload);

}  // namespace sluice::worker
