// The slab allocator: places are aligned and distinct, freed ones are used again, objects are built
// and destroyed exactly once.
#include "core/slab.h"

#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "testing.h"

namespace {

int alive = 0;

struct alignas(64) Object {
  explicit Object(uint64_t number) : number(number) { ++alive; }
  ~Object() { --alive; }
  uint64_t number;
  char body[100] = {};
};

TEST(slab_objects_keep_their_place_and_content) {
  sluice::Slab<Object, 8> slab;
  std::mt19937 random(7);
  std::vector<std::pair<Object*, uint64_t>> held;
  std::set<Object*> places;
  for (uint64_t i = 0; i < 20'000; ++i) {
    if (held.empty() || (held.size() < 500 && random() % 2 == 0)) {
      Object* object = slab.create(i);
      CHECK_EQ(reinterpret_cast<uintptr_t>(object) % 64, 0);
      places.insert(object);
      held.push_back({object, i});
    } else {
      std::swap(held[random() % held.size()], held.back());
      CHECK_EQ(held.back().first->number, held.back().second);
      slab.destroy(held.back().first);
      held.pop_back();
    }
    REQUIRE_EQ(slab.live(), held.size());
    REQUIRE_EQ(alive, static_cast<int>(held.size()));
  }
  CHECK(places.size() <= 512);  // what was freed was used again
  for (const auto& [object, number] : held) {
    CHECK_EQ(object->number, number);
    slab.destroy(object);
  }
  CHECK_EQ(alive, 0);
}

}  // namespace
