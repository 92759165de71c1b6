// How a line of the access log looks: which fields, in which style, which requests, what is hidden.
// Compiled once from the configuration, immutable and shared by all workers. A line is made in two
// steps, since a request's head does not outlive its turn and its outcome is known later:
//
//   begin()  what the request says          '{"time":…,"method":…,'   or  '1.2.3.4 - - […] "GET …"
//   ' end()    what became of it, after that  '"status":200,…}'         or  '200 1024 "…" "…" …'
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/escape.h"
#include "log/record.h"
#include "log/text.h"

namespace sluice::log {

/// The fields by their names in the configuration and in JSON. Those up to `requestId` are known
/// with the head.
// clang-format off
#define SLUICE_LOG_FIELDS(X)                                                                     \
  X(time) X(client) X(method) X(host) X(target) X(protocol) X(route) X(referer) X(userAgent)     \
  X(worker) X(requestId)                                                                         \
  X(status) X(bytes) X(durationUs) X(engine) X(error) X(upstream) X(upstreamConnectUs)           \
  X(upstreamFirstByteUs) X(upstreamUs) X(retries)
// clang-format on

enum class Field : uint8_t {
#define X(name) name,
  SLUICE_LOG_FIELDS(X)
#undef X
      count_
};
inline constexpr size_t kFieldCount = static_cast<size_t>(Field::count_);

std::string_view field_name(Field field);
std::optional<Field> field_named(std::string_view name);

/// Where the lines go.
struct Destination {
  enum class Kind : uint8_t { stdout_, stderr_, file, socket };
  Kind kind = Kind::stdout_;
  std::string path;  ///< of a file or a unix socket (stream)
};

struct Settings {
  Style style = Style::json;
  std::vector<Field> fields;        ///< of JSON lines; in this order within each step
  std::array<double, 6> sample;     ///< share of requests by status / 100; [0]: without an answer
  std::vector<std::string> redact;  ///< names of query parameters, lower case
  Destination to;
};

/// Where begin() left a line: the outcome belongs at `middle`.
struct Begun {
  size_t begin = 0, middle = 0, end = 0;
};

/// The second of a time as text, made when it changes. One per worker.
struct ClockText {
  int64_t second = -1;
  std::string text;
};

class Format {
 public:
  Format(const Settings& settings, uint32_t worker);

  /// `wall_us`: the request's time since the epoch.
  Begun begin(const Request& request, int64_t wall_us, ClockText& clock, Text& text) const;

  /// The most that end() adds to a line.
  static constexpr size_t kMostEnding = 4096;
  /// Writes the line that begin() left as `before` (up to its middle) and `after`, with its outcome
  /// and line end; returns its end. The room is kMostEnding beyond both.
  char* end(std::string_view before, std::string_view after, const Outcome& outcome,
            char* out) const;

 private:
  struct Step {
    Field field;
    std::string name;  ///< '"status":'
  };
  /// The text values of a request, cut to what a line has room for.
  struct Values;

  static std::vector<Step> steps_of(const Settings& settings, bool of_outcome);
  char* begin_json(const Request& request, const Values& values, char* out) const;
  char* begin_combined(const Request& request, const Values& values, char* out) const;
  char* put_request_field(Field field, const Request& request, const Values& values,
                          char* out) const;
  char* put_outcome_field(Field field, const Outcome& outcome, char* out) const;

  const Style style_;
  const std::vector<std::string> redact_;
  const std::string worker_;
  const std::vector<Step> request_steps_, outcome_steps_;
};

}  // namespace sluice::log
