// A transfer moves the bytes of one body from where they are to one socket, by one engine
// (DESIGN §3). One interface, one engine per mechanism; the engine is chosen once per response
// (transfer/choice.h). Runs on the worker that owns the socket; keeps no pointer to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/source.h"
#include "net/socket_state.h"

namespace sluice::transfer {

/// Mechanisms that move bytes. The names are those of stats, logs and `explain`.
enum class Engine : uint8_t {
  memory,     ///< send of bytes that the core holds
  sendfile,   ///< sendfile at an explicit offset
  copy,       ///< pread or recv, and send: the twin of the others
  splice,     ///< socket to pipe to socket
  splice_in,  ///< socket to pipe to file
  // To clients that speak TLS:
  tls_copy,       ///< encrypted by OpenSSL, with one copy, whatever the source
  ktls_copy,      ///< encrypted by the kernel as it copies
  ktls_sendfile,  ///< likewise from the page cache
  ktls_splice,    ///< likewise from a pipe
  count_
};
inline constexpr size_t kEngineCount = static_cast<size_t>(Engine::count_);

/// "sendfile" for Engine::sendfile.
std::string_view engine_name(Engine engine);

/// What is still to be sent.
struct Transfer {
  Engine engine = Engine::memory;
  Ref<const Source> source;
  uint64_t offset = 0;  ///< of the next byte, in the source
  uint64_t left = 0;    ///< bytes
  /// Up to here an I/O thread has read just now, where only that makes pages be in memory.
  uint64_t ready_to = 0;
  /// Bytes of the source that an I/O thread has read for this transfer, and where they begin.
  std::string filled;
  uint64_t filled_at = 0;
  uint64_t cold_at = UINT64_MAX;  ///< where it was cold the last time
  /// When its source's first byte was found in memory, if every byte since was; 0: unknown.
  int64_t warm_since_us = 0;
};

enum class Step : uint8_t {
  done,          ///< nothing left
  more,          ///< the turn's budget is used up; the socket would take more
  blocked,       ///< the socket is full
  cold,          ///< the next bytes are not in memory: let an I/O thread read ahead
  short_source,  ///< the source ended before the promised length: close the connection
  peer_gone,     ///< the client closed or reset
  failed         ///< reading failed: close the connection
};

struct Progress {
  Step step = Step::done;
  uint64_t moved = 0;  ///< bytes that the socket took in this step
};

/// Moves at most `budget` bytes of `transfer` to `socket`, which an engine of its kind serves.
/// `scratch` is room of the worker's that the copying engine may use during the call. `now_us`
/// dates the probe of cold pages.
Progress step(Transfer& transfer, net::SocketState& socket, uint64_t budget,
              std::span<char> scratch, int64_t now_us);

/// What an I/O thread did for a transfer that was cold.
struct ReadAhead {
  bool readable = true;
  bool is_short = false;  ///< the source ends where bytes were promised
  uint64_t ready_to = 0;
  std::string filled;
};

/// Whether the next read-ahead must bring the bytes themselves: their pages cannot be relied on to
/// stay (a file system that may hang, or a disk that was cold here a moment ago). Worker.
bool wants_filling(Transfer& transfer);
/// Reads what the next step wants, on an I/O thread; `fill`: into memory of ours, for any engine.
ReadAhead read_ahead(const Transfer& transfer, uint64_t budget, bool fill);
/// Takes over what was read. Worker.
void accept(Transfer& transfer, ReadAhead ahead);

}  // namespace sluice::transfer
