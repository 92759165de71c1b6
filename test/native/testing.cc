// The part of the test harness that there is one of: the list of tests, the recorder and main().
// A test that hangs or crashes is named before the program dies; sanitizers keep their own
// handlers for crashes.

#include "testing.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace testing {
namespace {

constexpr unsigned kTestTimeoutSeconds = 120;

struct Test {
  const char* name;
  const char* file;
  Body body;
};

// Function-local, since tests register during static initialisation.
std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

std::mutex mutex;
std::vector<std::string> contexts;
int failed_checks = 0;
const char* volatile running = nullptr;

void on_fatal_signal(int number) {
  const char* name = running;
  if (name != nullptr) {
    static constexpr char kText[] = "\nthe test that was running: ";
    (void)!write(STDERR_FILENO, kText, sizeof kText - 1);
    (void)!write(STDERR_FILENO, name, std::strlen(name));
    (void)!write(STDERR_FILENO, "\n", 1);
  }
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void catch_fatal_signals() {
  std::signal(SIGALRM, on_fatal_signal);
  std::signal(SIGABRT, on_fatal_signal);
#if !defined(SLUICE_ASAN) && !defined(SLUICE_TSAN)
  std::signal(SIGSEGV, on_fatal_signal);
#endif
  std::signal(SIGPIPE, SIG_IGN);
}

bool wanted(const Test& test, int argc, char** argv) {
  if (argc < 2) return true;
  for (int i = 1; i < argc; ++i) {
    if (std::strstr(test.name, argv[i]) != nullptr || std::strstr(test.file, argv[i]) != nullptr) {
      return true;
    }
  }
  return false;
}

bool run(const Test& test) {
  failed_checks = 0;
  running = test.name;
  alarm(kTestTimeoutSeconds);
  test.body();
  alarm(0);
  running = nullptr;
  if (failed_checks > 0) std::printf("FAILED  %s (%s)\n", test.name, test.file);
  return failed_checks == 0;
}

}  // namespace

Registration::Registration(const char* name, const char* file, Body body) {
  tests().push_back({name, file, body});
}

void fail(const char* file, int line, const std::string& message) {
  const std::lock_guard lock(mutex);
  ++failed_checks;
  std::printf("  %s:%d: %s\n", file, line, message.c_str());
  for (const std::string& context : contexts) std::printf("      with:  %s\n", context.c_str());
}

Context::Context(std::string text) {
  const std::lock_guard lock(mutex);
  contexts.push_back(std::move(text));
}

Context::~Context() {
  const std::lock_guard lock(mutex);
  contexts.pop_back();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') out += "\\r";
    else if (c == '\n') out += "\\n";
    else if (c == '"' || c == '\\') out += {'\\', c};
    else if (byte >= 0x20 && byte < 0x7f) out += c;
    else {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      out += hex;
    }
  }
  return out + '"';
}

}  // namespace testing

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  testing::catch_fatal_signals();
  int passed = 0;
  int failed = 0;
  for (const auto& test : testing::tests()) {
    if (!testing::wanted(test, argc, argv)) continue;
    if (testing::run(test)) ++passed;
    else ++failed;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
