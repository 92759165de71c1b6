// What every fuzz target has: a check that is there in all builds, and ends the run.
#pragma once

#include <cstdlib>

namespace fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace fuzz
