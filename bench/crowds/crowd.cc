// Many connections that cost a server memory and turns and give nothing: kept idle, heads that come
// byte by byte, or readers of one byte a second. What the server ends is opened anew, as somebody
// hostile would. Prints a line when all are there, and a count when SIGTERM ends it.
//
//   crowd PORT idle|heads|readers COUNT TARGET
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../measuring/loopback.h"

namespace {

/// Each connection has its turn once a second; a second has so many ticks.
constexpr size_t kTicks = 100;
constexpr size_t kOpenedPerTick = 50;
constexpr int kReceiveBuffer = 4096;

enum class Kind : uint8_t { idle, heads, readers };

struct Crowd {
  int port = 0;
  Kind kind = Kind::idle;
  std::string request;  ///< sent at once
  std::vector<int> sockets;
  uint64_t opened = 0, ended = 0;
};

volatile sig_atomic_t is_ending = 0;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "crowd: %s (%s)\n", what, std::strerror(errno));
  std::exit(1);
}

int dial(const Crowd& crowd) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("out of descriptors");
  if (crowd.kind == Kind::readers) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  }
  sockaddr_in to = loopback(crowd.port);
  bool is_begun = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ||
                  errno == EINPROGRESS;
  if (!is_begun) fail("cannot connect");
  return fd;
}

/// False when the server has ended the connection.
bool take_turn(const Crowd& crowd, int fd) {
  if (crowd.kind == Kind::heads) {
    return send(fd, "a", 1, MSG_NOSIGNAL) == 1 || errno == EAGAIN;
  }
  std::array<char, 4096> bytes;
  size_t wanted = crowd.kind == Kind::readers ? 1 : bytes.size();
  ssize_t got = recv(fd, bytes.data(), wanted, 0);
  return got > 0 || (got < 0 && errno == EAGAIN);
}

void open_one(Crowd& crowd, int& fd) {
  fd = dial(crowd);
  ++crowd.opened;
  ssize_t sent = send(fd, crowd.request.data(), crowd.request.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(crowd.request.size())) return;
  close(fd);  // the queue of the listener is full: the next turn opens it again
  fd = -1;
}

/// The share of the connections whose turn it is; those that are missing are opened, a few a tick.
size_t tick(Crowd& crowd, size_t number) {
  size_t opened = 0;
  for (size_t i = number % kTicks; i < crowd.sockets.size(); i += kTicks) {
    int& fd = crowd.sockets[i];
    if (fd >= 0 && !take_turn(crowd, fd)) {
      close(fd);
      fd = -1;
      ++crowd.ended;
    }
    if (fd < 0 && opened < kOpenedPerTick) {
      open_one(crowd, fd);
      ++opened;
    }
  }
  return opened;
}

Kind kind_of(std::string_view name) {
  if (name == "idle") return Kind::idle;
  if (name == "heads") return Kind::heads;
  if (name == "readers") return Kind::readers;
  fail("the kind is idle, heads or readers");
}

std::string request_of(Kind kind, const std::string& target) {
  std::string begin = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n";
  return begin + (kind == Kind::heads ? "X-Slow: " : "\r\n");
}

void print(const Crowd& crowd, const char* state) {
  size_t open = 0;
  for (int fd : crowd.sockets) open += fd >= 0 ? 1 : 0;
  std::printf("{\"state\":\"%s\",\"open\":%zu,\"opened\":%llu,\"ended\":%llu}\n", state, open,
              static_cast<unsigned long long>(crowd.opened),
              static_cast<unsigned long long>(crowd.ended));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) fail("usage: crowd PORT idle|heads|readers COUNT TARGET");
  struct sigaction ending {};
  ending.sa_handler = [](int) { is_ending = 1; };
  sigaction(SIGTERM, &ending, nullptr);
  Crowd crowd;
  crowd.port = std::atoi(argv[1]);
  crowd.kind = kind_of(argv[2]);
  crowd.request = request_of(crowd.kind, argv[4]);
  crowd.sockets.assign(static_cast<size_t>(std::atoi(argv[3])), -1);
  bool is_ready = false;
  for (size_t number = 0; is_ending == 0; ++number) {
    tick(crowd, number);
    if (!is_ready && crowd.opened >= crowd.sockets.size()) {
      is_ready = true;
      print(crowd, "ready");
    }
    timespec pause{0, 1'000'000'000 / static_cast<long>(kTicks)};
    nanosleep(&pause, nullptr);
  }
  print(crowd, "ended");
  return 0;
}
