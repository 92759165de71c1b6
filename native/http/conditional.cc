// Evaluates preconditions. What does not parse matches nothing: a malformed If-Match refuses the
// change it should guard, a malformed If-None-Match sends the whole, a malformed date is ignored.
#include "http/conditional.h"

#include "http/chars.h"
#include "http/date.h"

namespace sluice::http {
namespace {

/// A Last-Modified younger than this may stand for two versions (RFC 9110 §8.8.2.2: clocks tick in
/// seconds, and the file may have changed again within one).
constexpr int64_t kStrongDateAge_s = 2;

struct EntityTag {
  std::string_view opaque;  ///< with its quotes
  bool weak = false;
};

/// W/ is case-sensitive (RFC 9110 §8.8.3).
EntityTag split_tag(std::string_view text) {
  if (text.starts_with("W/")) return {text.substr(2), true};
  return {text, false};
}

bool strong_equal(const EntityTag& a, const EntityTag& b) {
  return !a.weak && !b.weak && a.opaque == b.opaque && !a.opaque.empty();
}

bool weak_equal(const EntityTag& a, const EntityTag& b) {
  return a.opaque == b.opaque && !a.opaque.empty();
}

/// Takes the next entity-tag off `rest`, a comma-separated list whose elements may hold commas.
/// False at its end and at anything else, which ends the list.
bool next_tag(std::string_view& rest, EntityTag& tag) {
  while (!rest.empty() && (is_white_space(rest[0]) || rest[0] == ',')) rest.remove_prefix(1);
  tag = split_tag(rest);
  if (tag.opaque.empty() || tag.opaque[0] != '"') return false;
  size_t end = 1;
  while (end < tag.opaque.size() && is(kEntityTag, tag.opaque[end])) ++end;
  if (end == tag.opaque.size() || tag.opaque[end] != '"') return false;
  rest = tag.opaque.substr(end + 1);
  tag.opaque = tag.opaque.substr(0, end + 1);
  std::string_view behind = trim_white_space(rest);
  return behind.empty() || behind[0] == ',';
}

/// Whether one field line of If-Match or If-None-Match names the representation.
template <typename Equal>
bool line_matches(std::string_view value, const EntityTag& current, Equal equal) {
  // "*": any current representation, and there is one (RFC 9110 §13.1.1, §13.1.2).
  if (value == "*") return true;
  EntityTag tag;
  while (next_tag(value, tag)) {
    if (equal(tag, current)) return true;
  }
  return false;
}

template <typename Equal>
bool any_line_matches(const RequestHead& head, FieldId id, const Validators& validators,
                      Equal equal) {
  const EntityTag current = split_tag(validators.etag);
  for (size_t i = head.first_of[static_cast<size_t>(id)] - 1u; i < head.field_count; ++i) {
    const Field& field = head.fields[i];
    if (field.id == id && line_matches(field.value, current, equal)) return true;
  }
  return false;
}

bool present(const RequestHead& head, FieldId id) {
  return head.first_of[static_cast<size_t>(id)] != 0;
}

bool repeated(const RequestHead& head, FieldId id) {
  for (size_t i = head.first_of[static_cast<size_t>(id)]; i < head.field_count; ++i) {
    if (head.fields[i].id == id) return true;
  }
  return false;
}

/// The date of a field, or -1 when it has to be ignored: not one date (RFC 9110 §13.1.3, §13.1.4).
int64_t single_date(const RequestHead& head, FieldId id, int64_t now_s) {
  if (!present(head, id) || repeated(head, id)) return -1;
  return parse_date(head.find(id), now_s);
}

/// Methods that neither select nor modify a representation (RFC 9110 §13.2.1).
bool ignores_preconditions(Method method) {
  return method == Method::connect || method == Method::options || method == Method::trace;
}

/// Steps 1 and 2 of RFC 9110 §13.2.2: whether the request may go on.
bool still_as_expected(const RequestHead& head, const Validators& validators, int64_t now_s) {
  if (present(head, FieldId::if_match)) {
    return any_line_matches(head, FieldId::if_match, validators, strong_equal);
  }
  const int64_t date = single_date(head, FieldId::if_unmodified_since, now_s);
  // Without a modification date, -1, the condition holds: the field has to be ignored.
  return date < 0 || validators.last_modified_s <= date;
}

/// Steps 3 and 4 of RFC 9110 §13.2.2: whether the client has the representation already.
bool already_there(const RequestHead& head, const Validators& validators, int64_t now_s) {
  if (present(head, FieldId::if_none_match)) {
    return any_line_matches(head, FieldId::if_none_match, validators, weak_equal);
  }
  if (head.method != Method::get && head.method != Method::head) return false;
  const int64_t date = single_date(head, FieldId::if_modified_since, now_s);
  return date >= 0 && validators.last_modified_s >= 0 && validators.last_modified_s <= date;
}

}  // namespace

Precondition evaluate_preconditions(const RequestHead& head, const Validators& validators,
                                    int64_t now_s) {
  if (ignores_preconditions(head.method)) return Precondition::pass;
  if (!still_as_expected(head, validators, now_s)) return Precondition::failed;
  if (!already_there(head, validators, now_s)) return Precondition::pass;
  const bool read = head.method == Method::get || head.method == Method::head;
  return read ? Precondition::not_modified : Precondition::failed;
}

bool if_range_matches(const RequestHead& head, const Validators& validators, int64_t now_s) {
  if (!present(head, FieldId::if_range)) return true;
  if (repeated(head, FieldId::if_range)) return false;
  std::string_view value = head.find(FieldId::if_range);
  // A tag has a quote among its first three characters, a date has none (RFC 9110 §13.1.5).
  if (value.substr(0, 3).find('"') != std::string_view::npos) {
    EntityTag tag;
    return next_tag(value, tag) && value.empty() && strong_equal(tag, split_tag(validators.etag));
  }
  const int64_t date = parse_date(value, now_s);
  const bool strong = now_s - validators.last_modified_s >= kStrongDateAge_s;
  return date >= 0 && strong && date == validators.last_modified_s;
}

bool etag_weak_equal(std::string_view left, std::string_view right) {
  return weak_equal(split_tag(left), split_tag(right));
}

}  // namespace sluice::http
