// The compiled configuration of a gateway: routes, limits, timeouts. Immutable once published and
// shared by all workers; replaced whole. Plain owned data: nothing in it refers to JavaScript.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/limits.h"
#include "core/source.h"
#include "http/request_parser.h"
#include "log/format.h"
#include "net/address.h"
#include "net/network.h"
#include "net/tls_settings.h"
#include "route/channel.h"
#include "route/hooks.h"
#include "route/route_table.h"
#include "route/template.h"
#include "route/upstream.h"

namespace sluice::route {

struct Limits {
  uint32_t connections_per_worker = 0;
  uint32_t connections_per_address = 0;  ///< over all workers; 0: none
  uint32_t keep_alive_requests = 0;      ///< 0: none
  uint64_t body_bytes = 0;
  http::HeadLimits head;
  MirrorLimits mirrors;
  http::HeadLimits response_head{64 * 1024, 8 * 1024, http::kMaxFields};  ///< of upstreams
};

/// Milliseconds, but for the rate.
struct Timeouts {
  int64_t head = 0;
  int64_t body = 0;
  int64_t idle = 0;
  int64_t write = 0;
  int64_t drain = 0;
  int64_t handler = 0;        ///< for the verdict of a hook; 0: no limit
  uint64_t minimum_rate = 0;  ///< bytes per second of a body; 0: any
};

struct Otherwise;

/// What a route takes in beneath its root (docs/UPLOADS.md).
struct UploadRules {
  bool replace = true;        ///< a file that is there may be replaced
  bool remove = false;        ///< DELETE
  bool folders = true;        ///< directories that are missing are made
  bool sync = false;          ///< on the disk before it is answered
  bool hidden_names = false;  ///< names may begin with a dot
  bool asks = false;          ///< TypeScript knows of more names that may not be written
  uint64_t body_bytes = 0;
  uint64_t quota_bytes = UINT64_MAX;  ///< of all files beneath the root
};

/// Serves what the pattern's final '*' matched from beneath `root`.
struct FilesAction {
  std::string root;        ///< absolute path
  bool copy_only = false;  ///< transfer: 'copy'
  std::string fields;      ///< of the route: on answers to OPTIONS
  std::string allow = "Allow: GET, HEAD, OPTIONS\r\n";
  std::shared_ptr<const UploadRules> upload;  ///< null: nothing is taken in
  /// What takes the requests for which there is no file, and those of other methods; null: nothing.
  std::shared_ptr<const Otherwise> otherwise;
};

/// Answers with bytes that were given in the configuration.
struct RespondAction {
  uint16_t status = 200;
  std::string head;  ///< status line and fields, without Date, Connection and the empty line
  Ref<const Source> body;
};

struct RedirectAction {
  uint16_t status = 308;
  std::string fields;
  Template location;
  bool keep_query = true;
};

using Action = std::variant<FilesAction, RespondAction, RedirectAction, ProxyAction, ChannelAction>;

/// An action without a pattern of its own: it takes what another one hands on.
struct Otherwise {
  Action action;
};

/// An action that snapshots share while its route does not change: whoever holds one of them may
/// refer to it. Constant.
class SharedAction {
 public:
  SharedAction() : SharedAction(RespondAction{}) {}
  template <typename Given>
  requires(!std::is_same_v<std::remove_cvref_t<Given>, SharedAction>)
      SharedAction(Given&& given)  // NOLINT: as good as the action itself
      : action_(std::make_shared<const Action>(std::forward<Given>(given))) {}
  operator const Action&() const { return *action_; }  // NOLINT
  const Action& operator*() const { return *action_; }

 private:
  std::shared_ptr<const Action> action_;
};

struct Route {
  std::string key;  ///< as the user wrote it; empty: a hole
  SharedAction action;
  std::shared_ptr<const HookPlan> hooks;  ///< null: none
};

/// Names the host of the route that the app means; nobody else knows one.
inline constexpr std::string_view kInnerRouteField = "x-sluice-route";

/// What is special about the connections of one listener.
struct ListenerRules {
  bool proxy_protocol = false;  ///< they begin with a header of the PROXY protocol
  /// They come from the app, on behalf of clients: kInnerRouteField stands in the place of Host
  /// when the route is looked for, and what they say about the client is so.
  bool is_inner = false;
  /// Passed on by it as they are; null: HTTP is spoken. Shared as actions are.
  std::shared_ptr<const ProxyAction> tcp;
  std::optional<net::TlsSettings> tls;  ///< encrypted
  std::string subject_field;  ///< names the client's certificate to upstreams; empty: nobody does
  std::string hsts_field;     ///< "Strict-Transport-Security: …\r\n" or empty
  int32_t secure_twin = -1;   ///< requests are redirected to this listener; -1: they are served
};

/// Indexes of listeners, upstreams and routes are numbers that outlive a snapshot: what did not
/// change from one to the next keeps its number, and what has left makes a hole (a listener without
/// rules, an upstream without targets, a route that nothing matches). A number is given to another
/// one only after a snapshot in which it was a hole, once nobody holds the snapshots before that.
struct Snapshot {
  uint64_t generation = 1;  ///< counts the snapshots of a gateway
  Limits limits;
  Timeouts timeouts;
  bool copy_only = false;                     ///< transfer: 'copy' for every route
  uint64_t memory_bytes = 0;                  ///< files up to this size are held in memory
  uint64_t splice_bytes = kSpliceBytes;       ///< proxied bodies are spliced from this size on
  size_t pipe_bytes = kPipeBytes;             ///< room of the pipes that they go through
  size_t copy_bytes = kCopyBytes;             ///< files that are copied are read in such pieces
  std::optional<log::Settings> access_log;    ///< none: off
  std::string server_field;                   ///< "Server: sluice\r\n" or empty
  std::vector<net::Network> trusted_proxies;  ///< whose word on a client's address is believed
  bool trusts_unix_peers = false;             ///< also whoever connects to a unix socket
  std::vector<ListenerRules> listeners;       ///< by the number of the listener
  uint32_t handshakes = UINT32_MAX;           ///< of TLS, under way in one worker
  /// Names of fields (lower case, with '-') that say whose certificate a client has: only we may.
  std::vector<std::string> subject_fields;
  std::vector<Upstream> upstreams;
  std::vector<Channel> channels;
  std::vector<Route> routes;  ///< index = route id
  bool has_hooks = false;     ///< some route has a plan
  bool limits_rates = false;  ///< some route has a LimitStep
  RouteTable table;

  /// None of its own for a hole.
  const ListenerRules& rules(uint16_t listener) const {
    static const ListenerRules kNone;
    return listener < listeners.size() ? listeners[listener] : kNone;
  }
  /// Takes the actions of `before` for what has the same number there.
  void share_with(const Snapshot& before);
};

}  // namespace sluice::route
