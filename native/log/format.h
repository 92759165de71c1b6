// How a line of the access log looks: which fields, in which style, which requests, what is hidden.
// Compiled once from the configuration; used by the thread that writes. Bytes only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address_counts.h"
#include "log/escape.h"
#include "log/record.h"
#include "log/text.h"
#include "net/address.h"

namespace sluice::log {

/// The fields by their names in the configuration and in JSON.
// clang-format off
#define SLUICE_LOG_FIELDS(X)                                                                     \
  X(time) X(client) X(method) X(host) X(target) X(protocol) X(worker) X(route) X(referer)        \
  X(userAgent) X(requestId)                                                                      \
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
  std::vector<Field> fields;        ///< of JSON lines, in whatever order
  std::array<double, 6> sample;     ///< share of requests by status / 100; [0]: without an answer
  std::vector<std::string> redact;  ///< names of query parameters, lower case
  Destination to;
};

class Format {
 public:
  /// `routes`: keys by id.
  Format(const Settings& settings, std::vector<std::string> routes);

  /// Other keys from now on.
  void name_routes(std::vector<std::string> routes);

  /// Appends the line of `record`, which `worker` made, with its line end.
  void write(const Record& record, uint32_t worker, Text& text);

 private:
  static constexpr uint32_t bit(Field field) { return uint32_t{1} << static_cast<unsigned>(field); }
  bool wants(Field field) const { return (wanted_ & bit(field)) != 0; }
  std::string_view route_of(const Record& record) const {
    return record.route < routes_.size() ? routes_[record.route] : std::string_view();
  }
  char* put_json(const Record& record, const RecordTexts& texts, uint32_t worker, char* out) const;
  char* put_combined(const Record& record, const RecordTexts& texts, char* out) const;
  char* put_time(const Record& record, char* out) const;
  char* put_client(char* out) const;
  char* put_second(char* out) const;
  char* put_request(const Record& record, const RecordTexts& texts, char* out) const;
  char* put_fields(const RecordTexts& texts, char* out) const;
  char* put_outcome(const Record& record, char* out) const;
  char* put_upstream(const Record& record, const RecordTexts& texts, char* out) const;

  const Style style_;
  const std::vector<std::string> redact_;
  std::vector<std::string> routes_;  ///< cut and escaped
  uint32_t wanted_ = 0;              ///< a bit for each field of JSON lines
  // What many lines behind each other have in common, made when it changes.
  int64_t second_ = -1;
  AddressKey client_;
  char second_text_[32] = {}, client_text_[net::kAddressBytes] = {};
  size_t second_size_ = 0, client_size_ = 0;
};

}  // namespace sluice::log
