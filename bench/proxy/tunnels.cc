// The client of tunnels: upgraded connections through a proxy to origin.cc, one thread.
//
//   echo     each connection sends a message and waits until all of it is back
//   stream   each connection sends for ever and drops what comes for ever, by sendfile and
//   MSG_TRUNC
//
// Prints what went both ways; an answer is a message that came back.
//
//   tunnels PORT CONNECTIONS SECONDS echo|stream BYTES     BYTES: of a message
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
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
#include <vector>

#include "../measuring/loopback.h"

namespace {

constexpr size_t kFileBytes = 4 * 1024 * 1024;
constexpr int kWakeBytes = 256 * 1024;
constexpr double kPatienceS = 10;

struct Tunnel {
  int fd = -1;
  size_t missing = 0;  ///< of its message
};

struct Load {
  int epoll = -1;
  int file = -1;  ///< streams come from it; -1: messages are echoed
  size_t message = 0;
  uint64_t answers = 0, bytes = 0, waits = 0;
  size_t in_flight = 0;
  bool ending = false;
};

std::array<char, 64 * 1024> room;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "tunnels: %s (%s)\n", what, std::strerror(errno));
  std::exit(1);
}

double seconds_of(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Blocking: over the loopback all of this is quick.
int open_tunnel(int port, const char* protocol) {
  const int fd = dial(port);
  if (fd < 0) fail("cannot connect");
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  std::string request = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: ";
  request.append(protocol).append("\r\n\r\n");
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) fail("cannot send");
  // Byte by byte: what follows the head is counted later.
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte;
    if (recv(fd, &byte, 1, 0) != 1) fail("no answer to the upgrade");
    head.push_back(byte);
  }
  if (!head.starts_with("HTTP/1.1 101 ")) fail(head.c_str());
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

void say(Load& load, Tunnel& tunnel) {
  if (send(tunnel.fd, room.data(), load.message, MSG_NOSIGNAL) !=
      static_cast<ssize_t>(load.message)) {
    fail("cannot send");
  }
  tunnel.missing = load.message;
  ++load.in_flight;
}

void hear(Load& load, Tunnel& tunnel) {
  const ssize_t got = recv(tunnel.fd, room.data(), room.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) fail("a tunnel has ended");
  const auto bytes = static_cast<size_t>(got);
  if (bytes > tunnel.missing) fail("more bytes than were sent");
  tunnel.missing -= bytes;
  load.bytes += 2 * bytes;
  if (tunnel.missing > 0) return;
  ++load.answers;
  --load.in_flight;
  if (!load.ending) say(load, tunnel);
}

void stream(Load& load, Tunnel& tunnel) {
  for (;;) {
    off_t offset = 0;
    const ssize_t sent = sendfile(tunnel.fd, load.file, &offset, kFileBytes);
    if (sent > 0) load.bytes += static_cast<uint64_t>(sent);
    if (sent < 0 && errno != EAGAIN) fail("cannot stream");
    if (sent < static_cast<ssize_t>(kFileBytes)) break;
  }
  for (;;) {
    const ssize_t got = recv(tunnel.fd, room.data(), kFileBytes, MSG_TRUNC);
    if (got == 0 || (got < 0 && errno != EAGAIN)) fail("a stream has ended");
    if (got > 0) load.bytes += static_cast<uint64_t>(got);
    if (got < static_cast<ssize_t>(kFileBytes)) return;
  }
}

void run(Load& load, double seconds) {
  const double end = seconds_of(CLOCK_MONOTONIC) + seconds;
  std::array<epoll_event, 256> events;
  while (!load.ending || load.in_flight > 0) {
    const int count = epoll_wait(load.epoll, events.data(), static_cast<int>(events.size()), 100);
    ++load.waits;
    for (int i = 0; i < count; ++i) {
      auto& tunnel = *static_cast<Tunnel*>(events[static_cast<size_t>(i)].data.ptr);
      if (load.file >= 0) {
        stream(load, tunnel);
      } else {
        hear(load, tunnel);
      }
    }
    const double now = seconds_of(CLOCK_MONOTONIC);
    if (now > end) load.ending = true;
    if (now > end + kPatienceS) fail("messages are missing at the end");
  }
}

int make_file() {
  int file = memfd_create("stream", MFD_CLOEXEC);
  if (ftruncate(file, kFileBytes) != 0) fail("cannot make the stream");
  std::vector<char> bytes(kFileBytes, 's');
  if (write(file, bytes.data(), kFileBytes) != static_cast<ssize_t>(kFileBytes)) {
    fail("cannot make the stream");
  }
  return file;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) fail("usage: tunnels PORT CONNECTIONS SECONDS echo|stream BYTES");
  signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  const bool streams = std::strcmp(argv[4], "stream") == 0;
  Load load;
  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  load.message = static_cast<size_t>(std::atoi(argv[5]));
  if (load.message > room.size()) fail("a message is too long");
  if (streams) load.file = make_file();
  std::vector<Tunnel> tunnels(static_cast<size_t>(std::atoi(argv[2])));
  for (Tunnel& tunnel : tunnels) tunnel.fd = open_tunnel(std::atoi(argv[1]), argv[4]);
  const double start = seconds_of(CLOCK_MONOTONIC);
  for (Tunnel& tunnel : tunnels) {
    if (streams) setsockopt(tunnel.fd, SOL_SOCKET, SO_RCVLOWAT, &kWakeBytes, sizeof kWakeBytes);
    epoll_event event{};
    event.events = streams ? EPOLLIN | EPOLLOUT | EPOLLET : EPOLLIN | EPOLLET;
    event.data.ptr = &tunnel;
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, tunnel.fd, &event);
    if (!streams) say(load, tunnel);
  }
  run(load, std::atof(argv[3]));
  std::printf("{\"answers\":%llu,\"bytes\":%llu,\"waits\":%llu,\"seconds\":%.6f,\"cpu\":%.6f}\n",
              static_cast<unsigned long long>(load.answers),
              static_cast<unsigned long long>(load.bytes),
              static_cast<unsigned long long>(load.waits), seconds_of(CLOCK_MONOTONIC) - start,
              seconds_of(CLOCK_PROCESS_CPUTIME_ID));
  return 0;
}
