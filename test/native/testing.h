// The C++ test harness: small on purpose, since a fresh machine has no test library installed.
//
//   TEST(rejects_length_with_chunked) { CHECK_EQ(parse("..."), Error::kBadFraming); }
//
// A test registers itself. CHECK* record a failure and go on; REQUIRE* also leave the test (use
// them in functions that return void). They may be used from any thread and from functions that
// a test calls. main() is in testing.cc: arguments are substrings of the names to run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

namespace testing {

using Body = void (*)();

struct Registration {
  Registration(const char* name, const char* file, Body body);
};

// Records one failed check of the test that is running.
void fail(const char* file, int line, const std::string& message);

// A line printed with the failures of the running test: which input, which split point.
// Lives as long as the object; nests.
class Context {
 public:
  explicit Context(std::string text);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

std::string quoted(std::string_view text);

template <typename T>
std::string printed(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
    return "nullptr";
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return quoted(std::string_view(value));
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else if constexpr (requires(std::ostringstream & out) { out << value; }) {
    std::ostringstream out;
    out << value;
    return out.str();
  } else {
    return "(" + std::to_string(sizeof(T)) + " bytes)";
  }
}

template <typename A, typename B>
bool equal(const A& a, const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, bool> &&
                !std::is_same_v<B, bool>) {
    // 1u == 1 without a warning about signs, and -1 is never equal to 0xffffffff.
    return (a < A{}) == (b < B{}) &&
           static_cast<std::uintmax_t>(a) == static_cast<std::uintmax_t>(b);
  } else {
    return a == b;
  }
}

template <typename A, typename B>
bool check_equal(const A& a, const B& b, const char* text, const char* file, int line) {
  if (equal(a, b)) return true;
  fail(file, line,
       std::string(text) + "\n      left:  " + printed(a) + "\n      right: " + printed(b));
  return false;
}

inline bool check(bool holds, const char* text, const char* file, int line) {
  if (!holds) fail(file, line, text);
  return holds;
}

}  // namespace testing

#define TEST(name)                                                                        \
  static void test_##name();                                                              \
  static const ::testing::Registration registration_##name(#name, __FILE__, test_##name); \
  static void test_##name()

#define CHECK(...)                                                                             \
  ((void)::testing::check(static_cast<bool>(__VA_ARGS__), "CHECK(" #__VA_ARGS__ ")", __FILE__, \
                          __LINE__))
#define CHECK_EQ(a, b) \
  ((void)::testing::check_equal((a), (b), "CHECK_EQ(" #a ", " #b ")", __FILE__, __LINE__))
#define REQUIRE(...)                                                                             \
  do {                                                                                           \
    if (!::testing::check(static_cast<bool>(__VA_ARGS__), "REQUIRE(" #__VA_ARGS__ ")", __FILE__, \
                          __LINE__))                                                             \
      return;                                                                                    \
  } while (false)
#define REQUIRE_EQ(a, b)                                                                     \
  do {                                                                                       \
    if (!::testing::check_equal((a), (b), "REQUIRE_EQ(" #a ", " #b ")", __FILE__, __LINE__)) \
      return;                                                                                \
  } while (false)
