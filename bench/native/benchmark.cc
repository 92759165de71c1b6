// main() of the micro-benchmarks. Arguments are parts of the names to run; each prints one line:
// nanoseconds of CPU time per run, median and range over the rounds, and bytes per nanosecond.
#include "benchmark.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

namespace benchmark {
namespace {

constexpr size_t kRounds = 9;
constexpr double kRoundNs = 50e6;

struct Entry {
  const char* name;
  size_t bytes;
  Body body;
};

// Function-local, since benchmarks register during static initialisation.
std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

double cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double time_of(const Entry& entry, size_t times) {
  const double start = cpu_ns();
  entry.body(times);
  return cpu_ns() - start;
}

void run(const Entry& entry) {
  // Doubled until a round is long enough for the clock; that warms the caches as well.
  size_t times = 1;
  while (time_of(entry, times) < kRoundNs) times *= 2;
  std::array<double, kRounds> rounds;
  for (double& round : rounds) round = time_of(entry, times) / static_cast<double>(times);
  std::sort(rounds.begin(), rounds.end());
  const double median = rounds[kRounds / 2];
  std::printf("%-40s %9.1f ns  (%.1f to %.1f)", entry.name, median, rounds.front(), rounds.back());
  if (entry.bytes > 0) std::printf("  %.2f bytes/ns", static_cast<double>(entry.bytes) / median);
  std::printf("\n");
}

bool wanted(const Entry& entry, int argc, char** argv) {
  if (argc < 2) return true;
  return std::any_of(argv + 1, argv + argc,
                     [&](const char* part) { return std::strstr(entry.name, part) != nullptr; });
}

}  // namespace

Registration::Registration(const char* name, size_t bytes, Body body) {
  entries().push_back({name, bytes, body});
}

}  // namespace benchmark

int main(int argc, char** argv) {
  for (const auto& entry : benchmark::entries()) {
    if (benchmark::wanted(entry, argc, argv)) benchmark::run(entry);
  }
  return 0;
}
