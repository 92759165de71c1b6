// Room for text that is written through a pointer: whoever appends asks for the most that it may
// need and says where it ended. Grows and keeps what it has, so that a worker's own allocates only
// for a line longer than any before. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace sluice::log {

/// memcpy for what is mostly short: without a call up to 16 bytes. Returns the end.
inline char* copy_short(char* out, std::string_view text) {
  const char* const from = text.data();
  const size_t size = text.size();
  if (size > 16) {
    std::memcpy(out, from, size);
  } else if (size >= 8) {
    std::memcpy(out, from, 8);
    std::memcpy(out + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(out, from, 4);
    std::memcpy(out + size - 4, from + size - 4, 4);
  } else {
    for (size_t i = 0; i < size; ++i) out[i] = from[i];
  }
  return out + size;
}

class Text {
 public:
  /// At least `bytes` bytes behind what is there. Valid until the next call.
  char* room(size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return bytes_.get() + size_;
  }
  /// `end` lies in the room that was given.
  void ends_at(const char* end) { size_ = static_cast<size_t>(end - bytes_.get()); }
  void append(std::string_view text) {
    char* at = room(text.size());
    std::memcpy(at, text.data(), text.size());
    size_ += text.size();
  }

  size_t size() const { return size_; }
  std::string_view part(size_t begin, size_t end) const {
    return {bytes_.get() + begin, end - begin};
  }
  void clear() { size_ = 0; }

 private:
  void grow(size_t bytes) {
    const size_t wanted = std::max(2 * capacity_, size_ + bytes);
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = wanted;
  }

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sluice::log
