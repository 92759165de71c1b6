// Which engine moves a body, and why: the one place that decides, asked by responses and by
// `sluice explain`. Pure functions of sizes, configuration and what the kernel allows.
#pragma once

#include <cstdint>

#include "transfer/transfer.h"

namespace sluice::transfer {

/// `transfer` of the configuration: `copy` turns every zero-copy path into its twin.
enum class Mode : uint8_t { automatic, copy };

/// Who encrypts what goes to the client.
enum class Cipher : uint8_t { none, openssl, kernel };

struct Choice {
  Engine engine;
  const char* reason;  ///< one clause for people; static storage
};

/// For a body read from a file that is (or would be) held in memory or open by descriptor.
Choice choose_for_file(bool in_memory, bool is_remote, Mode mode, bool sendfile_available);
/// Likewise, for a client to whom `cipher` encrypts.
Choice choose_for_file(bool in_memory, bool is_remote, Mode mode, bool sendfile_available,
                       Cipher cipher);

Cipher cipher_of(const net::SocketState& socket);
/// The engine of bytes that are copied to such a client, out of memory or from another socket.
Engine memory_engine(Cipher cipher);
Engine copy_engine(Cipher cipher);
Engine splice_engine(Cipher cipher);

}  // namespace sluice::transfer
