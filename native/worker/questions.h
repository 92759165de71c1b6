// The open questions of one worker: which requests are parked for which answer. One path is asked
// once however many requests wait for it. Also the second looks at what remembered answers rest on,
// made by I/O threads. The worker's thread only.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "files/answer_table.h"
#include "worker/question_lines.h"

namespace sluice::worker {

class Worker;

class Questions {
 public:
  explicit Questions(Worker& worker) : worker_(worker) {}

  /// Parks whoever waits under `ticket` until (route, path) is answered, and asks when nobody has.
  /// Beyond the share of the client's address it stands in line first, and is resumed without an
  /// answer to ask again. False: too many are parked already.
  bool ask(files::PathKeyView key, const AddressKey& address, uint64_t ticket);

  /// Parks `ticket` until an I/O thread has looked again at what `answer` rests on; what changed is
  /// forgotten and asked anew. False: too many are parked already.
  bool look_again(files::PathKeyView key, files::Answer& answer, const AddressKey& address,
                  uint64_t ticket);

  /// TypeScript answered question `id`.
  void on_answer(uint64_t id, Ref<files::Answer> answer);

  /// Somebody who was parked waits no longer: answered, timed out or gone.
  void leave();

  size_t parked() const { return parked_; }

 private:
  struct Pending {
    files::PathKey key;
    AddressKey share;               ///< of whoever asked first
    std::vector<uint64_t> waiting;  ///< tickets of connections; some may be gone
  };

  enum class Parked : uint8_t { refused, in_line, with_others, first };
  Parked park(files::PathKeyView key, const AddressKey& address, uint64_t ticket);
  void admit();
  void on_looked(uint64_t id, Ref<files::Answer> answer, bool unchanged);
  void emit_question(uint64_t id, const files::PathKey& key);
  void finish(uint64_t id, const Ref<files::Answer>& answer);

  Worker& worker_;
  uint64_t next_id_ = 1;
  size_t parked_ = 0;
  std::unordered_map<uint64_t, Pending> pending_;
  files::PathMap<uint64_t> by_key_;
  QuestionLines lines_;
};

}  // namespace sluice::worker
