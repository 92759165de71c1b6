// The process's hash seed.
// getrandom(2) never blocks once the system is up; should it fail, the clock and the address of a
// variable (ASLR) are mixed in instead.
#include "core/hash.h"

#include <sys/random.h>
#include <time.h>

namespace sluice {
namespace {

uint64_t make_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) == sizeof seed) return seed;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return fold_multiply(reinterpret_cast<uintptr_t>(&seed), static_cast<uint64_t>(now.tv_nsec));
}

}  // namespace

uint64_t hash_seed() {
  static const uint64_t seed = make_seed();
  return seed;
}

}  // namespace sluice
