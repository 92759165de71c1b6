// One function per part of NativeUpstream. Words become enumerators by tables. Bounds are those of
// safety, wider than the ones that TypeScript explains to people.
#include "binding/decode_upstream.h"

#include <span>
#include <string_view>
#include <utility>

#include "http/host.h"

namespace sluice::binding {
namespace {

constexpr uint64_t kMaxMs = 1ULL << 40;
constexpr uint64_t kMaxCount = UINT32_MAX;
constexpr uint64_t kMaxId = 1ULL << 53;

template <typename Value>
using Word = std::pair<std::string_view, Value>;

constexpr Word<route::Balance> kBalances[] = {
    {"random-two", route::Balance::random_two},
    {"round-robin", route::Balance::round_robin},
    {"least-connections", route::Balance::least_connections},
    {"hash", route::Balance::hash},
    {"sticky", route::Balance::sticky},
};

constexpr Word<route::HashKey> kHashKeys[] = {
    {"address", route::HashKey::address},
    {"path", route::HashKey::path},
    {"header", route::HashKey::header},
    {"cookie", route::HashKey::cookie},
};

constexpr Word<route::TargetState> kStates[] = {
    {"up", route::TargetState::up},
    {"down", route::TargetState::down},
    {"draining", route::TargetState::draining},
};

template <typename Value, size_t kWords>
Value one_of(const Reader& value, const Word<Value> (&words)[kWords]) {
  const std::string text = value.text();
  for (const auto& [word, meaning] : words) {
    if (text == word) return meaning;
  }
  std::string known;
  for (const auto& [word, meaning] : words) known.append(known.empty() ? "" : ", ").append(word);
  value.fail("one of " + known);
}

uint32_t count(const Reader& value) { return static_cast<uint32_t>(value.integer(0, kMaxCount)); }

int64_t milliseconds(const Reader& value) { return static_cast<int64_t>(value.integer(0, kMaxMs)); }

route::TargetConfig decode_target(const Reader& target) {
  route::TargetConfig decoded;
  decoded.id = target.at("id").integer(1, kMaxId);
  decoded.address = decode_endpoint(target.at("address"));
  net::SocketAddress checked;
  if (net::to_socket_address(decoded.address, checked) < 0) {
    target.at("address").fail("a numeric address, or a path that fits");
  }
  decoded.authority = target.at("authority").text();
  http::Authority authority;
  if (!http::parse_authority(decoded.authority, authority)) {
    target.at("authority").fail("host[:port]");
  }
  decoded.relayed_name = target.at("relayed").text();
  decoded.weight = static_cast<uint32_t>(target.at("weight").integer(1, 1000));
  decoded.max_connections = count(target.at("maxConnections"));
  decoded.is_backup = target.at("backup").boolean();
  decoded.state = one_of(target.at("state"), kStates);
  return decoded;
}

}  // namespace

net::Endpoint decode_endpoint(const Reader& endpoint) {
  net::Endpoint decoded;
  std::string kind = endpoint.at("kind").text();
  if (kind == "unix") {
    decoded.path = endpoint.at("path").text();
    if (decoded.path.empty()) endpoint.at("path").fail("a path");
  } else if (kind == "tcp") {
    decoded.host = endpoint.at("host").text();
    decoded.port = static_cast<uint16_t>(endpoint.at("port").integer(0, 65535));
  } else {
    endpoint.at("kind").fail("'tcp' or 'unix'");
  }
  return decoded;
}

route::Upstream decode_upstream(const Reader& upstream) {
  route::Upstream decoded;
  decoded.name = upstream.at("name").text();
  if (decoded.name.empty()) upstream.at("name").fail("a name");
  decoded.balance = one_of(upstream.at("balance"), kBalances);
  decoded.hash_key = one_of(upstream.at("key").at("kind"), kHashKeys);
  decoded.hash_name = upstream.at("key").at("name").text();
  decoded.idle_connections = count(upstream.at("keepAlive").at("connections"));
  decoded.idle_ms = milliseconds(upstream.at("keepAlive").at("idle"));
  decoded.queue_length = count(upstream.at("queue").at("length"));
  decoded.queue_ms = milliseconds(upstream.at("queue").at("timeout"));
  decoded.queues_without_targets = upstream.at("queue").at("withoutTargets").boolean();
  decoded.failures = count(upstream.at("passive").at("failures"));
  decoded.failure_percent =
      static_cast<uint32_t>(upstream.at("passive").at("percent").integer(0, 100));
  decoded.eject_ms = milliseconds(upstream.at("passive").at("eject"));
  decoded.fails_fast = upstream.at("passive").at("failFast").boolean();
  decoded.slow_start_ms = milliseconds(upstream.at("slowStart"));
  decoded.proxy_protocol = static_cast<uint8_t>(upstream.at("proxyProtocol").integer(0, 2));
  decoded.targets = decode_targets(upstream.at("targets"));
  return decoded;
}

std::vector<route::TargetConfig> decode_targets(const Reader& targets) {
  std::vector<route::TargetConfig> decoded;
  for (uint32_t i = 0; i < targets.length(); ++i) {
    decoded.push_back(decode_target(targets.at(i)));
  }
  return decoded;
}

}  // namespace sluice::binding
