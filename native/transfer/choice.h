// Which engine moves a body, and why: the one place that decides, asked by responses and by
// `sluice explain`. Pure functions of sizes, configuration and what the kernel allows.
#pragma once

#include <cstdint>

#include "transfer/transfer.h"

namespace sluice::transfer {

/// `transfer` of the configuration: `copy` turns every zero-copy path into its twin.
enum class Mode : uint8_t { automatic, copy };

struct Choice {
  Engine engine;
  const char* reason;  ///< one clause for people; static storage
};

/// For a body read from a file that is (or would be) held in memory or open by descriptor.
Choice choose_for_file(bool in_memory, bool is_remote, Mode mode, bool sendfile_available);

}  // namespace sluice::transfer
