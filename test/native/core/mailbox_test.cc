// The mailbox: what one sender sent arrives in its order and once, whoever else sends meanwhile,
// and the reader is woken whenever there is something that it was not told of.
#include "core/mailbox.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "testing.h"

namespace {

using sluice::Mailbox;

struct Message {
  size_t sender;
  size_t number;
};

constexpr size_t kSenders = 4;
constexpr size_t kMessages = 20'000;

TEST(mailbox_keeps_the_order_of_each_sender) {
  Mailbox<Message> box;
  std::vector<std::thread> senders;
  for (size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&box, sender] {
      for (size_t number = 0; number < kMessages; ++number) box.push({sender, number});
    });
  }
  std::vector<size_t> next(kSenders, 0);
  size_t taken = 0;
  size_t out_of_order = 0;
  while (taken < kSenders * kMessages) {
    for (const Message& message : box.take_all()) {
      if (message.number != next[message.sender]++) ++out_of_order;
      ++taken;
    }
  }
  for (std::thread& sender : senders) sender.join();
  CHECK_EQ(out_of_order, 0);
  CHECK(box.take_all().empty());
}

/// A reader that looks only when it was told, as an event loop does, misses nothing.
TEST(mailbox_tells_when_the_reader_must_be_woken) {
  Mailbox<Message> box;
  std::atomic<size_t> wakes{0};
  std::atomic<size_t> taken{0};
  std::thread reader([&] {
    size_t seen = 0;
    while (taken < kSenders * kMessages) {
      wakes.wait(seen);
      seen = wakes;
      taken += box.take_all().size();
    }
  });
  std::vector<std::thread> senders;
  for (size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (size_t number = 0; number < kMessages; ++number) {
        if (!box.push({sender, number})) continue;
        ++wakes;
        wakes.notify_one();
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  reader.join();
  CHECK_EQ(taken.load(), kSenders * kMessages);
}

TEST(mailbox_says_empty_only_to_the_first) {
  Mailbox<int> box;
  CHECK(box.push(1));
  CHECK(!box.push(2));
  CHECK_EQ(box.take_all().size(), 2);
  CHECK(box.push(3));
}

TEST(mailbox_frees_what_nobody_took) {
  auto token = std::make_shared<int>(1);
  {
    Mailbox<std::shared_ptr<int>> box;
    for (int i = 0; i < 10; ++i) box.push(token);
    CHECK_EQ(token.use_count(), 11);
  }
  CHECK_EQ(token.use_count(), 1);
}

}  // namespace
