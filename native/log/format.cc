// JSON: every step writes '"name":value,' and the last comma becomes the end of the object, so that
// a field without a value costs nothing. Values longer than their bound are cut: a line has an end.
#include "log/format.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/limits.h"
#include "net/address.h"

namespace sluice::log {
namespace {

constexpr std::array<std::string_view, kFieldCount> kNames = {
#define X(name) #name,
    SLUICE_LOG_FIELDS(X)
#undef X
};

constexpr int64_t kSecondUs = 1'000'000;
constexpr size_t kMostNumber = 20;  // 2^64 - 1
/// The most that begin() writes beside escaped values: names, marks, address, time.
constexpr size_t kMostFixed = 512;

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_number(char* out, uint64_t value) {
  return std::to_chars(out, out + kMostNumber, value).ptr;
}

uint64_t elapsed(const Outcome& outcome) {
  return static_cast<uint64_t>(std::max<int64_t>(outcome.ended_us - outcome.started_us, 0));
}

std::string second_text(Style style, int64_t second) {
  time_t wanted = second;
  tm parts{};
  gmtime_r(&wanted, &parts);
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto two = [](int value) {
    return std::string{static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
  };
  const std::string year = std::to_string(1900 + parts.tm_year), day = two(parts.tm_mday);
  const std::string clock = two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec);
  if (style == Style::json) return year + "-" + two(parts.tm_mon + 1) + "-" + day + "T" + clock;
  return day + "/" + kMonths[parts.tm_mon] + "/" + year + ":" + clock + " +0000";
}

std::string_view cut(std::string_view text, size_t most) { return text.substr(0, most); }

std::string_view first_line(std::string_view bytes) {
  // An empty line before the request line is none of it (RFC 9112 §2.2).
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  return bytes.substr(0, bytes.find_first_of("\r\n"));
}

}  // namespace

std::string_view field_name(Field field) { return kNames[static_cast<size_t>(field)]; }

std::optional<Field> field_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Field>(found - kNames.begin());
}

struct Format::Values {
  explicit Values(const Request& request, const ClockText& clock, int64_t wall_us)
      : second(clock.text), milliseconds(static_cast<unsigned>(wall_us % kSecondUs / 1'000)) {
    route = cut(request.route, kLogRouteBytes);
    if (request.head == nullptr) {
      target = cut(first_line(request.bytes), kLogTargetBytes);
      return;
    }
    const http::RequestHead& head = *request.head;
    method = cut(head.method_text, kLogMethodBytes);
    host = cut(head.host, kLogHostBytes);
    port = head.port;
    target = cut(head.target, kLogTargetBytes);
    referer = cut(head.find(http::FieldId::referer), kLogFieldBytes);
    agent = cut(head.find(http::FieldId::user_agent), kLogFieldBytes);
    request_id = cut(head.find(http::FieldId::x_request_id), kLogHostBytes);
    protocol = head.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
  }

  size_t bytes() const {
    return method.size() + host.size() + port.size() + target.size() + referer.size() +
           agent.size() + request_id.size() + route.size();
  }

  std::string_view second;
  unsigned milliseconds;
  /// Those that are missing are empty. Of a request that was not parsed `target` is its first line.
  std::string_view method, host, port, target, referer, agent, request_id, protocol, route;
};

std::vector<Format::Step> Format::steps_of(const Settings& settings, bool of_outcome) {
  std::vector<Step> steps;
  for (const Field field : settings.fields) {
    const auto is_it = [field](const Step& step) { return step.field == field; };
    // Each once: the room for a line is reckoned so.
    if ((field > Field::requestId) != of_outcome || std::ranges::any_of(steps, is_it)) continue;
    steps.push_back({field, "\"" + std::string(field_name(field)) + "\":"});
  }
  return steps;
}

Format::Format(const Settings& settings, uint32_t worker)
    : style_(settings.style),
      redact_(settings.redact),
      worker_(std::to_string(worker)),
      request_steps_(steps_of(settings, false)),
      outcome_steps_(steps_of(settings, true)) {}

Begun Format::begin(const Request& request, int64_t wall_us, ClockText& clock, Text& text) const {
  const int64_t second = wall_us / kSecondUs;
  if (second != clock.second) clock = {second, second_text(style_, second)};
  const Values values(request, clock, wall_us);
  const size_t begin = text.size();
  char* const room = text.room(kMostFixed + kWorstEscape * values.bytes());
  if (style_ == Style::json) {
    char* const end = begin_json(request, values, room);
    text.ends_at(end);
    return {begin, text.size(), text.size()};
  }
  char* const middle = begin_combined(request, values, room);
  char* end = put(middle, " \"");
  end = values.referer.empty() ? put(end, "-")
                               : escape_redacted(style_, values.referer, redact_, end);
  end = put(end, "\" \"");
  end = values.agent.empty() ? put(end, "-") : escape(style_, values.agent, end);
  text.ends_at(put(end, "\" "));
  return {begin, begin + static_cast<size_t>(middle - room), text.size()};
}

char* Format::begin_combined(const Request& request, const Values& values, char* out) const {
  out += net::write_address(request.client, out);
  out = put(put(put(out, " - - ["), values.second), "] \"");
  if (request.head != nullptr) {
    out = put(escape(style_, values.method, out), " ");
    out = escape_redacted(style_, values.target, redact_, out);
    out = put(put(out, " "), values.protocol);
  } else {
    out = escape_redacted(style_, values.target, redact_, out);
  }
  return put(out, "\" ");
}

char* Format::begin_json(const Request& request, const Values& values, char* out) const {
  out = put(out, "{");
  for (const Step& step : request_steps_) {
    const bool is_raw = step.field == Field::target && request.head == nullptr;
    const std::string_view name = is_raw ? std::string_view("\"request\":") : step.name;
    char* const value = put(out, name);
    char* const end = put_request_field(step.field, request, values, value);
    if (end == value) continue;
    out = end;
    *out++ = ',';
  }
  return out;
}

/// Nothing is written for a value that is missing.
char* Format::put_request_field(Field field, const Request& request, const Values& values,
                                char* out) const {
  const auto quoted = [out, this](std::string_view text) {
    if (text.empty()) return out;
    return put(escape(style_, text, put(out, "\"")), "\"");
  };
  const auto redacted = [out, this](std::string_view text) {
    if (text.empty()) return out;
    return put(escape_redacted(style_, text, redact_, put(out, "\"")), "\"");
  };
  switch (field) {
    case Field::time: {
      char* end = put(put(out, "\""), values.second);
      const unsigned ms = values.milliseconds;
      const char digits[] = {'.', static_cast<char>('0' + ms / 100),
                             static_cast<char>('0' + ms / 10 % 10),
                             static_cast<char>('0' + ms % 10)};
      return put(put(end, {digits, sizeof digits}), "Z\"");
    }
    case Field::client: {
      char* const address = put(out, "\"");
      return put(address + net::write_address(request.client, address), "\"");
    }
    case Field::method: return quoted(values.method);
    case Field::host: {
      if (values.host.empty()) return out;
      char* end = escape(style_, values.host, put(out, "\""));
      if (!values.port.empty()) end = escape(style_, values.port, put(end, ":"));
      return put(end, "\"");
    }
    case Field::target: return redacted(values.target);
    case Field::protocol: return quoted(values.protocol);
    case Field::route: return quoted(values.route);
    case Field::referer: return redacted(values.referer);
    case Field::userAgent: return quoted(values.agent);
    case Field::worker: return put(out, worker_);
    case Field::requestId: return quoted(values.request_id);
    default: return out;
  }
}

char* Format::put_outcome_field(Field field, const Outcome& outcome, char* out) const {
  const auto word = [out](std::string_view text) {
    return text.empty() ? out : put(put(put(out, "\""), text), "\"");
  };
  const Upstream* upstream = outcome.upstream;
  const auto micros = [out, upstream](int64_t Upstream::*time) {
    if (upstream == nullptr || upstream->*time < 0) return out;
    return put_number(out, static_cast<uint64_t>(upstream->*time));
  };
  switch (field) {
    case Field::status: return put_number(out, outcome.status);
    case Field::bytes: return put_number(out, outcome.bytes);
    case Field::durationUs: return put_number(out, elapsed(outcome));
    case Field::engine: return word(outcome.engine);
    case Field::error:
      return outcome.error == ErrorCode::none ? out : word(error_info(outcome.error).name);
    case Field::upstream: {
      if (upstream == nullptr || upstream->target.empty()) return out;
      const std::string_view target = cut(upstream->target, kLogHostBytes);
      return put(escape(style_, target, put(out, "\"")), "\"");
    }
    case Field::upstreamConnectUs: return micros(&Upstream::connect_us);
    case Field::upstreamFirstByteUs: return micros(&Upstream::first_byte_us);
    case Field::upstreamUs: return micros(&Upstream::total_us);
    case Field::retries:
      return upstream == nullptr || upstream->retries == 0 ? out
                                                           : put_number(out, upstream->retries);
    default: return out;
  }
}

char* Format::end(std::string_view before, std::string_view after, const Outcome& outcome,
                  char* out) const {
  out = put(out, before);
  if (style_ == Style::combined) {
    if (outcome.status == 0) out = put(out, "00");
    out = put(put_number(out, outcome.status), " ");
    out = outcome.bytes == 0 ? put(out, "-") : put_number(out, outcome.bytes);
    out = put(put_number(put(out, after), elapsed(outcome)), " ");
    return put(put(out, outcome.engine.empty() ? "-" : outcome.engine), "\n");
  }
  for (const Step& step : outcome_steps_) {
    char* const value = put(out, step.name);
    char* const end = put_outcome_field(step.field, outcome, value);
    if (end == value) continue;
    out = end;
    *out++ = ',';
  }
  if (out[-1] == ',') --out;
  return put(out, "}\n");
}

}  // namespace sluice::log
