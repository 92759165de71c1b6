// A table that grows while others read it: elements come in chunks, and none ever moves. One thread
// grows it; any thread reads elements whose index it was told after they were made. What happens
// within an element is the element's own affair.
#pragma once

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <memory>

namespace sluice {

template <typename T>
class StableTable {
 public:
  static constexpr size_t kChunk = 256;
  static constexpr size_t kChunks = 1024;
  static constexpr size_t kMost = kChunk * kChunks;

  StableTable() = default;
  explicit StableTable(size_t size) { grow(size); }
  ~StableTable() {
    for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
  }
  StableTable(const StableTable&) = delete;
  StableTable& operator=(const StableTable&) = delete;

  /// There are at least `size` elements from now on, kMost at most. One thread.
  void grow(size_t size) {
    assert(size <= kMost);
    for (size_t at = 0; at * kChunk < size; ++at) {
      if (chunks_[at].load(std::memory_order_relaxed) != nullptr) continue;
      chunks_[at].store(new Chunk(), std::memory_order_release);
    }
  }

  T& operator[](size_t index) const {
    return (*chunks_[index / kChunk].load(std::memory_order_acquire))[index % kChunk];
  }
  /// Null when there is none.
  T* find(size_t index) const {
    if (index >= kMost) return nullptr;
    Chunk* chunk = chunks_[index / kChunk].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : &(*chunk)[index % kChunk];
  }

 private:
  using Chunk = std::array<T, kChunk>;
  std::array<std::atomic<Chunk*>, kChunks> chunks_{};
};

}  // namespace sluice
