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

Choice choose_for_file(bool in_memory, bool is_remote, Mode mode, bool sendfile_available,
                       Cipher cipher) {
  if (cipher == Cipher::openssl) {
    return {Engine::tls_copy, "the client speaks TLS: OpenSSL encrypts, with one copy"};
  }
  const Choice plain = choose_for_file(in_memory, is_remote, mode, sendfile_available);
  if (cipher == Cipher::none) return plain;
  if (plain.engine == Engine::sendfile) {
    return {Engine::ktls_sendfile, "the client speaks TLS: the kernel encrypts from its cache"};
  }
  return {Engine::ktls_copy, plain.reason};
}

Cipher cipher_of(const net::SocketState& socket) {
  if (socket.receives == nullptr) return Cipher::none;
  return socket.sends != nullptr ? Cipher::openssl : Cipher::kernel;
}

Engine memory_engine(Cipher cipher) {
  return cipher == Cipher::none ? Engine::memory : copy_engine(cipher);
}

Engine copy_engine(Cipher cipher) {
  switch (cipher) {
    case Cipher::none: return Engine::copy;
    case Cipher::openssl: return Engine::tls_copy;
    case Cipher::kernel: return Engine::ktls_copy;
  }
  return Engine::copy;
}

Engine splice_engine(Cipher cipher) {
  return cipher == Cipher::kernel ? Engine::ktls_splice : Engine::splice;
}

}  // namespace sluice::transfer
