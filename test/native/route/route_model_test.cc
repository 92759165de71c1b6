// The route table against a model that is the rule itself: keep all patterns in a list, take those
// that match, sort them by specificity, and pick the first that takes the method.
#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "route/route_table.h"
#include "testing.h"

namespace {

using sluice::route::kNoRoute;
using sluice::route::Match;
using sluice::route::RouteTable;

using Words = std::vector<std::string>;

Words split(std::string_view path) {
  Words words;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/', 1), path.size());
    words.emplace_back(path.substr(1, end - 1));
    path.remove_prefix(end);
  }
  return words;
}

std::string decoded(const std::string& raw) {
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%') {
      text += static_cast<char>(std::stoi(raw.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      text += raw[i];
    }
  }
  return text;
}

struct Pattern {
  uint32_t route;
  std::string method, host, path;

  bool is_param(const std::string& word) const { return word.starts_with(':'); }

  /// Two patterns with the same shape, host and method tie.
  std::string shape() const {
    std::string text = method + " " + host;
    for (const std::string& word : split(path)) text += is_param(word) ? "/:" : "/" + word;
    return text;
  }

  bool takes_host(const std::string& name) const {
    if (host.empty() || host == name) return true;
    const std::string tail = host.substr(1);
    return host.starts_with("*.") && name.size() > tail.size() && name.ends_with(tail);
  }

  bool takes_path(const std::string& target) const {
    Words mine = split(path);
    const Words theirs = split(target);
    const bool rest = mine.back() == "*";
    if (rest) mine.pop_back();
    if (rest ? theirs.size() < mine.size() : theirs.size() != mine.size()) return false;
    for (size_t i = 0; i < mine.size(); ++i) {
      if (is_param(mine[i]) ? theirs[i].empty() : decoded(theirs[i]) != mine[i]) return false;
    }
    return true;
  }

  /// Smaller is more specific; compared only among patterns that match the same request.
  auto rank(const std::string& asked) const {
    const int host_kind = host.empty() ? 2 : host.starts_with("*.") ? 1 : 0;
    std::string kinds;
    for (const std::string& word : split(path))
      kinds += word == "*" ? '3' : is_param(word) ? '1' : '0';
    kinds += '2';  // the end: less than another literal or parameter, more than '*'
    const int method_kind = method == asked ? 0 : method.empty() ? 2 : 1;
    return std::tuple(host_kind, -static_cast<int>(host.size()), kinds, method_kind);
  }

  bool takes_method(const std::string& asked) const {
    return method.empty() || method == asked || (asked == "HEAD" && method == "GET");
  }
};

struct Expected {
  uint32_t route = kNoRoute;
  std::string rest;
  Words params;
  std::set<std::string> allow;
};

Expected expected(const std::vector<Pattern>& patterns, const std::string& method,
                  const std::string& host, const std::string& target) {
  std::vector<Pattern> matching;
  Expected result;
  for (const Pattern& pattern : patterns) {
    if (!pattern.takes_host(host) || !pattern.takes_path(target)) continue;
    result.allow.insert(pattern.method);
    if (pattern.method == "GET") result.allow.insert("HEAD");
    if (pattern.takes_method(method)) matching.push_back(pattern);
  }
  if (matching.empty()) return result;
  std::sort(matching.begin(), matching.end(),
            [&](const Pattern& a, const Pattern& b) { return a.rank(method) < b.rank(method); });
  const Pattern& first = matching.front();
  const Words mine = split(first.path);
  const Words theirs = split(target);
  result.route = first.route;
  for (size_t i = 0; i < mine.size(); ++i) {
    if (first.is_param(mine[i])) result.params.push_back(theirs[i]);
    if (mine[i] != "*") continue;
    for (size_t j = i; j < theirs.size(); ++j) result.rest += "/" + theirs[j];
  }
  return result;
}

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  std::string one_of(std::initializer_list<const char*> words) {
    return *(words.begin() + random_() % words.size());
  }

  std::vector<Pattern> patterns(RouteTable& table) {
    std::vector<Pattern> added;
    std::set<std::string> shapes;
    const uint32_t count = 1 + random_() % 25;
    for (uint32_t route = 0; route < count; ++route) {
      Pattern pattern{route, one_of({"", "", "GET", "GET", "HEAD", "POST", "PUT"}),
                      one_of({"", "", "a.example.com", "*.example.com", "*.com"}), pattern_path()};
      const bool fresh = shapes.insert(pattern.shape()).second;
      const auto result = table.add(route, pattern.method, pattern.host, pattern.path);
      CHECK_EQ(result.ok, fresh);
      if (result.ok) added.push_back(pattern);
    }
    table.finish();
    return added;
  }

  std::string target() {
    std::string path;
    for (uint32_t i = 0; i < 1 + random_() % 4; ++i)
      path += "/" + one_of({"a", "b", "c", "%61", "%62", "%2f", ""});
    return path;
  }

 private:
  std::string pattern_path() {
    std::string path;
    const uint32_t depth = random_() % 4;
    for (uint32_t i = 0; i < depth; ++i) {
      const std::string word = one_of({"a", "b", "c", ":"});
      path += "/" + (word == ":" ? ":p" + std::to_string(random_() % 1000) + "_" + std::to_string(i)
                                 : word);
    }
    const std::string last = one_of({"*", "", "end"});
    return last == "end" && depth > 0 ? path : path + "/" + (last == "end" ? "" : last);
  }

  std::mt19937 random_;
};

void check_match(const RouteTable& table, const std::vector<Pattern>& patterns,
                 const std::string& method, const std::string& host, const std::string& target) {
  const testing::Context context(method + " " + host + target);
  const Expected wanted = expected(patterns, method, host, target);
  Match match;
  table.match(method, host, target, match);
  CHECK_EQ(match.route, wanted.route);
  CHECK_EQ(match.rest, wanted.rest);
  CHECK(Words(match.params.begin(), match.params.begin() + match.param_count) == wanted.params);
  if (wanted.route != kNoRoute) {
    CHECK(match.allow == nullptr);
  } else {
    std::set<std::string> allow;
    if (match.allow != nullptr) allow.insert(match.allow->begin(), match.allow->end());
    CHECK(allow == wanted.allow);
  }
}

TEST(route_table_agrees_with_the_rule_on_random_tables) {
  int routed = 0;
  for (uint32_t seed = 0; seed < 3'000; ++seed) {
    const testing::Context context("seed " + std::to_string(seed));
    Generator generator(seed);
    RouteTable table;
    const std::vector<Pattern> patterns = generator.patterns(table);
    for (int i = 0; i < 10; ++i) {
      const std::string target = generator.target();
      const std::string host =
          generator.one_of({"a.example.com", "b.example.com", "example.com", "other", "x.com"});
      const std::string method = generator.one_of({"GET", "HEAD", "POST", "PATCH"});
      check_match(table, patterns, method, host, target);
      routed += expected(patterns, method, host, target).route != kNoRoute ? 1 : 0;
    }
  }
  CHECK(routed > 6'000);  // the generator meets enough of the table
}

}  // namespace
