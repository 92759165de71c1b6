// A client that asks at a fixed rate and tells how long answers took, from the moment at which each
// request was due: one that had to wait for a free connection counts its waiting. One thread; it
// sleeps between requests, so it shares its core with others.
//
//   paced PORT CONNECTIONS RATE SECONDS FILE     RATE: requests a second; FILE: one request
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "loopback.h"

namespace {

constexpr int64_t kNs = 1'000'000'000;
constexpr int64_t kPatienceNs = 10 * kNs;

std::array<char, 64 * 1024> room;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "paced: %s (%s)\n", what, std::strerror(errno));
  std::exit(1);
}

int64_t now_ns() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kNs + time.tv_nsec;
}

struct Connection {
  int fd = -1;
  int64_t due_ns = 0;  ///< of the request under way
  size_t left = 0;     ///< bytes of its answer still to come
};

struct Run {
  std::string request;
  size_t answer = 0;  ///< bytes of each answer, head and all
  std::vector<Connection> connections;
  std::vector<Connection*> idle;
  std::deque<int64_t> waiting;  ///< due, but no connection is free
  std::vector<int64_t> took_ns;
};

int dial_or_fail(int port) {
  const int fd = dial(port);
  if (fd < 0) fail("cannot connect");
  return fd;
}

void ask(Run& run, Connection& connection, int64_t due_ns) {
  connection.due_ns = due_ns;
  connection.left = run.answer;
  ssize_t sent = send(connection.fd, run.request.data(), run.request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(run.request.size())) fail("cannot send");
}

/// How long an answer is: what comes until nothing more does for a while.
size_t learn(const Run& run, int port) {
  int fd = dial_or_fail(port);
  if (send(fd, run.request.data(), run.request.size(), MSG_NOSIGNAL) < 0) fail("cannot send");
  timeval patience{0, 300'000};
  size_t got = 0;
  for (ssize_t bytes; (bytes = recv(fd, room.data(), room.size(), 0)) > 0;) {
    if (got == 0 && std::memcmp(room.data(), "HTTP/1.1 200", 12) != 0) fail("not a 200");
    got += static_cast<size_t>(bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  close(fd);
  if (got == 0) fail("no answer");
  return got;
}

void read_answer(Run& run, Connection& connection) {
  ssize_t got = recv(connection.fd, room.data(), room.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) fail("a connection ended");
  if (static_cast<size_t>(got) > connection.left) fail("more bytes than expected");
  connection.left -= static_cast<size_t>(got);
  if (connection.left > 0) return;
  run.took_ns.push_back(now_ns() - connection.due_ns);
  if (run.waiting.empty()) {
    run.idle.push_back(&connection);
    return;
  }
  int64_t due_ns = run.waiting.front();
  run.waiting.pop_front();
  ask(run, connection, due_ns);
}

void ask_when_due(Run& run, int64_t due_ns) {
  if (run.idle.empty()) {
    run.waiting.push_back(due_ns);
    return;
  }
  Connection& connection = *run.idle.back();
  run.idle.pop_back();
  ask(run, connection, due_ns);
}

void prepare(Run& run, int epoll, int port, size_t connections) {
  run.connections.resize(connections);
  for (Connection& connection : run.connections) {
    connection.fd = dial_or_fail(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection.fd, &event);
    run.idle.push_back(&connection);
  }
}

void measure(Run& run, int epoll, double rate, double seconds) {
  auto total = static_cast<int64_t>(rate * seconds);
  int64_t start_ns = now_ns(), asked = 0;
  auto due = [&](int64_t index) {
    return start_ns + static_cast<int64_t>(static_cast<double>(index) * 1e9 / rate);
  };
  std::array<epoll_event, 64> events;
  while (static_cast<int64_t>(run.took_ns.size()) < total) {
    int64_t now = now_ns();
    while (asked < total && due(asked) <= now) ask_when_due(run, due(asked++));
    int64_t wait_ns = asked < total ? std::max<int64_t>(due(asked) - now_ns(), 0) : kNs;
    timespec patience{wait_ns / kNs, wait_ns % kNs};
    int count = epoll_pwait2(epoll, events.data(), events.size(), &patience, nullptr);
    for (int i = 0; i < count; ++i) {
      read_answer(run, *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr));
    }
    if (now_ns() > due(total) + kPatienceNs) fail("answers are missing at the end");
  }
}

double microseconds(std::vector<int64_t>& sorted, double share) {
  auto index = static_cast<size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[index]) / 1e3;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) fail("usage: paced PORT CONNECTIONS RATE SECONDS FILE");
  prctl(PR_SET_TIMERSLACK, 1UL);
  Run run;
  std::ifstream file(argv[5], std::ios::binary);
  run.request.assign(std::istreambuf_iterator<char>(file), {});
  int port = std::atoi(argv[1]);
  run.answer = learn(run, port);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  prepare(run, epoll, port, static_cast<size_t>(std::atoi(argv[2])));
  measure(run, epoll, std::atof(argv[3]), std::atof(argv[4]));
  std::vector<int64_t>& took = run.took_ns;
  if (took.empty()) fail("nothing was asked");
  std::sort(took.begin(), took.end());
  std::printf("{\"answers\":%zu,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"most\":%.1f}\n",
              took.size(), microseconds(took, 0.5), microseconds(took, 0.99),
              microseconds(took, 0.999), microseconds(took, 1));
  return 0;
}
