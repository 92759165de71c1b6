// What is watched, and what of it is let go of.
#include "files/freshness.h"

#include <algorithm>
#include <deque>
#include <string>

#include "temporary_folder.h"
#include "testing.h"

using sluice::Ref;
using sluice::files::Freshness;
using sluice::files::FreshnessListener;
using sluice::files::Looked;
using sluice::files::Watch;

namespace {

FreshnessListener deaf() {
  return {[](std::vector<uint64_t>) {}, [](const char*, std::string) {}};
}

}  // namespace

TEST(paths_that_no_answer_rests_on_are_let_go_of) {
  const testing::TemporaryFolder folder;
  Freshness freshness(deaf(), 100);
  constexpr size_t kHeld = 2'000;
  std::deque<Ref<Watch>> held;  // as a cache does: the oldest goes when a new one comes
  size_t most = 0;
  for (size_t i = 0; i < 100 * kHeld; ++i) {
    Ref<Watch> watch = freshness.begin(folder.path(), "missing-" + std::to_string(i));
    if (!watch) return;  // no inotify here
    freshness.found(watch.get(), Looked());
    held.push_back(std::move(watch));
    if (held.size() > kHeld) held.pop_front();
    if (i % 1'000 == 0) most = std::max(most, size_t{freshness.counts().watches});
  }
  CHECK(most < 4 * kHeld);
  CHECK(freshness.counts().watches >= kHeld);
}
