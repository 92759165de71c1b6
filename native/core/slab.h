// A slab allocator: objects of one type from blocks that are never moved; freed ones are reused
// first. One thread. Blocks go back when the slab does (a gateway keeps the room of its busiest
// hour).
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#if defined(SLUICE_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace sluice {

template <typename T, size_t kPerBlock = 64>
class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() = default;  // whoever owns the slab has destroyed every object by then

  template <typename... Arguments>
  T* create(Arguments&&... arguments) {
    if (free_ == nullptr) grow();
    Cell* cell = free_;
    unpoison(cell);
    free_ = cell->next;
    ++live_;
    return new (cell->storage) T(std::forward<Arguments>(arguments)...);
  }

  void destroy(T* object) {
    object->~T();
    Cell* cell = reinterpret_cast<Cell*>(object);
    cell->next = free_;
    free_ = cell;
    poison(cell);
    --live_;
  }

  size_t live() const { return live_; }

 private:
  union Cell {
    Cell* next;
    alignas(T) unsigned char storage[sizeof(T)];
  };

  // Under AddressSanitizer whoever touches a free object is told so, as with one from the heap.
#if defined(SLUICE_ASAN)
  static void poison(Cell* cell) { __asan_poison_memory_region(cell, sizeof *cell); }
  static void unpoison(Cell* cell) { __asan_unpoison_memory_region(cell, sizeof *cell); }
#else
  static void poison(Cell*) {}
  static void unpoison(Cell*) {}
#endif

  void grow() {
    blocks_.push_back(std::make_unique<Cell[]>(kPerBlock));
    Cell* block = blocks_.back().get();
    for (size_t i = kPerBlock; i-- > 0;) {
      block[i].next = free_;
      free_ = &block[i];
      poison(free_);
    }
  }

  Cell* free_ = nullptr;
  size_t live_ = 0;
  std::vector<std::unique_ptr<Cell[]>> blocks_;
};

}  // namespace sluice
