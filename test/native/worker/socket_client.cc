// The client's few calls, all blocking. It uses the system directly, not net/sys: what is tested
// must not be what tests.
#include "worker/socket_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace worker_tests {
namespace {

constexpr int kPatienceSeconds = 60;  // sanitizers on a busy machine are slow

}  // namespace

std::string Response::field(std::string_view name) const {
  const std::string mark = "\r\n" + std::string(name) + ": ";
  const size_t at = head.find(mark);
  if (at == std::string::npos) return "";
  const size_t begin = at + mark.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string request_for(std::string_view path, std::string_view fields) {
  std::string text = "GET ";
  return text.append(path).append(" HTTP/1.1\r\nHost: test\r\n").append(fields).append("\r\n");
}

SocketClient::SocketClient(SocketClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

SocketClient& SocketClient::operator=(SocketClient&& other) noexcept {
  close();
  fd_ = std::exchange(other.fd_, -1);
  buffer_ = std::move(other.buffer_);
  return *this;
}

bool SocketClient::connect(const sluice::net::Endpoint& endpoint, int receive_bytes) {
  close();
  sluice::net::SocketAddress address;
  if (sluice::net::to_socket_address(endpoint, address) != 0) return false;
  fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{kPatienceSeconds, 0};
  const int on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_bytes > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(fd_, to, address.length) == 0) return true;
  close();
  return false;
}

bool SocketClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool SocketClient::receive() {
  char room[16 * 1024];
  const ssize_t got = ::recv(fd_, room, sizeof room, 0);
  if (got <= 0) return false;
  buffer_.append(room, static_cast<size_t>(got));
  return true;
}

Response SocketClient::read(bool headless) {
  Response response;
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    response.received = buffer_.size();
    if (!receive()) return response;
  }
  response.head = buffer_.substr(0, end + 4);
  const int status = std::atoi(response.head.c_str() + 9);
  const bool bodiless = headless || status < 200 || status == 204 || status == 304;
  const size_t length =
      bodiless ? 0 : std::strtoull(response.field("Content-Length").c_str(), nullptr, 10);
  buffer_.erase(0, end + 4);
  while (buffer_.size() < length) {
    if (receive()) continue;
    response.received = response.head.size() + buffer_.size();
    return response;
  }
  response.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  response.received = response.head.size() + length;
  response.status = status;
  response.keeps_open = response.field("Connection") != "close";
  return response;
}

Response SocketClient::get(std::string_view path, std::string_view fields) {
  if (!send(request_for(path, fields))) return {};
  return read();
}

std::string SocketClient::read_to_end(bool* ended) {
  ssize_t got;
  char room[16 * 1024];
  while ((got = ::recv(fd_, room, sizeof room, 0)) > 0) {
    buffer_.append(room, static_cast<size_t>(got));
  }
  if (ended != nullptr) *ended = got == 0;
  return std::exchange(buffer_, {});
}

bool SocketClient::wait_for_byte() {
  pollfd wanted{fd_, POLLIN, 0};
  return ::poll(&wanted, 1, kPatienceSeconds * 1'000) == 1;
}

void SocketClient::shutdown_writing() { ::shutdown(fd_, SHUT_WR); }

void SocketClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  buffer_.clear();
}

void SocketClient::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

}  // namespace worker_tests
