// The upstream of bench/proxy: one thread that answers so cheaply that a proxy before it is the
// bottleneck. Speaks as much HTTP as the proxies need and nothing more.
//
//   GET /bytes/N       N bytes, from memory up to kInMemory, else by sendfile from a file in memory
//   PUT /upload        drops a body of Content-Length and says so
//   Upgrade: echo      sends back whatever comes
//   Upgrade: stream    sends for ever and drops whatever comes
//
//   origin PORT
#include <netinet/tcp.h>
#include <signal.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../measuring/loopback.h"

namespace {

constexpr uint64_t kInMemory = 1024 * 1024;
/// What long bodies consist of, again and again.
constexpr uint64_t kPattern = 4 * 1024 * 1024;
constexpr uint64_t kEndless = UINT64_MAX;
/// Of a long body it wants to hear only when so much has come.
constexpr int kWakeBytes = 256 * 1024;

enum class Mode : uint8_t { head, upload, echo, stream };

struct Connection {
  int fd;
  Mode mode = Mode::head;
  std::string rest;                     ///< what the socket did not take of an answer
  const std::string* answer = nullptr;  ///< likewise, of one that is kept
  size_t sent = 0;                      ///< of `answer`
  uint64_t to_send = 0;                 ///< by sendfile
  uint64_t to_drop = 0;                 ///< of a body
};

std::array<char, 64 * 1024> room;
std::map<uint64_t, std::string> answers;  ///< by length
int pattern_file = -1;
std::vector<char> pattern(kPattern);

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "origin: %s (%s)\n", what, std::strerror(errno));
  std::exit(1);
}

void make_pattern() {
  uint64_t state = 88172645463325252ULL;
  for (char& byte : pattern) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state);
  }
  pattern_file = memfd_create("pattern", MFD_CLOEXEC);
  if (write(pattern_file, pattern.data(), kPattern) != static_cast<ssize_t>(kPattern)) {
    fail("cannot make the pattern");
  }
}

std::string head_of(uint64_t bytes) {
  return "HTTP/1.1 200 OK\r\n"
         "Content-Type: application/octet-stream\r\n"
         "ETag: \"400-673f5a3d00000000\"\r\n"
         "Last-Modified: Thu, 21 Nov 2024 16:05:17 GMT\r\n"
         "Cache-Control: no-cache\r\n"
         "Content-Length: " +
         std::to_string(bytes) +
         "\r\n"
         "Date: Thu, 21 Nov 2024 16:05:17 GMT\r\n\r\n";
}

const std::string& answer_of(uint64_t bytes) {
  std::string& answer = answers[bytes];
  if (answer.empty()) answer = head_of(bytes).append(pattern.data(), bytes);
  return answer;
}

/// Sends what waits. False: the connection is gone.
bool push(Connection& connection) {
  while (connection.answer != nullptr || !connection.rest.empty()) {
    const bool is_kept = connection.answer != nullptr;
    const std::string& text = is_kept ? *connection.answer : connection.rest;
    const int more = connection.to_send > 0 ? MSG_MORE : 0;
    const ssize_t sent = send(connection.fd, text.data() + connection.sent,
                              text.size() - connection.sent, MSG_NOSIGNAL | more);
    if (sent < 0) return errno == EAGAIN;
    connection.sent += static_cast<size_t>(sent);
    if (connection.sent < text.size()) continue;
    connection.sent = 0;
    connection.answer = nullptr;
    if (!is_kept) connection.rest.clear();
  }
  while (connection.to_send > 0) {
    const uint64_t phase = connection.to_send % kPattern;
    auto offset = static_cast<off_t>(phase == 0 ? 0 : kPattern - phase);
    if (connection.to_send == kEndless) offset = 0;
    const size_t most =
        std::min<uint64_t>(connection.to_send, kPattern - static_cast<uint64_t>(offset));
    const ssize_t sent = sendfile(connection.fd, pattern_file, &offset, most);
    if (sent < 0) return errno == EAGAIN;
    if (connection.to_send != kEndless) connection.to_send -= static_cast<uint64_t>(sent);
  }
  return true;
}

std::string_view field_of(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    line.remove_prefix(name.size() + 1);
    return line.substr(std::min(line.find_first_not_of(' '), line.size()));
  }
  return {};
}

void wake_when_readable(int fd, int bytes) {
  setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

/// Whatever is left of a body, `before` some of it came, decides when to wake up next.
void expect(Connection& connection, uint64_t before) {
  if (connection.to_drop < kWakeBytes && before > 0) {
    wake_when_readable(connection.fd, std::max<int>(1, static_cast<int>(connection.to_drop)));
  } else if (connection.to_drop >= kWakeBytes && before == 0) {
    wake_when_readable(connection.fd, kWakeBytes);
  }
}

void dropped_all(Connection& connection) {
  connection.mode = Mode::head;
  connection.answer = &answer_of(16);
}

void upgrade(Connection& connection, std::string_view protocol) {
  connection.rest = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ";
  connection.rest.append(protocol).append("\r\n\r\n");
  connection.mode = protocol == "stream" ? Mode::stream : Mode::echo;
  if (connection.mode != Mode::stream) return;
  connection.to_send = kEndless;
  wake_when_readable(connection.fd, kWakeBytes);
}

/// A request that came in one piece, with what follows it.
bool answer(Connection& connection, std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) return false;
  const std::string_view head = bytes.substr(0, end + 2);
  bytes.remove_prefix(end + 4);
  constexpr std::string_view kBytes = "GET /bytes/";
  if (const std::string_view protocol = field_of(head, "upgrade"); !protocol.empty()) {
    upgrade(connection, protocol);
    return bytes.empty();
  }
  if (head.starts_with(kBytes)) {
    const uint64_t size = std::strtoull(head.data() + kBytes.size(), nullptr, 10);
    if (size <= kInMemory) {
      connection.answer = &answer_of(size);
    } else {
      connection.rest = head_of(size);
      connection.to_send = size;
    }
    return bytes.empty();
  }
  const std::string_view length = field_of(head, "content-length");
  connection.to_drop = std::strtoull(length.data() == nullptr ? "" : length.data(), nullptr, 10);
  if (bytes.size() > connection.to_drop) return false;
  connection.to_drop -= bytes.size();
  connection.mode = Mode::upload;
  expect(connection, 0);
  if (connection.to_drop == 0) dropped_all(connection);
  return true;
}

/// Takes what has come. False when the connection has ended or makes no sense.
bool pull(Connection& connection) {
  for (;;) {
    const bool is_dropped = connection.mode == Mode::upload || connection.mode == Mode::stream;
    const size_t most = connection.mode == Mode::upload   ? connection.to_drop
                        : connection.mode == Mode::stream ? kPattern
                                                          : room.size();
    const ssize_t got = recv(connection.fd, room.data(), most, is_dropped ? MSG_TRUNC : 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    const std::string_view bytes(room.data(), static_cast<size_t>(is_dropped ? 0 : got));
    switch (connection.mode) {
      case Mode::head:
        if (!answer(connection, bytes)) return false;
        break;
      case Mode::upload: {
        const uint64_t before = connection.to_drop;
        connection.to_drop -= static_cast<uint64_t>(got);
        expect(connection, before);
        if (connection.to_drop == 0) dropped_all(connection);
        break;
      }
      case Mode::echo: connection.rest.append(bytes); break;
      case Mode::stream: break;
    }
    if (!push(connection)) return false;
    // A short read has emptied the socket.
    if (!is_dropped && static_cast<size_t>(got) < room.size()) return true;
  }
}

int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in at = loopback(port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(fd, 4096) != 0) {
    fail("cannot listen");
  }
  return fd;
}

void accept_all(int listener, int epoll) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = new Connection{.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  make_pattern();
  const int listener = listen_on(std::atoi(argv[1]));
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& now = events[static_cast<size_t>(i)];
      auto* connection = static_cast<Connection*>(now.data.ptr);
      if (connection == nullptr) {
        accept_all(listener, epoll);
        continue;
      }
      if (push(*connection) && ((now.events & EPOLLIN) == 0 || pull(*connection))) continue;
      close(connection->fd);
      delete connection;
    }
  }
}
