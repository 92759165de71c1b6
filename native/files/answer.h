// What a worker remembers about one path of a file route: the answer that TypeScript gave, with the
// response heads built once. Belongs to one worker; the file in it is shared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/limits.h"
#include "core/ref.h"
#include "files/file.h"
#include "files/watch.h"
#include "http/accept.h"
#include "http/conditional.h"

namespace sluice::files {

/// Where an answer sends the client: the request's path without its last `drop` characters
/// (decoded: an escape is one), then `add`, then the request's query.
struct Relocation {
  size_t drop = 0;
  std::string add;
};

/// The same content as JSON.
struct JsonTwin {
  std::string fields;
  std::string body;
};

/// The same file in a content coding.
struct EncodedFile {
  http::Coding coding;
  Ref<const File> file;
};

/// How what an answer rests on is watched.
struct Grounds {
  std::vector<Ref<const Watch>> watches;
  bool is_reliable = false;  ///< every change is told, so it is looked at again less often
  bool has_changed = false;  ///< before the answer was there: look again with the next request
};

/// An answer as TypeScript gave it (src/native/interface.ts, NativeAnswer).
struct AnswerSource {
  uint64_t id = 0;
  uint16_t status = 200;
  std::string fields;  ///< "Name: value\r\n" lines
  Ref<const File> file;
  http::Coding coding = http::Coding::identity;  ///< of `file`
  std::vector<EncodedFile> variants;             ///< what is rather sent comes first
  std::string body;
  bool has_body = false;  ///< false and no file: the core's short text for the status
  std::optional<Relocation> relocation;
  bool otherwise = false;
  std::optional<JsonTwin> json;
  bool remember = true;
  std::vector<Look> looks;
  Grounds grounds;  ///< filled in by the core
};

/// "size-mtime" in hexadecimal, with quotes: changes whenever either does.
std::string etag_of(uint64_t size, int64_t mtime_s, uint32_t mtime_ns);

struct Answer;

/// An answer for clients that take its coding.
struct Variant {
  http::Coding coding;
  Ref<const Answer> answer;
};

/// Heads are status line and fields without Date, Server, Connection and the empty line.
struct Answer : Counted<Answer> {
  explicit Answer(AnswerSource source);

  uint64_t id;
  uint16_t status;
  bool otherwise;  ///< no file is there: the route's other action takes the request
  bool remember;
  bool touched = false;  ///< served since the last report to TypeScript
  bool young;  ///< opened so soon after its mtime that it must be opened again (DESIGN §7)
  int64_t checked_us = 0;  ///< when what it rests on was last looked at
  std::vector<Look> looks;
  Grounds grounds;
  std::optional<Relocation> relocation;
  Ref<const Answer> json;  ///< the same content for clients that prefer JSON; null: none
  http::Coding coding;     ///< of the file

  /// The same content encoded; what is rather sent comes first. Each has its own validators and
  /// nothing else that differs but Content-Encoding.
  std::vector<Variant> variants;

  Ref<const File> file;          ///< null: `text` is the body
  Ref<const Source> text;        ///< body without a file; null for file answers
  std::string fields;            ///< as given
  std::string cache_fields;      ///< those without Content-*: what a 304 carries
  std::string route_fields;      ///< and without Cache-Control and Expires: 412, 416
  std::string head;              ///< the whole representation, with Content-Length
  std::string validator_fields;  ///< ETag, Last-Modified, Accept-Ranges
  std::string etag;
  int64_t last_modified_s = -1;

  /// Something that it rests on is known to have changed.
  bool has_changed() const {
    for (const auto& watch : grounds.watches) {
      if (watch->changed()) return true;
    }
    return false;
  }
  /// How long it is believed before what it rests on is looked at again.
  int64_t trust_us() const { return grounds.is_reliable && !young ? kWatchedTrustUs : kTrustUs; }

  /// What this client gets: the variant that it weighs highest, the first of several, or this.
  const Answer& chosen_for(const http::RequestHead& request) const;

  http::Validators validators() const { return {etag, last_modified_s}; }
  uint64_t size() const { return file ? file->size : text->bytes.size(); }
  const Source& source() const { return file ? static_cast<const Source&>(*file) : *text; }

 private:
  void add_variants(std::vector<EncodedFile> files);
  void add_validators();
};

}  // namespace sluice::files
