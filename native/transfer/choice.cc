// The rules of choice, most constraining first.
#include "transfer/choice.h"

namespace sluice::transfer {

Choice choose_for_file(bool in_memory, bool is_remote, Mode mode, bool sendfile_available) {
  if (in_memory) return {Engine::memory, "small enough to be held in memory: one send"};
  if (mode == Mode::copy) return {Engine::copy, "the route or configuration says transfer: 'copy'"};
  if (is_remote) return {Engine::copy, "its file system may hang: only I/O threads read from it"};
  if (!sendfile_available) return {Engine::copy, "sendfile is refused here (seccomp or kernel)"};
  return {Engine::sendfile, "larger than transfer.memoryBytes: the kernel sends from its cache"};
}

}  // namespace sluice::transfer
