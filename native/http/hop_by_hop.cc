// The names in Connection. Fields that a message means something else without are never dropped
// because Connection names them: a client could otherwise take off what a proxy before us has put
// on (X-Forwarded-For, Authorization), which is an old attack.
#include "http/hop_by_hop.h"

#include <algorithm>

#include "http/chars.h"
#include "http/response_parser.h"

namespace sluice::http {
namespace {

/// Options of Connection that name no field that could pass.
constexpr std::string_view kPlainOptions[] = {"keep-alive", "close", "upgrade", "te",
                                              "proxy-connection"};

/// What a message means something else without, or is checked by. RFC 9110 §7.6.1 forbids senders
/// to name such fields. Whoever does it all the same is not obeyed, rather than refused: with the
/// field the message is what it was when it was sent, and nothing is won by failing it.
constexpr std::string_view kKept[] = {
    "accept-ranges", "age",
    "authorization", "cache-control",
    "cookie",        "date",
    "etag",          "expect",
    "expires",       "forwarded",
    "host",          "last-modified",
    "location",      "max-forwards",
    "origin",        "pragma",
    "range",         "referer",
    "retry-after",   "set-cookie",
    "traceparent",   "tracestate",
    "trailer",       "vary",
    "via",           "www-authenticate",
    "x-request-id",  "x-accel-redirect",
    "x-real-ip",
};

/// Of those, whole families: what the content is, who may read it, preconditions, who asked.
constexpr std::string_view kKeptPrefixes[] = {"access-control-", "content-", "if-", "sec-",
                                              "x-forwarded-"};

bool is_kept(std::string_view name) {
  const auto begins = [name](std::string_view prefix) {
    return name.size() > prefix.size() &&
           equals_ignoring_case(name.substr(0, prefix.size()), prefix);
  };
  const auto equals = [name](std::string_view kept) { return equals_ignoring_case(name, kept); };
  return std::ranges::any_of(kKeptPrefixes, begins) || std::ranges::any_of(kKept, equals);
}

bool is_about_whole_content(std::string_view name) {
  return equals_ignoring_case(name, "etag") || equals_ignoring_case(name, "content-digest") ||
         equals_ignoring_case(name, "content-md5");
}

/// Whatever Connection says.
bool is_always_hop_by_hop(FieldId id) {
  switch (id) {
    case FieldId::connection:
    case FieldId::keep_alive:
    case FieldId::proxy:
    case FieldId::proxy_authenticate:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::transfer_encoding:
    case FieldId::upgrade: return true;
    default: return false;
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// Whether a Connection field has `name` among its options.
bool names(std::string_view connection, std::string_view name) {
  std::string_view option;
  while (next_list_element(connection, option)) {
    if (std::ranges::equal(option, name, {}, lower, lower)) return true;
  }
  return false;
}

}  // namespace

HopByHop::HopByHop(const RequestHead& head) { collect(head); }
HopByHop::HopByHop(const ResponseHead& head) { collect(head); }

template <typename Head>
void HopByHop::collect(const Head& head) {
  if (head.first_of[static_cast<size_t>(FieldId::connection)] == 0) return;
  fields_ = std::span(head.fields).first(head.field_count);
  for (size_t i = 0; i < head.field_count; ++i) {
    if (head.fields[i].id == FieldId::connection) add_options(head.fields[i].value);
  }
}

void HopByHop::add_options(std::string_view connection) {
  std::string_view option;
  while (next_list_element(connection, option)) {
    if (option.empty() || std::ranges::any_of(kPlainOptions, [option](std::string_view plain) {
          return equals_ignoring_case(option, plain);
        })) {
      continue;
    }
    if (is_kept(option)) continue;
    if (named_count_ < kMaxNamed) {
      named_[named_count_++] = option;
    } else {
      has_more_ = true;
    }
  }
}

bool HopByHop::is_named(std::string_view name) const {
  for (size_t i = 0; i < named_count_; ++i) {
    if (std::ranges::equal(name, named_[i], {}, lower, lower)) return true;
  }
  return has_more_ && !is_kept(name) && std::ranges::any_of(fields_, [name](const Field& field) {
           return field.id == FieldId::connection && names(field.value, name);
         });
}

bool HopByHop::forwards(const Field& field) const {
  return !is_always_hop_by_hop(field.id) && (named_count_ == 0 || !is_named(field.name));
}

bool forwards_trailer(const Field& field) {
  if (is_always_hop_by_hop(field.id)) return false;
  // What Connection may not take off may not come late either, but for what is known only when the
  // content is.
  return !is_kept(field.name) || is_about_whole_content(field.name);
}

bool has_list_token(std::string_view list, std::string_view token) {
  if (list.data() == nullptr) return false;
  std::string_view element;
  while (next_list_element(list, element)) {
    if (equals_ignoring_case(element, token)) return true;
  }
  return false;
}

}  // namespace sluice::http
