// The client: one thread that keeps a number of connections busy and costs less than any server it
// measures, so that the server is the bottleneck (wrk is not). It learns each answer's length once,
// then only counts: bodies beyond kCopied are dropped by the kernel (MSG_TRUNC), and bodies that it
// sends, whose length Content-Length tells, come from a file in memory (sendfile). An answer that
// differs in length or status line ends the program with a message. All requests that were sent are
// answered when it ends, so the totals are exact.
//
//   client PORT CONNECTIONS SECONDS FILE     FILE: requests, each followed by a NUL byte
#include <fcntl.h>
#include <signal.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "loopback.h"

namespace {

constexpr size_t kCopied = 64 * 1024;
/// Of larger answers it wants to hear only when so much has come: waking it for every packet would
/// cost the server more than sending it.
constexpr uint64_t kWakeBytes = 256 * 1024;
/// What the bodies of requests consist of, again and again.
constexpr uint64_t kBodyBytes = 4 * 1024 * 1024;
constexpr size_t kStatusLine = 12;  // "HTTP/1.1 200"
constexpr double kPatienceS = 60;   // a server that is traced is slow

struct Request {
  std::string text;
  bool closes = false;  ///< Connection: close
  uint64_t body = 0;    ///< bytes that follow `text`
  uint64_t answer = 0;  ///< bytes of the whole answer
  std::array<char, kStatusLine> status{};
};

struct Connection {
  int fd = -1;
  const Request* request = nullptr;  ///< null: idle
  uint64_t left = 0;                 ///< bytes of its answer still to come
  uint64_t to_send = 0;              ///< bytes of its body
};

struct Load {
  int port = 0;
  int epoll = -1;
  int body = -1;  ///< a file of kBodyBytes; -1: no request has one
  std::vector<Request> requests;
  size_t next = 0;
  uint64_t answers = 0, bytes = 0, waits = 0;
  size_t in_flight = 0;
  bool ending = false;
};

std::array<char, kCopied> room;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "client: %s (%s)\n", what, std::strerror(errno));
  std::exit(1);
}

double now_s() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double cpu_s() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

int dial_or_fail(int port) {
  const int fd = dial(port);
  if (fd < 0) fail("cannot connect");
  return fd;
}

void send_all(int fd, std::string_view text, int flags = 0) {
  ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL | flags);
  if (sent != static_cast<ssize_t>(text.size())) fail("cannot send");
}

/// Sends of a body what the socket takes, all of it where the socket blocks.
void send_body(int fd, int file, uint64_t& left) {
  while (left > 0) {
    auto offset = static_cast<off_t>((kBodyBytes - left % kBodyBytes) % kBodyBytes);
    size_t most = std::min<uint64_t>(left, kBodyBytes - static_cast<uint64_t>(offset));
    ssize_t sent = sendfile(fd, file, &offset, most);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent <= 0) fail("cannot send a body");
    left -= static_cast<uint64_t>(sent);
  }
}

void wake_when_readable(int fd, uint64_t bytes) {
  int least = static_cast<int>(bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

/// Whole length of the answer whose head is complete in `text`; bodies of HEAD and 304 are empty.
uint64_t answer_length(const Request& request, const std::string& text, size_t head) {
  bool bodiless = request.text.starts_with("HEAD ") || text.compare(9, 3, "304") == 0;
  if (bodiless) return head;
  for (size_t at = text.find("\r\n"); at + 2 < head; at = text.find("\r\n", at + 2)) {
    constexpr std::string_view kName = "content-length:";
    const char* line = text.c_str() + at + 2;
    if (strncasecmp(line, kName.data(), kName.size()) == 0) {
      return head + std::strtoull(line + kName.size(), nullptr, 10);
    }
  }
  fail("an answer without Content-Length");
}

/// Asks once, on `fd`.
void learn(int fd, int body, Request& request) {
  send_all(fd, request.text);
  uint64_t to_send = request.body;
  send_body(fd, body, to_send);
  std::string text;
  for (uint64_t got = 0; request.answer == 0 || got < request.answer;) {
    ssize_t bytes = recv(fd, room.data(), room.size(), 0);
    if (bytes <= 0) fail("an answer ended early");
    got += static_cast<uint64_t>(bytes);
    if (request.answer > 0) continue;
    text.append(room.data(), static_cast<size_t>(bytes));
    size_t head = text.find("\r\n\r\n");
    if (head != std::string::npos) request.answer = answer_length(request, text, head + 4);
  }
  std::memcpy(request.status.data(), text.data(), kStatusLine);
}

void learn_all(Load& load) {
  int fd = -1;
  for (Request& request : load.requests) {
    if (fd < 0) fd = dial_or_fail(load.port);
    learn(fd, load.body, request);
    if (!request.closes) continue;
    close(fd);
    fd = -1;
  }
  if (fd >= 0) close(fd);
}

void make_body(Load& load) {
  load.body = memfd_create("body", MFD_CLOEXEC);
  std::vector<char> bytes(kBodyBytes, 'b');
  if (write(load.body, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    fail("cannot make the body");
  }
}

void read_requests(Load& load, const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string all{std::istreambuf_iterator<char>(file), {}};
  for (size_t at = 0; at < all.size();) {
    size_t end = all.find('\0', at);
    if (end == std::string::npos) fail("a request that does not end in NUL");
    Request request;
    request.text = all.substr(at, end - at);
    request.closes = request.text.find("Connection: close\r\n") != std::string::npos;
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    size_t length = request.text.find(kLength);
    if (length != std::string::npos) {
      request.body = std::strtoull(request.text.c_str() + length + kLength.size(), nullptr, 10);
    }
    if (request.body > 0 && load.body < 0) make_body(load);
    load.requests.push_back(std::move(request));
    at = end + 1;
  }
  if (load.requests.empty()) fail("no requests");
}

/// Sends the next request, on a new connection where there is none.
void ask(Load& load, Connection& connection) {
  if (connection.fd < 0) {
    connection.fd = dial_or_fail(load.port);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (load.body >= 0) event.events |= EPOLLOUT;
    fcntl(connection.fd, F_SETFL, O_NONBLOCK);
    event.data.ptr = &connection;
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, connection.fd, &event);
  }
  connection.request = &load.requests[load.next];
  load.next = load.next + 1 == load.requests.size() ? 0 : load.next + 1;
  connection.left = connection.request->answer;
  ++load.in_flight;
  if (connection.left > kWakeBytes) wake_when_readable(connection.fd, kWakeBytes);
  connection.to_send = connection.request->body;
  load.bytes += connection.to_send;
  send_all(connection.fd, connection.request->text, connection.to_send > 0 ? MSG_MORE : 0);
  send_body(connection.fd, load.body, connection.to_send);
}

/// The answer under way is complete.
void complete(Load& load, Connection& connection) {
  ++load.answers;
  --load.in_flight;
  bool closes = connection.request->closes;
  connection.request = nullptr;
  if (closes) return;  // the next one when the server has closed
  if (!load.ending) ask(load, connection);
}

void on_close(Load& load, Connection& connection) {
  if (connection.request != nullptr) fail("a connection closed before its answer was complete");
  close(connection.fd);
  connection.fd = -1;
  if (!load.ending) ask(load, connection);
}

/// Reads what has come. False when there is nothing more now.
bool read_some(Load& load, Connection& connection) {
  bool copied = connection.request == nullptr || connection.request->answer <= kCopied;
  size_t wanted = copied ? room.size() : connection.left;
  ssize_t got = recv(connection.fd, room.data(), wanted, MSG_DONTWAIT | (copied ? 0 : MSG_TRUNC));
  if (got < 0 && errno == EAGAIN) return false;
  if (got <= 0) {
    on_close(load, connection);
    return false;
  }
  uint64_t bytes = static_cast<uint64_t>(got);
  if (connection.request == nullptr || bytes > connection.left) fail("more bytes than expected");
  const Request& request = *connection.request;
  bool starts = connection.left == request.answer;
  if (copied && starts && std::memcmp(room.data(), request.status.data(), kStatusLine) != 0) {
    fail("another status than at first");
  }
  load.bytes += bytes;
  connection.left -= bytes;
  bool is_large = request.answer > kWakeBytes;
  if (is_large && connection.left < kWakeBytes) {
    wake_when_readable(connection.fd, std::max<uint64_t>(connection.left, 1));
  }
  if (connection.left > 0) return !copied;
  bool closes = request.closes;
  complete(load, connection);
  return closes;  // its end may be here already
}

void run(Load& load, std::vector<Connection>& connections, double seconds) {
  for (Connection& connection : connections) ask(load, connection);
  double end = now_s() + seconds;
  std::array<epoll_event, 256> events;
  while (!load.ending || load.in_flight > 0) {
    int count = epoll_wait(load.epoll, events.data(), static_cast<int>(events.size()), 100);
    ++load.waits;
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      send_body(connection.fd, load.body, connection.to_send);
      while (connection.fd >= 0 && read_some(load, connection)) {
      }
    }
    double now = now_s();
    if (now > end) load.ending = true;
    if (now > end + kPatienceS) fail("answers are missing at the end");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) fail("usage: client PORT CONNECTIONS SECONDS FILE");
  signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  Load load;
  load.port = std::atoi(argv[1]);
  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  read_requests(load, argv[4]);
  learn_all(load);
  std::vector<Connection> connections(static_cast<size_t>(std::atoi(argv[2])));
  double start = now_s();
  run(load, connections, std::atof(argv[3]));
  std::printf("{\"answers\":%llu,\"bytes\":%llu,\"waits\":%llu,\"seconds\":%.6f,\"cpu\":%.6f}\n",
              static_cast<unsigned long long>(load.answers),
              static_cast<unsigned long long>(load.bytes),
              static_cast<unsigned long long>(load.waits), now_s() - start, cpu_s());
  return 0;
}
