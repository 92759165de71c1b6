// Where kGatherBytes (core/limits.h) lies: an answer whose bytes are in memory goes out behind its
// head, copied there and sent by one send, or beside it, by one sendmsg of two parts. Over a pair
// of TCP sockets on the loopback; the receiver drops the bytes, which costs both ways the same.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "benchmark.h"

namespace {

struct Pair {
  int from = -1;
  int to = -1;
};

Pair connected_pair() {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* at = reinterpret_cast<sockaddr*>(&address);
  Pair pair;
  pair.to = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, at, length) != 0 || listen(listener, 1) != 0) std::abort();
  if (getsockname(listener, at, &length) != 0 || connect(pair.to, at, length) != 0) std::abort();
  pair.from = accept(listener, nullptr, nullptr);
  int on = 1;
  setsockopt(pair.from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  close(listener);
  return pair;
}

const Pair& pair() {
  static const Pair made = connected_pair();
  return made;
}

const std::string& head() {
  static const std::string text(240, 'h');
  return text;
}

void drop(size_t bytes) {
  char unused;
  while (bytes > 0) {
    ssize_t got = recv(pair().to, &unused, bytes, MSG_TRUNC);
    if (got <= 0) std::abort();
    bytes -= static_cast<size_t>(got);
  }
}

void gathered(size_t times, size_t bytes) {
  const std::string body(bytes, 'b');
  std::string box;
  box.reserve(64 * 1024);
  for (size_t i = 0; i < times; ++i) {
    box.clear();
    box.append(head()).append(body);
    if (send(pair().from, box.data(), box.size(), MSG_NOSIGNAL) < 0) std::abort();
    drop(box.size());
  }
}

void in_two_parts(size_t times, size_t bytes) {
  const std::string body(bytes, 'b');
  for (size_t i = 0; i < times; ++i) {
    iovec parts[2] = {{const_cast<char*>(head().data()), head().size()},
                      {const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    if (sendmsg(pair().from, &message, MSG_NOSIGNAL) < 0) std::abort();
    drop(head().size() + bytes);
  }
}

}  // namespace

BENCHMARK(gathered_1k, 1024) { gathered(times, 1024); }
BENCHMARK(in_two_parts_1k, 1024) { in_two_parts(times, 1024); }
BENCHMARK(gathered_2k, 2048) { gathered(times, 2048); }
BENCHMARK(in_two_parts_2k, 2048) { in_two_parts(times, 2048); }
BENCHMARK(gathered_4k, 4096) { gathered(times, 4096); }
BENCHMARK(in_two_parts_4k, 4096) { in_two_parts(times, 4096); }
BENCHMARK(gathered_8k, 8192) { gathered(times, 8192); }
BENCHMARK(in_two_parts_8k, 8192) { in_two_parts(times, 8192); }
BENCHMARK(gathered_16k, 16384) { gathered(times, 16384); }
BENCHMARK(in_two_parts_16k, 16384) { in_two_parts(times, 16384); }
BENCHMARK(gathered_32k, 32768) { gathered(times, 32768); }
BENCHMARK(in_two_parts_32k, 32768) { in_two_parts(times, 32768); }
