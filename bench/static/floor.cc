// The least that an answer from memory can cost on this machine: epoll_wait, recv, one send of
// bytes made beforehand, and no HTTP but the look for the target. What a server costs above it is
// its own doing; what it costs below it is a mistake of the benchmark.
//
//   floor PORT DIRECTORY     answers GET /NAME for every file in DIRECTORY up to 1 MiB
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "../measuring/loopback.h"

namespace {

constexpr size_t kLargest = 1024 * 1024;

/// By target.
using Answers = std::map<std::string, std::string, std::less<>>;

Answers read_directory(const char* path) {
  Answers answers;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (!entry.is_regular_file() || entry.file_size() > kLargest) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string body{std::istreambuf_iterator<char>(file), {}};
    std::string head =
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: application/octet-stream\r\n"
        "ETag: \"400-673f5a3d00000000\"\r\n"
        "Last-Modified: Thu, 21 Nov 2024 16:05:17 GMT\r\n"
        "Accept-Ranges: bytes\r\n"
        "Content-Length: " +
        std::to_string(body.size()) +
        "\r\n"
        "Date: Thu, 21 Nov 2024 16:05:17 GMT\r\n\r\n";
    answers["/" + entry.path().filename().string()] = head + body;
  }
  return answers;
}

int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in at = loopback(port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(fd, 1024) != 0) {
    std::perror("floor: cannot listen");
    std::exit(1);
  }
  return fd;
}

void add(int epoll, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void answer(int fd, const Answers& answers) {
  static std::array<char, 64 * 1024> room;
  ssize_t got = recv(fd, room.data(), room.size(), 0);
  std::string_view request(room.data(), got > 0 ? static_cast<size_t>(got) : 0);
  size_t start = request.find(' ');
  size_t end = request.find(' ', start + 1);
  auto found = end == request.npos ? answers.end()
                                   : answers.find(request.substr(start + 1, end - start - 1));
  if (found == answers.end()) {
    close(fd);
    return;
  }
  send(fd, found->second.data(), found->second.size(), MSG_NOSIGNAL);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Answers answers = read_directory(argv[2]);
  int listener = listen_on(std::atoi(argv[1]));
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  add(epoll, listener, EPOLLIN);
  std::array<epoll_event, 256> events;
  for (;;) {
    int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd != listener) {
        answer(fd, answers);
        continue;
      }
      int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0) add(epoll, accepted, EPOLLIN | EPOLLET);
    }
  }
}
