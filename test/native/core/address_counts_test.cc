// Connections by address: exact whatever the threads do, and nothing is kept of an address that
// has none.
#include "core/address_counts.h"

#include <atomic>
#include <thread>
#include <vector>

#include "testing.h"

namespace {

using sluice::AddressCounts;
using sluice::AddressKey;

constexpr AddressKey kOne{0, 1};
constexpr AddressKey kOther{1, 0};

TEST(address_may_have_as_many_as_its_limit) {
  AddressCounts counts;
  for (int i = 0; i < 3; ++i) CHECK(counts.enter(kOne, 3));
  CHECK(!counts.enter(kOne, 3));
  CHECK(counts.enter(kOther, 3));
  counts.leave(kOne);
  CHECK(counts.enter(kOne, 3));
  CHECK(!counts.enter(kOne, 3));
}

TEST(address_that_left_starts_anew) {
  AddressCounts counts;
  for (int round = 0; round < 5; ++round) {
    CHECK(counts.enter(kOne, 1));
    CHECK(!counts.enter(kOne, 1));
    counts.leave(kOne);
  }
  counts.leave(kOther);  // never entered: nothing to count down
  CHECK(counts.enter(kOther, 1));
  CHECK(!counts.enter(kOther, 1));
}

TEST(address_never_has_more_than_its_limit_on_any_threads) {
  constexpr uint32_t kLimit = 5;
  constexpr size_t kAddresses = 3;
  AddressCounts counts;
  std::atomic<uint32_t> inside[kAddresses] = {};
  std::atomic<size_t> too_many{0};
  std::atomic<size_t> entered{0};
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (size_t i = 0; i < 5'000; ++i) {
        const size_t which = (thread + i) % kAddresses;
        const AddressKey key{which, 7};
        if (!counts.enter(key, kLimit)) continue;
        ++entered;
        if (++inside[which] > kLimit) ++too_many;
        std::this_thread::yield();
        --inside[which];
        counts.leave(key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(too_many.load(), 0);
  CHECK(entered > 0);
  for (size_t which = 0; which < kAddresses; ++which) {
    for (uint32_t i = 0; i < kLimit; ++i) CHECK(counts.enter({which, 7}, kLimit));
    CHECK(!counts.enter({which, 7}, kLimit));
  }
}

}  // namespace
