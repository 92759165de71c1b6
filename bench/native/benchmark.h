// The harness of the micro-benchmarks: a body that runs a given number of times, registered by
// name.
//
//   BENCHMARK(parse_request, 337) { for (size_t i = 0; i < times; ++i) keep(parse(...)); }
//
// The second argument is how many bytes one run handles, or 0. CPU time is counted, not wall-clock,
// and the median of several rounds is printed: these machines are shared.
#pragma once

#include <cstddef>

namespace benchmark {

using Body = void (*)(size_t times);

struct Registration {
  Registration(const char* name, size_t bytes, Body body);
};

/// Makes the compiler believe that `value` is used and that all memory may have changed.
template <typename T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

}  // namespace benchmark

#define BENCHMARK(name, bytes)                                                                \
  static void benchmark_##name(size_t times);                                                 \
  static const ::benchmark::Registration registration_##name(#name, bytes, benchmark_##name); \
  static void benchmark_##name(size_t times)
