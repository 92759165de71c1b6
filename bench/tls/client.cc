// A client for TLS: asks one thing over and over, on kept connections or on new ones, with a full
// or a resumed handshake each. Prints what it got as JSON, as bench/measuring/client.cc does.
//
//   client PORT CONNECTIONS SECONDS keep|full|resumed TARGET
//
// One thread, one epoll loop. Kept connections ask again as soon as an answer is complete; new ones
// are closed after their answer and replaced.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class Mode { keep, full, resumed };

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "client: %s\n", what);
  std::exit(1);
}

struct Connection {
  SSL* ssl = nullptr;
  int fd = -1;
  bool is_open = false;   ///< the handshake is done
  bool is_asked = false;  ///< an answer is to come
  std::string head;       ///< until it is complete
  long left = -1;         ///< of the body; -1: the head is not complete
  SSL_SESSION* session = nullptr;  ///< the newest: one of TLS 1.3 is used once
};

class Client {
 public:
  Client(int port, Mode mode, const std::string& target) : mode_(mode) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(context_, keep_session);
    address_.sin_family = AF_INET;
    address_.sin_port = htons(static_cast<uint16_t>(port));
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    request_ = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n";
    request_ += mode == Mode::keep ? "\r\n" : "Connection: close\r\n\r\n";
    loop_ = ::epoll_create1(0);
  }

  void run(size_t count, double seconds) {
    std::vector<Connection> connections(count);
    for (Connection& each : connections) open(each);
    const double begun = now();
    const double end = begun + seconds;
    epoll_event events[256];
    while (!is_over_ || under_way_ > 0) {
      const int ready = ::epoll_wait(loop_, events, 256, 100);
      ++waits_;
      is_over_ = now() >= end;
      for (int i = 0; i < ready; ++i) step(*static_cast<Connection*>(events[i].data.ptr));
      if (is_over_ && now() > end + 5) fail("answers do not come");
    }
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                       1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    if (mode_ == Mode::resumed && resumed_ + count < answers_) fail("sessions are not resumed");
    std::printf("{\"answers\":%ld,\"bytes\":%ld,\"waits\":%ld,\"seconds\":%f,\"cpu\":%f}\n",
                answers_, bytes_, waits_, now() - begun, cpu);
  }

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* of = static_cast<Connection*>(SSL_get_app_data(ssl));
    SSL_SESSION_free(of->session);
    of->session = session;
    return 1;
  }

  void open(Connection& to) {
    to.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (to.fd < 0) fail("no socket");
    const int on = 1;
    ::setsockopt(to.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Thousands of closed connections would use up the ports.
    const linger at_once{1, 0};
    if (mode_ != Mode::keep) ::setsockopt(to.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (::connect(to.fd, reinterpret_cast<sockaddr*>(&address_), sizeof address_) < 0 &&
        errno != EINPROGRESS) {
      fail("cannot connect");
    }
    to.ssl = SSL_new(context_);
    SSL_set_fd(to.ssl, to.fd);
    SSL_set_tlsext_host_name(to.ssl, "localhost");
    SSL_set_connect_state(to.ssl);
    SSL_set_app_data(to.ssl, &to);
    if (mode_ == Mode::resumed && to.session != nullptr) SSL_set_session(to.ssl, to.session);
    to.is_open = to.is_asked = false;
    to.head.clear();
    to.left = -1;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &to;
    ::epoll_ctl(loop_, EPOLL_CTL_ADD, to.fd, &event);
    ++under_way_;
  }

  void close(Connection& which) {
    SSL_set_quiet_shutdown(which.ssl, 1);
    SSL_shutdown(which.ssl);
    SSL_free(which.ssl);
    ::close(which.fd);
    which.ssl = nullptr;
    --under_way_;
  }

  void step(Connection& at) {
    if (at.ssl == nullptr) return;
    if (!at.is_open) {
      const int result = SSL_do_handshake(at.ssl);
      if (result != 1) return check(at, result);
      at.is_open = true;
      if (SSL_session_reused(at.ssl) == 1) ++resumed_;
    }
    if (!at.is_asked) ask(at);
    static char room[256 * 1024];
    for (;;) {
      const int got = SSL_read(at.ssl, room, sizeof room);
      if (got <= 0) return check(at, got);
      bytes_ += got;
      if (take(at, {room, static_cast<size_t>(got)})) return;
    }
  }

  void ask(Connection& at) {
    if (SSL_write(at.ssl, request_.data(), static_cast<int>(request_.size())) <= 0) fail("write");
    at.is_asked = true;
    at.head.clear();
    at.left = -1;
  }

  /// True: the connection is done with.
  bool take(Connection& at, std::string_view bytes) {
    if (at.left < 0) {
      at.head.append(bytes);
      const size_t end = at.head.find("\r\n\r\n");
      if (end == std::string::npos) return false;
      if (!at.head.starts_with("HTTP/1.1 200")) fail("the answer is not a 200");
      size_t field = at.head.find("Content-Length: ");
      if (field == std::string::npos) field = at.head.find("content-length: ");
      if (field == std::string::npos) fail("the answer has no length");
      at.left = std::atol(at.head.c_str() + field + 16);
      at.left -= static_cast<long>(at.head.size() - end - 4);
    } else {
      at.left -= static_cast<long>(bytes.size());
    }
    if (at.left > 0) return false;
    ++answers_;
    if (mode_ == Mode::keep && !is_over_) {
      ask(at);
      return false;
    }
    close(at);
    if (!is_over_) open(at);
    return true;
  }

  void check(Connection& at, int result) {
    const int error = SSL_get_error(at.ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) fail("the connection broke");
  }

  const Mode mode_;
  SSL_CTX* context_;
  sockaddr_in address_{};
  std::string request_;
  int loop_;
  bool is_over_ = false;
  long under_way_ = 0, answers_ = 0, bytes_ = 0, waits_ = 0, resumed_ = 0;
};

}  // namespace

int main(int count, char** words) {
  if (count != 6) fail("PORT CONNECTIONS SECONDS keep|full|resumed TARGET");
  const std::string mode = words[4];
  const Mode chosen = mode == "full" ? Mode::full : mode == "resumed" ? Mode::resumed : Mode::keep;
  Client client(std::atoi(words[1]), chosen, words[5]);
  client.run(static_cast<size_t>(std::atoi(words[2])), std::atof(words[3]));
  return 0;
}
