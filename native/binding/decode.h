// The configuration and answers of src/native/interface.ts, decoded in one call into owned structs.
// One function per part; throws Napi::TypeError naming the path of the first thing wrong.
#pragma once

#include "binding/reader.h"
#include "files/answer.h"
#include "files/encoder.h"
#include "net/tls_settings.h"
#include "worker/worker_group.h"

namespace sluice::binding {

worker::GroupOptions decode_config(const Reader& config);

net::TlsSettings decode_tls(const Reader& tls);

/// `group` resolves the file's id; a file that was released meanwhile makes `file` null and `lost`
/// true: the answer cannot be given any more.
files::AnswerSource decode_answer(const Reader& answer, const worker::WorkerGroup& group,
                                  bool& lost);

/// A file that is to be encoded; `lost` as above.
files::EncodeJob decode_encode_job(const Reader& job, const worker::WorkerGroup& group, bool& lost);

/// A path beneath a root, and how to look at it.
files::Look decode_look(const Reader& where);

}  // namespace sluice::binding
