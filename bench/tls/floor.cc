// The floor: what OpenSSL and the kernel alone cost. Takes TLS connections and answers whatever
// comes with the same bytes, without a look at it, or with a stream of them. No HTTP, no files.
//
//   floor PORT CERTIFICATE KEY BYTES
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr size_t kRecord = 16 * 1024;

struct Connection {
  SSL* ssl;
  int fd;
  size_t left;  ///< of an answer
};

SSL_CTX* context_of(const char* certificate, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate_chain_file(context, certificate);
  SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

void close_all(Connection* at) {
  SSL_free(at->ssl);
  ::close(at->fd);
  delete at;
}

/// False: the connection is over.
bool step(Connection& at, const std::string& answer) {
  char room[kRecord];
  // What another connection ended with would be taken for this one's.
  ERR_clear_error();
  for (;;) {
    while (at.left > 0) {
      const size_t from = answer.size() - at.left;
      const int length = static_cast<int>(at.left < kRecord ? at.left : kRecord);
      const int sent = SSL_write(at.ssl, answer.data() + from, length);
      if (sent <= 0) return SSL_get_error(at.ssl, sent) == SSL_ERROR_WANT_WRITE;
      at.left -= static_cast<size_t>(sent);
    }
    const int got = SSL_read(at.ssl, room, sizeof room);
    if (got <= 0) return SSL_get_error(at.ssl, got) == SSL_ERROR_WANT_READ;
    at.left = answer.size();
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) return 2;
  SSL_CTX* context = context_of(words[2], words[3]);
  const auto size = static_cast<size_t>(std::atol(words[4]));
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) +
                             "\r\n\r\n" + std::string(size, 'x');
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(words[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return 1;
  ::listen(listener, 4096);
  const int loop = ::epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
  epoll_event events[256];
  for (;;) {
    const int ready = ::epoll_wait(loop, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      if (events[i].data.ptr != nullptr) {
        auto* at = static_cast<Connection*>(events[i].data.ptr);
        if (!step(*at, answer)) close_all(at);
        continue;
      }
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) continue;
      // A ticket and an answer are two sends: the second must not wait for an acknowledgement.
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto* at = new Connection{SSL_new(context), fd, 0};
      SSL_set_fd(at->ssl, fd);
      SSL_set_accept_state(at->ssl);
      epoll_event own{};
      own.events = EPOLLIN | EPOLLOUT | EPOLLET;
      own.data.ptr = at;
      ::epoll_ctl(loop, EPOLL_CTL_ADD, fd, &own);
    }
  }
}
