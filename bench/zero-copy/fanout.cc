// One message to many clients, by each of the ways that the kernel offers: CPU time of the sender
// per message and delivered gigabyte, and how long until the last client has its last byte. Linux
// only, no code of the gateway: it settles which way the gateway takes (docs/ZERO-COPY.md).
//
//   g++ -O2 -std=c++20 -pthread fanout.cc -o fanout && ./fanout [CLIENTS]
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr size_t kPipeBytes = 1 << 20;

int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void must(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

/// Connected pairs over the loopback; a thread reads what comes and drops it in the kernel.
struct Clients {
  explicit Clients(size_t count) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
    must(listen(listener, 1024) == 0, "listen");
    socklen_t length = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    const int epoll = epoll_create1(0);
    for (size_t i = 0; i < count; ++i) {
      const int reader = socket(AF_INET, SOCK_STREAM, 0);
      must(connect(reader, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
      const int sender = accept(listener, nullptr, nullptr);
      const int on = 1;
      setsockopt(sender, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = reader;
      epoll_ctl(epoll, EPOLL_CTL_ADD, reader, &event);
      senders.push_back(sender);
      readers.push_back(reader);
    }
    close(listener);
    thread = std::thread([this, epoll] { drain(epoll); });
  }

  ~Clients() {
    for (const int fd : senders) close(fd);
    thread.join();
    for (const int fd : readers) close(fd);
  }

  void drain(int epoll) {
    epoll_event events[256];
    for (size_t open = readers.size(); open > 0;) {
      const int ready = epoll_wait(epoll, events, 256, -1);
      for (int i = 0; i < ready; ++i) {
        const ssize_t got = recv(events[i].data.fd, nullptr, 1 << 24, MSG_TRUNC | MSG_DONTWAIT);
        if (got > 0) received.fetch_add(static_cast<uint64_t>(got));
        if (got != 0) continue;
        epoll_ctl(epoll, EPOLL_CTL_DEL, events[i].data.fd, nullptr);
        --open;
      }
    }
    close(epoll);
  }

  std::vector<int> senders, readers;
  std::atomic<uint64_t> received{0};
  std::thread thread;
};

/// What one way keeps between messages.
struct Ways {
  Ways() {
    log = memfd_create("log", 0);
    must(pipe(master) == 0 && pipe(side) == 0, "pipe");
    for (const int end : {master[1], side[1]}) fcntl(end, F_SETPIPE_SZ, kPipeBytes);
    devnull = open("/dev/null", O_WRONLY);
  }
  int log, devnull;
  off_t end = 0;
  int master[2], side[2];
};

using Publish = void (*)(Ways&, const std::vector<char>&, const std::vector<int>&);

void by_send(Ways&, const std::vector<char>& message, const std::vector<int>& sockets) {
  for (const int fd : sockets) {
    for (size_t sent = 0; sent < message.size();) {
      const ssize_t got = send(fd, message.data() + sent, message.size() - sent, MSG_NOSIGNAL);
      must(got > 0, "send");
      sent += static_cast<size_t>(got);
    }
  }
}

void by_log(Ways& ways, const std::vector<char>& message, const std::vector<int>& sockets) {
  must(pwrite(ways.log, message.data(), message.size(), ways.end) > 0, "pwrite");
  for (const int fd : sockets) {
    off_t at = ways.end;
    for (size_t left = message.size(); left > 0;) {
      const ssize_t got = sendfile(fd, ways.log, &at, left);
      must(got > 0, "sendfile");
      left -= static_cast<size_t>(got);
    }
  }
  ways.end += static_cast<off_t>((message.size() + 4095) / 4096 * 4096);
  constexpr int kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (ways.end > (64 << 20)) fallocate(ways.log, kPunch, 0, ways.end - (32 << 20));
}

/// The message is in the master pipe; each client gets a copy of the references.
void tee_to(Ways& ways, size_t size, const std::vector<int>& sockets) {
  for (const int fd : sockets) {
    must(tee(ways.master[0], ways.side[1], size, 0) == static_cast<ssize_t>(size), "tee");
    for (size_t left = size; left > 0;) {
      const ssize_t got = splice(ways.side[0], nullptr, fd, nullptr, left, SPLICE_F_MOVE);
      must(got > 0, "splice");
      left -= static_cast<size_t>(got);
    }
  }
  while (size > 0) {
    size -= static_cast<size_t>(splice(ways.master[0], nullptr, ways.devnull, nullptr, size, 0));
  }
}

void by_tee(Ways& ways, const std::vector<char>& message, const std::vector<int>& sockets) {
  must(
      write(ways.master[1], message.data(), message.size()) == static_cast<ssize_t>(message.size()),
      "write");
  tee_to(ways, message.size(), sockets);
}

void by_vmsplice(Ways& ways, const std::vector<char>& message, const std::vector<int>& sockets) {
  const size_t room = (message.size() + 4095) / 4096 * 4096;
  void* pages = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::memcpy(pages, message.data(), message.size());
  iovec part{pages, message.size()};
  must(vmsplice(ways.master[1], &part, 1, SPLICE_F_GIFT) == static_cast<ssize_t>(message.size()),
       "vmsplice");
  munmap(pages, room);
  tee_to(ways, message.size(), sockets);
}

struct Row {
  const char* name;
  Publish publish;
};
constexpr Row kRows[] = {{"send", by_send},
                         {"log + sendfile", by_log},
                         {"write + tee", by_tee},
                         {"vmsplice + tee", by_vmsplice}};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 500;
  Clients clients(count);
  Ways ways;
  std::printf("%zu clients\n%-16s %9s %12s %12s %14s\n", count, "way", "bytes", "us/message",
              "CPU s/GB", "last byte us");
  for (const size_t size : {1024ul, 16384ul, 65536ul, 1048576ul}) {
    const std::vector<char> message(size, 'x');
    const size_t rounds = size >= 1048576 ? 3 : size >= 65536 ? 20 : 100;
    std::vector<double> cpu[4], last[4];
    for (size_t round = 0; round < rounds; ++round) {
      for (size_t way = 0; way < 4; ++way) {
        const uint64_t before = clients.received.load();
        const int64_t wall = clock_ns(CLOCK_MONOTONIC);
        const int64_t begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        kRows[way].publish(ways, message, clients.senders);
        cpu[way].push_back(static_cast<double>(clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / 1e3);
        while (clients.received.load() < before + size * count) usleep(10);
        last[way].push_back(static_cast<double>(clock_ns(CLOCK_MONOTONIC) - wall) / 1e3);
      }
    }
    for (size_t way = 0; way < 4; ++way) {
      const double us = median(cpu[way]);
      const double bytes = static_cast<double>(size * count);
      std::printf("%-16s %9zu %12.0f %12.3f %14.0f\n", kRows[way].name, size, us,
                  us / 1e6 / (bytes / 1e9), median(last[way]));
    }
  }
}
