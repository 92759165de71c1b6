// What the core tells whoever steers it (the bridge to TypeScript, or a test): questions, outcomes
// of look-ups, reports. Emitted on any thread; the receiver queues them for its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "files/encoder.h"
#include "files/opener.h"

namespace sluice::worker {

struct CoreEvent {
  enum class Kind : uint8_t {
    question,
    looked,
    encoded,
    touched,
    stale,
    fault,
    adopted,  ///< every worker has that generation of the configuration
    retired,  ///< nothing is under way on it any more
    ended
  };
  Kind kind = Kind::fault;
  uint32_t worker = 0;
  uint64_t id = 0;        ///< of the question, the look-up or the encoding; the generation
  uint32_t route = 0;     ///< question
  std::string text;       ///< question: path; fault: message
  const char* code = "";  ///< fault: name from the list of errors or of errno; static storage
  files::Looked looked;
  files::Encoded encoded;
  std::vector<uint64_t> answers;  ///< touched, stale
};

class EventSink {
 public:
  /// Any thread; must not block.
  virtual void emit(CoreEvent event) = 0;

 protected:
  ~EventSink() = default;
};

}  // namespace sluice::worker
