// Weights are thousandths. The most specific range that fits a type counts (RFC 9110 §12.5.1); its
// parameters other than the weight are not looked at. What is malformed is skipped.
#include "http/accept.h"

#include <algorithm>

#include "http/chars.h"

namespace sluice::http {
namespace {

/// How well a client takes a type, and how exactly it said so (0: not at all, 3: by its name).
struct Preference {
  int weight = 0;
  int named = 0;
};

/// weight = "0" [ "." *3DIGIT ] / "1" [ "." *3"0" ] (RFC 9110 §12.4.2), or -1.
int parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  if (text.size() > 1 && text[1] != '.') return -1;
  int weight = (text[0] - '0') * 1000;
  int unit = 100;
  for (char digit : text.substr(text.size() > 1 ? 2 : 1)) {
    if (!is(kDigit, digit)) return -1;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  return weight <= 1000 ? weight : -1;
}

/// The weight among the parameters after a media range; 1000 without one.
int weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = trim_white_space(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.size() >= 2 && equals_ignoring_case(parameter.substr(0, 2), "q=")) {
      return parse_weight(parameter.substr(2));
    }
  }
  return 1000;
}

/// How exactly `range` names `type`; 0: it does not.
int exactness(std::string_view range, std::string_view type) {
  if (equals_ignoring_case(range, type)) return 3;
  const size_t slash = type.find('/') + 1;
  const bool any_of_kind = range.size() == slash + 1 && range.back() == '*' &&
                           equals_ignoring_case(range.substr(0, slash), type.substr(0, slash));
  if (any_of_kind) return 2;
  return range == "*/*" ? 1 : 0;
}

Preference preference_for(std::string_view accept, std::string_view type) {
  Preference best;
  std::string_view element;
  while (next_list_element(accept, element)) {
    const size_t end = std::min(element.find(';'), element.size());
    const int exact = exactness(trim_white_space(element.substr(0, end)), type);
    if (exact <= best.named) continue;
    const int weight = weight_of(element.substr(std::min(end + 1, element.size())));
    if (weight >= 0) best = {weight, exact};
  }
  return best;
}

constexpr std::string_view kCodingNames[kCodings] = {"identity", "gzip", "zstd", "br"};

/// The place of a coding among kCodingNames; kCodings for "*", more for one that we do not know.
size_t place_of(std::string_view name) {
  for (size_t i = 0; i < kCodings; ++i) {
    if (equals_ignoring_case(name, kCodingNames[i])) return i;
  }
  if (name == "*") return kCodings;
  // RFC 9110 §8.4.1.3
  return equals_ignoring_case(name, "x-gzip") ? static_cast<size_t>(Coding::gzip) : kCodings + 1;
}

constexpr int16_t kUnsaid = -1;

/// Notes what one field says of each coding and of "*"; of two that name the same, the first.
void note_codings(std::string_view field, std::array<int16_t, kCodings + 1>& said) {
  std::string_view element;
  while (next_list_element(field, element)) {
    const size_t end = std::min(element.find(';'), element.size());
    const size_t place = place_of(trim_white_space(element.substr(0, end)));
    if (place > kCodings || said[place] != kUnsaid) continue;
    const int weight = weight_of(element.substr(std::min(end + 1, element.size())));
    if (weight >= 0) said[place] = static_cast<int16_t>(weight);
  }
}

}  // namespace

bool prefers(std::string_view accept, std::string_view type, std::string_view other) {
  const Preference first = preference_for(accept, type);
  const Preference second = preference_for(accept, other);
  if (first.weight != second.weight) return first.weight > second.weight;
  return first.weight > 0 && first.named > second.named;
}

std::string_view coding_name(Coding coding) { return kCodingNames[static_cast<size_t>(coding)]; }

CodingWeights::CodingWeights(const RequestHead& head) {
  const size_t first = head.first_of[static_cast<size_t>(FieldId::accept_encoding)];
  if (first == 0) return;
  std::array<int16_t, kCodings + 1> said;
  said.fill(kUnsaid);
  for (size_t i = first - 1; i < head.field_count; ++i) {
    if (head.fields[i].id == FieldId::accept_encoding) note_codings(head.fields[i].value, said);
  }
  // "*" is every coding that is not named, identity among them.
  const int16_t others = std::max<int16_t>(said[kCodings], 0);
  for (size_t i = 0; i < kCodings; ++i) weights_[i] = said[i] == kUnsaid ? others : said[i];
}

}  // namespace sluice::http
