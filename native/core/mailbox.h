// Messages from any thread to one: a lock-free stack that the reader takes whole and reverses, so
// each sender's messages arrive in the order in which it sent them. The sender that finds it empty
// is told to wake the reader; a busy reader costs its senders no system call.
#pragma once

#include <atomic>
#include <utility>
#include <vector>

namespace sluice {

template <typename T>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() { take_all(); }

  /// Any thread. True when the box was empty: the caller wakes the reader.
  bool push(T message) {
    Node* before = head_.load(std::memory_order_relaxed);
    Node* node = new Node{std::move(message), before};
    while (!head_.compare_exchange_weak(before, node, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      node->next = before;
    }
    // From here on the node is the reader's, who may have freed it already.
    return before == nullptr;
  }

  /// The reader only. Oldest first.
  std::vector<T> take_all() {
    std::vector<T> messages;
    Node* node = reverse(head_.exchange(nullptr, std::memory_order_acquire));
    while (node != nullptr) {
      messages.push_back(std::move(node->message));
      delete std::exchange(node, node->next);
    }
    return messages;
  }

 private:
  struct Node {
    T message;
    Node* next;
  };

  static Node* reverse(Node* node) {
    Node* reversed = nullptr;
    while (node != nullptr) {
      Node* next = std::exchange(node->next, reversed);
      reversed = std::exchange(node, next);
    }
    return reversed;
  }

  std::atomic<Node*> head_{nullptr};
};

}  // namespace sluice
