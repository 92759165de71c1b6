// What the configuration says of upstreams and of proxy() routes: plain owned data, immutable once
// published. The targets of an upstream are where it begins; from then on TypeScript replaces them
// (names resolve anew, health changes) without a new snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "route/template.h"

namespace sluice::route {

enum class TargetState : uint8_t {
  up,
  down,     ///< so many active checks failed in a row: no new requests, not even when all are down
  draining  ///< gets no new requests; those under way finish
};

/// One address that requests can go to. The same id is the same target, whatever else changes.
struct TargetConfig {
  uint64_t id = 0;
  net::Endpoint address;
  std::string authority;  ///< host[:port] of its URL, for the Host field
  /// How it is called, when `address` is that of a relay that connects to it (proxy/relay.h);
  /// empty: it is the target itself.
  std::string relayed_name;
  uint32_t weight = 1;           ///< 1 to 1,000
  uint32_t max_connections = 0;  ///< requests at once, over all workers; 0: any number
  bool is_backup = false;        ///< only while no other one is up
  TargetState state = TargetState::up;
};

enum class Balance : uint8_t { random_two, round_robin, least_connections, hash, sticky };

/// What `hash` and `sticky` look at.
enum class HashKey : uint8_t { address, path, header, cookie };

struct Upstream {
  std::string name;  ///< empty: a hole (route/snapshot.h)
  Balance balance = Balance::random_two;
  HashKey hash_key = HashKey::address;
  std::string hash_name;                ///< of the header (lower case) or cookie
  uint32_t idle_connections = 0;        ///< kept alive by each worker, for each target
  int64_t idle_ms = 0;                  ///< how long
  uint32_t queue_length = 0;            ///< requests of one worker that may wait for a target
  int64_t queue_ms = 0;                 ///< how long
  bool queues_without_targets = false;  ///< also while there is no target at all
  uint32_t failures = 0;                ///< in a row, after which a target is ejected; 0: never
  uint32_t failure_percent = 0;         ///< of the requests of a window; 0: not looked at
  int64_t eject_ms = 0;                 ///< for how long; then one request tries
  bool fails_fast = false;              ///< 503 while every target is ejected; else they are tried
  int64_t slow_start_ms = 0;            ///< a target that comes back gets its full share after this
  uint8_t proxy_protocol = 0;           ///< version sent ahead of everything else; 0: none
  std::vector<TargetConfig> targets;    ///< at start
};

/// Changes to the header fields of a message: `removed` go, then `added` come.
struct FieldEdits {
  std::vector<std::string> removed;  ///< names in lower case; also those of what is set
  std::string added;                 ///< "Name: value\r\n" lines
  bool empty() const { return removed.empty() && added.empty(); }
};

/// Milliseconds; 0: no limit.
struct ProxyTimeouts {
  int64_t connect = 0;
  int64_t first_byte = 0;  ///< from the request's end, or its last progress, to the response head
  int64_t between = 0;     ///< between two arrivals of the response's body
  int64_t total = 0;       ///< of the whole exchange
  int64_t tunnel = 0;      ///< without a byte in either direction after an upgrade
};

/// Which fields tell the target who asked; bits.
enum ForwardedFields : uint8_t {
  kXForwarded = 1,  ///< X-Forwarded-For, -Proto, -Host, -Port
  kForwarded = 2,   ///< Forwarded (RFC 7239)
  kVia = 4,
  kRequestId = 8
};

/// A field by which an answer asks for a file to be sent instead of its body.
struct FileInstruction {
  std::string field;   ///< in lower case
  std::string secret;  ///< what its value begins with, with a space; empty: nothing
  std::string prefix;  ///< of the path in it, not looked for beneath the root: "/protected"
  uint32_t files = 0;  ///< whom TypeScript is asked for the file as, in the place of a route
  bool copy_only = false;
};

/// What MirrorRule::share is a part of.
inline constexpr uint32_t kWholeShare = 1'000'000;

/// Who gets a copy of the requests, too.
struct MirrorRule {
  uint32_t upstream = 0;         ///< index into Snapshot::upstreams
  uint32_t share = kWholeShare;  ///< of the requests, by their ids
  bool target_host = false;      ///< as in ProxyAction
  int64_t timeout_ms = 0;        ///< to connect; from the end of the request to that of the answer
  uint64_t max_behind = 0;       ///< bytes of one request that may wait
};

/// Of all mirrors of a gateway together.
struct MirrorLimits {
  uint32_t requests = UINT32_MAX;  ///< at once
  uint64_t bytes = UINT64_MAX;     ///< that they have not taken yet
};

/// Forwards requests to an upstream.
struct ProxyAction {
  uint32_t upstream = 0;  ///< index into Snapshot::upstreams
  bool copy_only = false;
  bool half_close = false;    ///< a client's FIN before the response is not taken for an abort
  bool retry_unsafe = false;  ///< also methods that are not idempotent
  uint8_t forwarded = kXForwarded | kVia | kRequestId;
  uint32_t retries = 1;      ///< on other targets, after the first try
  uint64_t body_bytes = 0;   ///< of a request; more: 413
  std::string strip_prefix;  ///< "/api": whole segments taken off the path
  Template rewrite;          ///< the path instead, perhaps with a query; empty: as it came
  bool target_host = false;  ///< Host is the target's own
  std::string host;          ///< a fixed Host; empty: see target_host
  FieldEdits request;
  FieldEdits response;
  ProxyTimeouts timeouts;
  std::optional<FileInstruction> file;  ///< none: answers are sent as they are
  std::vector<MirrorRule> mirrors;
};

}  // namespace sluice::route
