// A client of the tests on a blocking socket: sends exactly the bytes it is given and reads one
// response at a time. Nothing waits for ever: a read that gets nothing for long is an end.
// One thread at a time; the socket is closed with the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/address.h"

namespace worker_tests {

/// One response. status 0: the connection ended before it was complete.
struct Response {
  int status = 0;
  std::string head;
  std::string body;
  size_t received = 0;  ///< bytes that came of it, complete or not
  bool keeps_open = true;
  bool complete() const { return status != 0; }
  /// The first value of a field; "" when there is none.
  std::string field(std::string_view name) const;
};

class SocketClient {
 public:
  SocketClient() = default;
  explicit SocketClient(const sluice::net::Endpoint& endpoint) { connect(endpoint); }
  SocketClient(SocketClient&& other) noexcept;
  SocketClient& operator=(SocketClient&& other) noexcept;
  ~SocketClient() { close(); }

  /// `receive_bytes` bounds the kernel's buffer for what was not read; 0: as it is.
  bool connect(const sluice::net::Endpoint& endpoint, int receive_bytes = 0);
  bool is_open() const { return fd_ >= 0; }

  /// False when the peer has gone.
  bool send(std::string_view bytes);
  /// Reads one response; `headless`: to HEAD, no body follows.
  Response read(bool headless = false);
  /// Sends a GET of `path` and reads the response.
  Response get(std::string_view path, std::string_view fields = "");
  /// Whatever else comes until the end of the stream. `ended` false: it did not end.
  std::string read_to_end(bool* ended = nullptr);
  /// Waits until at least one byte can be read; leaves it there.
  bool wait_for_byte();

  void shutdown_writing();
  void close();
  /// Closes by RST, whatever is in flight.
  void reset();
  int fd() const { return fd_; }

 private:
  bool receive();

  int fd_ = -1;
  std::string buffer_;
};

/// "GET path HTTP/1.1" with Host and these further field lines.
std::string request_for(std::string_view path, std::string_view fields = "");

}  // namespace worker_tests
