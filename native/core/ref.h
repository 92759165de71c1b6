// Intrusive shared ownership: an object that counts its holders, and a pointer that is one holder.
// Counting is atomic, so that holders may live on any thread; the object's own fields are not
// protected by it and are immutable after publication unless they say otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace sluice {

/// Base of an object held by Ref. Deleted by whoever lets go last, on that thread.
template <typename Self>
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  void retain() const { holders_.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete static_cast<const Self*>(this);
  }
  /// Held by more than the caller, who must be the only way to a new holder when it is false.
  bool is_shared() const { return holders_.load(std::memory_order_acquire) > 1; }

 protected:
  ~Counted() = default;

 private:
  mutable std::atomic<uint32_t> holders_{0};
};

template <typename T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) {
    if (object_ != nullptr) object_->retain();
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { reset(); }

  void reset() {
    if (T* object = std::exchange(object_, nullptr)) object->release();
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

template <typename T, typename... Arguments>
Ref<T> make_ref(Arguments&&... arguments) {
  return Ref<T>(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace sluice
