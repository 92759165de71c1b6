// Decoding, one function per part of NativeConfig. Bounds here are those of safety, wider than the
// ones that TypeScript's validation explains to people.
#include "binding/decode.h"

#include "binding/decode_hooks.h"
#include "binding/decode_upstream.h"
#include "http/host.h"
#include "http/response_head.h"
#include "route/feed.h"

namespace sluice::binding {
namespace {

constexpr uint64_t kMaxCount = UINT32_MAX;
constexpr uint64_t kMaxBytes = 1ULL << 50;
constexpr uint64_t kMaxMs = 1ULL << 40;
constexpr uint64_t kMaxId = 1ULL << 53;

void decode_limits(const Reader& limits, route::Limits& out) {
  out.connections_per_worker =
      static_cast<uint32_t>(limits.at("connectionsPerWorker").integer(1, kMaxCount));
  out.connections_per_address =
      static_cast<uint32_t>(limits.at("connectionsPerAddress").integer(0, kMaxCount));
  out.keep_alive_requests =
      static_cast<uint32_t>(limits.at("keepAliveRequests").integer(0, kMaxCount));
  out.body_bytes = limits.at("bodyBytes").integer(0, kMaxBytes);
  out.head.head_bytes = limits.at("headBytes").integer(128, 16 * 1024 * 1024);
  out.mirrors.requests = static_cast<uint32_t>(limits.at("mirrors").integer(0, kMaxCount));
  out.mirrors.bytes = limits.at("mirrorBytes").integer(0, kMaxBytes);
  out.response_head.head_bytes = limits.at("responseHeadBytes").integer(128, 16 * 1024 * 1024);
  out.head.target_bytes = limits.at("targetBytes").integer(1, 16 * 1024 * 1024);
  out.head.fields = limits.at("headers").integer(1, http::kMaxFields);
}

void decode_timeouts(const Reader& timeouts, route::Timeouts& out) {
  auto read = [&timeouts](const char* key) {
    return static_cast<int64_t>(timeouts.at(key).integer(1, kMaxMs));
  };
  out.head = read("head");
  out.body = read("body");
  out.idle = read("idle");
  out.write = read("write");
  out.drain = static_cast<int64_t>(timeouts.at("drain").integer(0, kMaxMs));
  out.handler = static_cast<int64_t>(timeouts.at("handler").integer(0, kMaxMs));
  out.minimum_rate = timeouts.at("minimumRate").integer(0, UINT32_MAX);
}

bool decode_mode(const Reader& mode) {
  std::string text = mode.text();
  if (text != "auto" && text != "copy") mode.fail("'auto' or 'copy'");
  return text == "copy";
}

void decode_upload(const Reader& upload, route::FilesAction& files) {
  if (upload.is_null()) return;
  route::UploadRules rules;
  rules.replace = upload.at("replace").boolean();
  rules.remove = upload.at("delete").boolean();
  rules.folders = upload.at("directories").boolean();
  rules.sync = upload.at("fsync").boolean();
  rules.hidden_names = upload.at("dotfiles").boolean();
  rules.asks = upload.at("asks").boolean();
  rules.body_bytes = upload.at("bodyBytes").integer(0, kMaxBytes);
  const uint64_t quota = upload.at("quota").integer(0, kMaxBytes);
  if (quota > 0) rules.quota_bytes = quota;
  files.allow = "Allow: GET, HEAD, OPTIONS, PUT, POST";
  files.allow.append(rules.remove ? ", DELETE\r\n" : "\r\n");
  files.upload = std::make_shared<const route::UploadRules>(rules);
}

route::FilesAction decode_files(const Reader& action, bool copy_only) {
  route::FilesAction files;
  files.root = action.at("root").text();
  if (files.root.empty() || files.root[0] != '/') action.at("root").fail("an absolute path");
  files.copy_only = decode_mode(action.at("mode")) || copy_only;
  files.fields = action.at("fields").field_lines();
  decode_upload(action.at("upload"), files);
  return files;
}

uint16_t decode_status(const Reader& status) {
  return static_cast<uint16_t>(status.integer(200, 599));
}

route::RespondAction decode_respond(const Reader& action) {
  route::RespondAction respond;
  respond.status = decode_status(action.at("status"));
  std::string body = action.at("body").bytes();
  http::append_status_line(respond.head, respond.status);
  respond.head.append(action.at("fields").field_lines());
  if (!http::is_bodiless(respond.status)) {
    http::append_content_length(respond.head, body.size());
  }
  respond.body = make_ref<const Source>(-1, std::move(body));
  return respond;
}

route::TemplatePart decode_template_part(const Reader& part,
                                         const std::vector<std::string>& params) {
  using Kind = route::TemplatePart::Kind;
  if (!part.at("literal").is_null()) return {Kind::literal, part.at("literal").text(), 0};
  std::string name = part.at("variable").text();
  if (name == "path") return {Kind::path, "", 0};
  if (name == "query") return {Kind::query, "", 0};
  if (name == "host") return {Kind::host, "", 0};
  if (name == "rest") return {Kind::rest, "", 0};
  for (size_t i = 0; i < params.size(); ++i) {
    if (name == ":" + params[i]) return {Kind::param, "", static_cast<uint8_t>(i)};
  }
  part.at("variable").fail("'path', 'query', 'host', 'rest' or a parameter of the pattern");
}

route::Template decode_template(const Reader& parts, const std::vector<std::string>& params) {
  route::Template decoded;
  for (uint32_t i = 0; i < parts.length(); ++i) {
    decoded.push_back(decode_template_part(parts.at(i), params));
  }
  return decoded;
}

route::RedirectAction decode_redirect(const Reader& action,
                                      const std::vector<std::string>& params) {
  route::RedirectAction redirect;
  redirect.status = static_cast<uint16_t>(action.at("status").integer(300, 399));
  redirect.fields = action.at("fields").field_lines();
  redirect.keep_query = action.at("keepQuery").boolean();
  redirect.location = decode_template(action.at("location"), params);
  return redirect;
}

void decode_host(const Reader& host, route::ProxyAction& proxy) {
  if (host.is_text()) {
    const std::string rule = host.text();
    if (rule != "preserve" && rule != "target") host.fail("'preserve', 'target' or { fixed }");
    proxy.target_host = rule == "target";
    return;
  }
  proxy.host = host.at("fixed").text();
  http::Authority authority;
  if (!http::parse_authority(proxy.host, authority)) host.at("fixed").fail("host[:port]");
}

route::ProxyTimeouts decode_proxy_timeouts(const Reader& timeouts) {
  auto read = [&timeouts](const char* key) {
    return static_cast<int64_t>(timeouts.at(key).integer(0, kMaxMs));
  };
  return {read("connect"), read("firstByte"), read("between"), read("total"), read("tunnel")};
}

uint8_t decode_forwarded(const Reader& forwarded) {
  unsigned fields = 0;
  if (forwarded.at("xForwarded").boolean()) fields |= route::kXForwarded;
  if (forwarded.at("forwarded").boolean()) fields |= route::kForwarded;
  if (forwarded.at("via").boolean()) fields |= route::kVia;
  if (forwarded.at("requestId").boolean()) fields |= route::kRequestId;
  return static_cast<uint8_t>(fields);
}

route::FileInstruction decode_file_instruction(const Reader& file, bool copy_only) {
  route::FileInstruction decoded;
  decoded.field = file.at("field").text();
  decoded.secret = file.at("secret").text();
  decoded.prefix = file.at("prefix").text();
  decoded.files = static_cast<uint32_t>(file.at("files").integer(0, UINT32_MAX));
  decoded.copy_only = decode_mode(file.at("mode")) || copy_only;
  if (decoded.field.empty()) file.at("field").fail("the name of a field");
  return decoded;
}

route::MirrorRule decode_mirror(const Reader& mirror, uint64_t upstreams) {
  route::MirrorRule decoded;
  decoded.upstream = static_cast<uint32_t>(mirror.at("upstream").integer(0, upstreams - 1));
  decoded.share = static_cast<uint32_t>(mirror.at("share").integer(0, route::kWholeShare));
  decoded.target_host = mirror.at("targetHost").boolean();
  decoded.timeout_ms = static_cast<int64_t>(mirror.at("timeout").integer(1, kMaxMs));
  decoded.max_behind = mirror.at("maxBehind").integer(0, kMaxBytes);
  return decoded;
}

route::ProxyAction decode_proxy(const Reader& action, const std::vector<std::string>& params,
                                const route::Snapshot& snapshot) {
  route::ProxyAction proxy;
  const uint64_t upstreams = snapshot.upstreams.size();
  if (upstreams == 0) action.at("upstream").fail("the index of an upstream");
  proxy.upstream = static_cast<uint32_t>(action.at("upstream").integer(0, upstreams - 1));
  proxy.copy_only = decode_mode(action.at("mode")) || snapshot.copy_only;
  proxy.half_close = action.at("halfClose").boolean();
  proxy.retry_unsafe = action.at("retry").at("unsafe").boolean();
  proxy.retries = static_cast<uint32_t>(action.at("retry").at("tries").integer(0, 100));
  proxy.forwarded = decode_forwarded(action.at("forwarded"));
  proxy.body_bytes = action.at("bodyBytes").integer(0, kMaxBytes);
  proxy.strip_prefix = action.at("stripPrefix").text();
  proxy.rewrite = decode_template(action.at("rewrite"), params);
  decode_host(action.at("host"), proxy);
  proxy.request = decode_edits(action.at("request"));
  proxy.response = decode_edits(action.at("response"));
  proxy.timeouts = decode_proxy_timeouts(action.at("timeouts"));
  const Reader mirrors = action.at("mirrors");
  for (uint32_t i = 0; i < mirrors.length(); ++i) {
    proxy.mirrors.push_back(decode_mirror(mirrors.at(i), upstreams));
  }
  if (Reader file = action.at("file"); !file.is_null()) {
    proxy.file = decode_file_instruction(file, snapshot.copy_only);
  }
  return proxy;
}

route::ChannelAction decode_channel_action(const Reader& action, const route::Snapshot& snapshot) {
  route::ChannelAction decoded;
  const uint64_t channels = snapshot.channels.size();
  if (channels == 0) action.at("channel").fail("the index of a channel");
  decoded.channel = static_cast<uint32_t>(action.at("channel").integer(0, channels - 1));
  decoded.format = static_cast<route::Format>(action.at("format").integer(0, route::kFormats - 1));
  decoded.skips = action.at("skips").boolean();
  decoded.history = static_cast<uint32_t>(action.at("history").integer(0, kMaxCount));
  decoded.heartbeat_ms = static_cast<int64_t>(action.at("heartbeat").integer(0, kMaxMs));
  decoded.token = action.at("token").text();
  decoded.message_bytes = action.at("messageBytes").integer(0, UINT32_MAX);
  decoded.is_feed = snapshot.channels[decoded.channel].feed != nullptr;
  decoded.is_strict = action.at("strict").boolean();
  decoded.history_bytes = action.at("historyBytes").integer(0, kMaxBytes);
  http::append_status_line(decoded.head, 200);
  decoded.head.append(action.at("fields").field_lines());
  return decoded;
}

std::shared_ptr<const route::Feed> decode_feed(const Reader& feed,
                                               const route::Snapshot& snapshot) {
  if (feed.is_null()) return nullptr;
  route::Feed decoded;
  decoded.proxy = decode_proxy(feed.at("proxy"), {}, snapshot);
  decoded.proxy.copy_only = true;  // what comes is cut into pieces here
  decoded.path = feed.at("path").text();
  decoded.accept = feed.at("accept").text();
  decoded.cut = static_cast<transfer::Cut>(feed.at("cut").integer(0, 3));
  decoded.marker = feed.at("marker").bytes();
  if (decoded.cut == transfer::Cut::marker && decoded.marker.empty()) {
    feed.at("marker").fail("some bytes");
  }
  decoded.linger_ms = static_cast<int64_t>(feed.at("linger").integer(0, kMaxMs));
  decoded.outage_ms = static_cast<int64_t>(feed.at("outage").integer(0, kMaxMs));
  return std::make_shared<const route::Feed>(std::move(decoded));
}

void decode_channels(const Reader& channels, route::Snapshot& snapshot) {
  for (uint32_t i = 0; i < channels.length(); ++i) {
    const Reader each = channels.at(i);
    route::Channel channel;
    if (each.is_null()) {
      snapshot.channels.push_back(channel);
      continue;
    }
    channel.name = each.at("name").text();
    const Reader formats = each.at("formats");
    for (uint32_t n = 0; n < formats.length(); ++n) {
      channel.formats |= static_cast<uint8_t>(1u << formats.at(n).integer(0, route::kFormats - 1));
    }
    channel.buffer_bytes = each.at("bufferBytes").integer(1, kMaxBytes);
    channel.buffer_messages =
        static_cast<uint32_t>(each.at("bufferMessages").integer(1, kMaxCount));
    channel.feed = decode_feed(each.at("feed"), snapshot);
    snapshot.channels.push_back(std::move(channel));
  }
}

route::Action decode_action(const Reader& action, const std::vector<std::string>& params,
                            const route::Snapshot& snapshot) {
  std::string kind = action.at("kind").text();
  if (kind == "respond") return decode_respond(action);
  if (kind == "redirect") return decode_redirect(action, params);
  if (kind == "proxy") return decode_proxy(action, params, snapshot);
  if (kind == "channel") return decode_channel_action(action, snapshot);
  if (kind != "files") action.at("kind").fail("'files', 'respond', 'redirect' or 'proxy'");
  route::FilesAction files = decode_files(action, snapshot.copy_only);
  if (Reader otherwise = action.at("otherwise"); !otherwise.is_null()) {
    files.otherwise = std::make_shared<route::Otherwise>(
        route::Otherwise{decode_action(otherwise, params, snapshot)});
  }
  return files;
}

void note_hooks(const route::HookPlan& plan, route::Action& action, route::Snapshot& snapshot) {
  snapshot.has_hooks = true;
  if (!plan.response.empty()) add_to_forwarded(plan.response, action);
  for (const route::HookStep& step : plan.steps) {
    if (std::holds_alternative<route::LimitStep>(step)) snapshot.limits_rates = true;
  }
}

void decode_route(const Reader& route, uint32_t index, route::Snapshot& snapshot) {
  if (route.is_null()) {
    snapshot.routes.emplace_back();
    return;
  }
  route::AddResult added = snapshot.table.add(index, route.at("method").text(),
                                              route.at("host").text(), route.at("path").text());
  if (!added.ok) route.fail("a valid pattern (" + added.problem + ")");
  route::Route decoded;
  decoded.key = route.at("key").text();
  if (decoded.key.empty()) route.at("key").fail("the key of the route");
  route::Action action =
      decode_action(route.at("action"), snapshot.table.param_names(index), snapshot);
  decoded.hooks = decode_hooks(route.at("hooks"));
  if (decoded.hooks) note_hooks(*decoded.hooks, action, snapshot);
  decoded.action = route::SharedAction(std::move(action));
  snapshot.routes.push_back(std::move(decoded));
}

std::optional<files::Relocation> decode_relocation(const Reader& relocation) {
  if (relocation.is_null()) return std::nullopt;
  files::Relocation decoded{relocation.at("drop").integer(0, 4096), relocation.at("add").text()};
  for (unsigned char c : decoded.add) {
    if (c <= 0x20 || c > 0x7e) relocation.at("add").fail("characters of a path");
  }
  return decoded;
}

/// The file that answers name by this id; null, and `lost`, when it is not open.
Ref<const files::File> decode_file(const Reader& id, const worker::WorkerGroup& group, bool& lost) {
  const uint64_t number = id.integer(0, kMaxId);
  Ref<const files::File> file(group.find_file(number).get());
  lost = lost || (number != 0 && !file);
  return file;
}

http::Coding decode_coding(const Reader& name) {
  for (http::Coding coding : {http::Coding::gzip, http::Coding::zstd, http::Coding::brotli}) {
    if (name.text() == http::coding_name(coding)) return coding;
  }
  name.fail("'br', 'zstd' or 'gzip'");
}

std::vector<files::EncodedFile> decode_variants(const Reader& variants,
                                                const worker::WorkerGroup& group, bool& lost) {
  std::vector<files::EncodedFile> decoded;
  for (uint32_t i = 0; i < variants.length(); ++i) {
    const Reader each = variants.at(i);
    Ref<const files::File> file = decode_file(each.at("file"), group, lost);
    if (file) decoded.push_back({decode_coding(each.at("coding")), std::move(file)});
  }
  return decoded;
}

void decode_trusted(const Reader& trusted, route::Snapshot& snapshot) {
  for (uint32_t i = 0; i < trusted.length(); ++i) {
    const std::string written = trusted.at(i).text();
    if (written == "unix") {
      snapshot.trusts_unix_peers = true;
      continue;
    }
    net::Network network;
    if (!net::parse_network(written, network)) trusted.at(i).fail("'address/bits' or 'unix'");
    snapshot.trusted_proxies.push_back(network);
  }
}

route::ListenerRules decode_listener_rules(const Reader& listener,
                                           const route::Snapshot& snapshot) {
  route::ListenerRules rules;
  rules.proxy_protocol = listener.at("proxyProtocol").boolean();
  rules.secure_twin = static_cast<int32_t>(listener.at("secureTwin").integer(0, UINT16_MAX)) - 1;
  if (Reader tls = listener.at("tls"); !tls.is_null()) {
    rules.tls = decode_tls(tls);
    rules.tls->copy_only = snapshot.copy_only;
    rules.tls->is_http = listener.at("tcp").is_null();
    rules.subject_field = tls.at("subjectField").text();
    rules.hsts_field = tls.at("hsts").field_lines();
  }
  rules.is_inner = listener.at("inner").boolean();
  if (Reader upstream = listener.at("tcp"); !upstream.is_null()) {
    const uint64_t upstreams = snapshot.upstreams.size();
    if (upstreams == 0) upstream.fail("the index of an upstream");
    route::ProxyAction action;
    action.upstream = static_cast<uint32_t>(upstream.integer(0, upstreams - 1));
    action.copy_only = snapshot.copy_only;
    action.half_close = true;
    action.body_bytes = UINT64_MAX;
    action.timeouts.connect = kTcpConnectMs;
    action.timeouts.tunnel = kTcpTunnelMs;
    rules.tcp = std::make_shared<const route::ProxyAction>(std::move(action));
  }
  return rules;
}

std::string decode_server_field(const Reader& name) {
  std::string text = name.text();
  if (text.empty()) return text;
  for (unsigned char c : text) {
    if (c < 0x20 || c > 0x7e) name.fail("visible characters");
  }
  return "Server: " + text + "\r\n";
}

log::Destination decode_destination(const Reader& to) {
  using Kind = log::Destination::Kind;
  const std::string kind = to.at("kind").text();
  if (kind == "stdout") return {Kind::stdout_, ""};
  if (kind == "stderr") return {Kind::stderr_, ""};
  if (kind != "file" && kind != "socket") to.at("kind").fail("a kind of destination");
  log::Destination decoded{kind == "file" ? Kind::file : Kind::socket, to.at("path").text()};
  if (decoded.path.empty()) to.at("path").fail("a path");
  return decoded;
}

std::optional<log::Settings> decode_access_log(const Reader& given) {
  if (given.is_null()) return std::nullopt;
  log::Settings settings;
  const std::string format = given.at("format").text();
  if (format != "json" && format != "combined") given.at("format").fail("'json' or 'combined'");
  settings.style = format == "json" ? log::Style::json : log::Style::combined;
  Reader fields = given.at("fields");
  for (uint32_t i = 0; i < fields.length(); ++i) {
    const std::optional<log::Field> field = log::field_named(fields.at(i).text());
    if (!field) fields.at(i).fail("the name of a field");
    settings.fields.push_back(*field);
  }
  Reader sample = given.at("sample");
  for (uint32_t i = 0; i < settings.sample.size(); ++i) {
    settings.sample[i] = sample.at(i).number(0, 1);
  }
  Reader redact = given.at("redact");
  for (uint32_t i = 0; i < redact.length(); ++i) settings.redact.push_back(redact.at(i).text());
  settings.to = decode_destination(given.at("to"));
  return settings;
}

}  // namespace

net::TlsSettings decode_tls(const Reader& tls) {
  net::TlsSettings settings;
  Reader certificates = tls.at("certificates");
  for (uint32_t i = 0; i < certificates.length(); ++i) {
    const Reader each = certificates.at(i);
    settings.certificates.push_back(
        {each.at("cert").text(), each.at("key").text(), each.at("ocsp").text()});
  }
  if (settings.certificates.empty()) certificates.fail("at least one certificate");
  const std::string clients = tls.at("clients").text();
  using Clients = net::TlsSettings::Clients;
  if (clients == "optional") settings.clients = Clients::optional;
  if (clients == "required") settings.clients = Clients::required;
  settings.client_ca = tls.at("clientCa").text();
  settings.least_is_13 = tls.at("minVersion").text() == "1.3";
  return settings;
}

worker::GroupOptions decode_config(const Reader& config) {
  auto snapshot = std::make_shared<route::Snapshot>();
  worker::GroupOptions options;
  options.workers = config.at("workers").integer(1, 256);
  snapshot->generation = config.at("generation").integer(1, kMaxId);
  decode_limits(config.at("limits"), snapshot->limits);
  snapshot->handshakes =
      static_cast<uint32_t>(config.at("limits").at("handshakes").integer(1, kMaxCount));
  decode_timeouts(config.at("timeouts"), snapshot->timeouts);
  snapshot->copy_only = decode_mode(config.at("transfer").at("mode"));
  snapshot->memory_bytes = config.at("transfer").at("memoryBytes").integer(0, 64 * 1024 * 1024);
  snapshot->splice_bytes = config.at("transfer").at("spliceBytes").integer(0, INT64_MAX);
  snapshot->pipe_bytes = config.at("transfer").at("pipeBytes").integer(4096, 1 << 20);
  snapshot->copy_bytes = config.at("transfer").at("copyBytes").integer(4096, 1 << 20);
  snapshot->access_log = decode_access_log(config.at("accessLog"));
  snapshot->server_field = decode_server_field(config.at("serverName"));
  decode_trusted(config.at("trustedProxies"), *snapshot);
  Reader upstreams = config.at("upstreams");
  if (upstreams.length() > proxy::QueueCounts::kMost) upstreams.fail("fewer upstreams");
  for (uint32_t i = 0; i < upstreams.length(); ++i) {
    const Reader each = upstreams.at(i);
    snapshot->upstreams.push_back(each.is_null() ? route::Upstream() : decode_upstream(each));
  }
  decode_channels(config.at("channels"), *snapshot);
  Reader routes = config.at("routes");
  if (routes.length() > proxy::QueueCounts::kMost) routes.fail("fewer routes");
  for (uint32_t i = 0; i < routes.length(); ++i) decode_route(routes.at(i), i, *snapshot);
  snapshot->table.finish();
  Reader listeners = config.at("listeners");
  if (listeners.length() > UINT16_MAX) listeners.fail("fewer listeners");
  for (uint32_t i = 0; i < listeners.length(); ++i) {
    const Reader each = listeners.at(i);
    options.listeners.emplace_back();
    snapshot->listeners.emplace_back();
    if (each.is_null()) continue;
    options.listeners.back() = decode_endpoint(each);
    snapshot->listeners.back() = decode_listener_rules(each, *snapshot);
    std::string field = snapshot->listeners.back().subject_field;
    for (char& c : field) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (!field.empty()) snapshot->subject_fields.push_back(std::move(field));
  }
  options.snapshot = std::move(snapshot);
  return options;
}

files::Look decode_look(const Reader& where) {
  files::Look look;
  look.root = where.at("root").text();
  look.path = where.at("path").text();
  look.follow = where.at("follow").boolean();
  look.list = where.at("list").boolean();
  return look;
}

files::AnswerSource decode_answer(const Reader& answer, const worker::WorkerGroup& group,
                                  bool& lost) {
  files::AnswerSource source;
  source.id = answer.at("id").integer(1, kMaxId);
  source.status = decode_status(answer.at("status"));
  source.fields = answer.at("fields").field_lines();
  source.otherwise = answer.at("otherwise").boolean();
  source.relocation = decode_relocation(answer.at("relocation"));
  source.remember = answer.at("remember").boolean();
  source.file = decode_file(answer.at("file"), group, lost);
  source.variants = decode_variants(answer.at("variants"), group, lost);
  if (Reader body = answer.at("body"); !body.is_null()) {
    source.body = body.bytes();
    source.has_body = true;
  }
  if (Reader json = answer.at("json"); !json.is_null()) {
    source.json = {json.at("fields").field_lines(), json.at("body").bytes()};
  }
  Reader looks = answer.at("looks");
  for (uint32_t i = 0; i < looks.length(); ++i) {
    source.looks.push_back(decode_look(looks.at(i)));
    source.looks.back().identity = looks.at(i).at("identity").big();
  }
  return source;
}

files::EncodeJob decode_encode_job(const Reader& job, const worker::WorkerGroup& group,
                                   bool& lost) {
  files::EncodeJob decoded;
  decoded.file = decode_file(job.at("file"), group, lost);
  lost = lost || !decoded.file;
  decoded.coding = decode_coding(job.at("coding"));
  decoded.directory = job.at("directory").text();
  return decoded;
}

}  // namespace sluice::binding
