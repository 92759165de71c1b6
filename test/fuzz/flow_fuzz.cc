// Fuzzes how a flow takes off one framing and puts on another: however a chunked body is cut and
// however little the sink takes, what comes out carries what the decoder alone finds in it, and
// only a whole body looks whole. The first bytes of an input say how it is cut.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/chunked_decoder.h"
#include "require.h"
#include "transfer/flow.h"

namespace {

using fuzz::require;
using sluice::http::ChunkedDecoder;
using namespace sluice::transfer;
using Step = Flow::Step;

constexpr std::string_view kHead = "HEAD\r\n\r\n";

/// Gives the input in pieces.
class PieceReader final : public Reader {
 public:
  PieceReader(std::string_view input, uint32_t cuts, size_t longest)
      : input_(input), cuts_(cuts), longest_(longest) {}
  std::string_view unread() const override { return unread_; }
  void consume(size_t bytes) override {
    require(bytes <= unread_.size());
    unread_.remove_prefix(bytes);
  }
  Fill fill(size_t& room) override {
    require(unread_.empty());
    if (input_.empty()) return Fill::ended;
    cuts_ = cuts_ * 1664525u + 1013904223u;
    room = 1 + (cuts_ >> 16) % longest_;
    piece_.assign(input_.substr(0, room));
    input_.remove_prefix(piece_.size());
    unread_ = piece_;
    return Fill::got;
  }

 private:
  std::string_view input_, unread_;
  std::string piece_;
  uint32_t cuts_;
  size_t longest_;
};

/// The payload that `bytes` carries; `rest`: what follows its end.
ChunkedDecoder::Step decode(std::string_view bytes, std::string& payload, size_t& rest) {
  ChunkedDecoder decoder;
  for (;;) {
    const ChunkedDecoder::Result result = decoder.next(bytes);
    bytes.remove_prefix(result.consumed);
    rest = bytes.size();
    if (result.step != ChunkedDecoder::Step::payload || bytes.empty()) return result.step;
    const size_t part = result.payload < bytes.size() ? result.payload : bytes.size();
    payload.append(bytes.substr(0, part));
    decoder.took(part);
    bytes.remove_prefix(part);
  }
}

/// What a flow sends to, and how much of it is taken.
struct FarEnd {
  int ends[2] = {-1, -1};
  std::string received;
  FarEnd() {
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    require(::socketpair(AF_UNIX, type, 0, ends) == 0);
    const int least = 1;
    ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  }
  ~FarEnd() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void drain(size_t most) {
    char room[4096];
    while (most > 0) {
      const ssize_t got = ::recv(ends[0], room, most < sizeof room ? most : sizeof room, 0);
      if (got <= 0) return;
      received.append(room, static_cast<size_t>(got));
      most -= static_cast<size_t>(got);
    }
  }
};

Step pass(Flow& flow, Reader& reader, FarEnd& sink, size_t taken) {
  sluice::net::SocketState from{-1}, to{sink.ends[1]};
  for (;;) {
    from.readable = true;
    const Step step = flow.run({reader, from, to, nullptr, 0, 1 + taken});
    if (step != Step::sink_full && step != Step::more) {
      sink.drain(SIZE_MAX);
      return step;
    }
    sink.drain(taken);
    to.on_events(EPOLLOUT);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kOptions = 4;
  if (size < kOptions || size > 64 * 1024) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + kOptions, size - kOptions);
  const size_t longest = 1 + data[1] * (data[2] & 0x0f);
  std::string expected;
  size_t rest = 0;
  const ChunkedDecoder::Step whole = decode(input, expected, rest);
  for (const Outbound outbound : {Outbound::plain, Outbound::chunked}) {
    PieceReader reader(input, data[0] * 16'777'619u, longest);
    FarEnd sink;
    Flow flow;
    flow.start(std::string(kHead), Inbound::chunked, 0, outbound, (data[2] & 0x80) != 0);
    const Step step = pass(flow, reader, sink, 1 + data[3] * 16u);
    require((step == Step::done) == (whole == ChunkedDecoder::Step::done));
    require((step == Step::bad_framing) == (whole == ChunkedDecoder::Step::error));
    require(sink.received.empty() ||
            sink.received.starts_with(kHead.substr(0, sink.received.size())));
    std::string payload = sink.received.substr(std::min(kHead.size(), sink.received.size()));
    if (outbound == Outbound::chunked) {
      std::string carried;
      size_t beyond = 0;
      const ChunkedDecoder::Step end = decode(payload, carried, beyond);
      require((end == ChunkedDecoder::Step::done) == (step == Step::done));
      require(end != ChunkedDecoder::Step::error && beyond == 0);
      payload = carried;
    }
    // A bad chunk takes what came with it along; everything before has gone out.
    require(step == Step::bad_framing ? expected.starts_with(payload) : payload == expected);
    require(flow.taken() >= payload.size());
  }
  return 0;
}
