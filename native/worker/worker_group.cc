// Starting, steering and ending the workers. Messages to a worker travel by its mailbox in the
// order in which they were sent: an answer before the forgetting of it.
#include "worker/worker_group.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

#include "core/limits.h"
#include "files/file_system.h"
#include "net/capabilities.h"
#include "net/sys.h"

namespace sluice::worker {
namespace {

/// I/O threads when roots hang: three hung ones, two threads each, and the usual ones besides.
constexpr size_t kMostIoThreads = 6 + kIoThreads;

}  // namespace

WorkerGroup::WorkerGroup(GroupOptions options, EventSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      targets_(options_.snapshot->upstreams),
      io_(std::make_unique<net::IoThreads>(kIoThreads, kIoQueue, kMostIoThreads)) {
  shared_.snapshot = published(options_.snapshot);
  shared_.sink = &sink_;
  shared_.io = io_.get();
  options_.snapshot.reset();
  name_routes();
  shared_.queued = std::make_shared<proxy::QueueCounts>(snapshot().upstreams.size());
  shared_.tell_room = [this](uint32_t upstream, uint32_t from) {
    for (auto& worker : workers_) {
      if (worker->index() == from) continue;
      worker->post([upstream](Worker& there) { there.upstreams().on_room(upstream); });
    }
  };
  channels_ = std::make_unique<ChannelHub>(
      snapshot().copy_only || !net::available(net::Feature::sendfile), hub_tells());
  channels_->adopt(snapshot().channels);
  shared_.channels = channels_->all();
  // Whoever has uploads has files: they are watched before the first upload.
  shared_.when_seen = [this](std::function<void()> then) {
    freshness_ ? freshness_->when_seen(std::move(then)) : then();
  };
  if (snapshot().limits_rates) shared_.rates = std::make_unique<RateTable>(kRateSets);
  shared_.sendfile_available = net::available(net::Feature::sendfile);
}

HubTells WorkerGroup::hub_tells() {
  HubTells tells;
  tells.message = [this](const auto& channel, const auto& message) {
    for (auto& worker : workers_) {
      worker->post([channel, message](Worker& there) { there.deliver(channel, message); });
    }
  };
  tells.news = [this](const auto& channel, const auto& news) {
    for (auto& worker : workers_) {
      worker->post([channel, news](Worker& there) { there.hear(channel, *news); });
    }
  };
  tells.empty = [this](const auto& channel, uint32_t reader) {
    workers_[reader]->post([channel](Worker& there) { there.leave_feed(channel); });
  };
  return tells;
}

WorkerGroup::~WorkerGroup() {
  stop();
  encoder_.reset();
  for (auto& worker : workers_) worker->join();
  io_.reset();  // its jobs may still post to workers: they end before the workers go
  freshness_.reset();
  close_log();
  workers_.clear();
}

/// Those who have left may still have requests under way.
void WorkerGroup::name_routes() {
  const auto& routes = snapshot().routes;
  if (route_names_.size() < routes.size()) route_names_.resize(routes.size());
  for (size_t i = 0; i < routes.size(); ++i) {
    if (!routes[i].key.empty()) route_names_[i] = routes[i].key;
  }
}

/// Tells when the last holder has let go, on whatever thread that is.
std::shared_ptr<const route::Snapshot> WorkerGroup::published(
    std::shared_ptr<const route::Snapshot> snapshot) {
  const route::Snapshot* raw = snapshot.get();
  auto retire = [this, held = std::move(snapshot)](const route::Snapshot*) mutable {
    CoreEvent event;
    event.kind = CoreEvent::Kind::retired;
    event.id = held->generation;
    held.reset();
    sink_.emit(std::move(event));
  };
  return {raw, std::move(retire)};
}

/// 0 or -errno.
int WorkerGroup::start_log() {
  if (!snapshot().access_log) return 0;
  auto report = [this](std::string message) {
    CoreEvent event;
    event.code = "access-log";
    event.text = std::move(message);
    sink_.emit(std::move(event));
  };
  log_ = std::make_unique<log::Writer>(*snapshot().access_log, route_names_, options_.workers,
                                       std::move(report));
  shared_.log = log_.get();
  try {
    return log_->start();
  } catch (const std::system_error&) {
    return -EAGAIN;
  }
}

/// With what full workers dropped.
log::WriterCounts WorkerGroup::log_counts() const {
  log::WriterCounts counts = log_ ? log_->counts() : log::WriterCounts{};
  for (const auto& worker : workers_) {
    if (const log::AccessLog* log = worker->access_log()) counts.dropped += log->dropped();
  }
  return counts;
}

ListenError WorkerGroup::listen(std::vector<std::vector<int>> inherited) {
  std::vector<net::BoundListener> opened;
  const GroupOptions first = std::exchange(options_, {.workers = options_.workers});
  ListenError unusable = load_certificates(first, snapshot(), shared_.tls);
  if (unusable.bind.error != 0) return unusable;
  ListenError failed = open_listeners(first, opened, std::move(inherited));
  if (failed.bind.error != 0) return failed;
  take_listeners(first, opened);
  if (int error = start_log(); error != 0) {
    close_listeners();
    return {{error, "access log"}, {}};
  }
  for (uint32_t index = 0; index < options_.workers; ++index) {
    workers_.push_back(std::make_unique<Worker>(index, shared_));
    for (uint32_t upstream = 0; upstream < targets_.size(); ++upstream) {
      workers_.back()->upstreams().replace(upstream, targets_.current(upstream));
    }
    if (!hook_socket_.empty()) {
      workers_.back()->post(
          [path = hook_socket_](Worker& there) { there.hook_channel().connect_to(path); });
    }
    if (int error = workers_.back()->error(); error != 0) {
      workers_.clear();
      close_listeners();
      return {{error, "epoll"}, {}};
    }
  }
  uint32_t started = 0;
  try {
    watch_files();
    sweep_uploads();
    warn_of_remote_roots();
    for (; started < options_.workers; ++started) {
      workers_[started]->start(sockets_of(started));
    }
  } catch (const std::system_error&) {
    return abandon(started);
  }
  return {};
}

std::vector<Worker::ListeningSocket> WorkerGroup::sockets_of(uint32_t worker) const {
  std::vector<Worker::ListeningSocket> sockets;
  for (size_t i = 0; i < bound_.size(); ++i) {
    for (size_t n = worker; n < bound_[i].fds.size(); n += options_.workers) {
      sockets.push_back({bound_[i].fds[n], static_cast<uint16_t>(i)});
    }
  }
  return sockets;
}

/// No thread for worker number `started`: ends those before it, which close their own sockets.
ListenError WorkerGroup::abandon(uint32_t started) {
  for (uint32_t index = 0; index < started; ++index) {
    workers_[index]->post([](Worker& there) { there.stop(); });
    workers_[index]->join();
  }
  for (net::BoundListener& bound : bound_) {
    std::vector<int> left;
    for (size_t n = 0; n < bound.fds.size(); ++n) {
      if (n % options_.workers >= started) left.push_back(bound.fds[n]);
    }
    bound.fds = std::move(left);
  }
  close_listeners();
  freshness_.reset();
  workers_.clear();
  return {{-EAGAIN, "thread"}, {}};
}

/// On I/O threads, since asking such a file system may hang.
void WorkerGroup::warn_of_remote_roots() {
  for (const route::Route& route : snapshot().routes) {
    const auto* action = std::get_if<route::FilesAction>(&*route.action);
    if (action == nullptr || !known_roots_.insert(action->root).second) continue;
    auto job = [this, root = action->root] {
      const files::FileSystem system = files::file_system_of(root);
      if (!system.is_remote) return;
      CoreEvent event;
      event.code = "remote-file-system";
      event.text = root + " is on " + system.name +
                   ": its files are read by I/O threads and copied, and changes are noticed within "
                   "a second, plus what the mount itself remembers";
      sink_.emit(std::move(event));
    };
    io_->post(std::move(job), files::lane_of(action->root));
  }
}

void WorkerGroup::watch_files() {
  const auto serves_files = [](const route::Route& route) {
    return std::holds_alternative<route::FilesAction>(*route.action);
  };
  if (freshness_ || std::ranges::none_of(snapshot().routes, serves_files)) return;
  files::FreshnessListener listener;
  listener.on_changed = [this](std::vector<uint64_t> answers) {
    CoreEvent event;
    event.kind = CoreEvent::Kind::stale;
    event.answers = std::move(answers);
    sink_.emit(std::move(event));
  };
  listener.on_fault = [this](const char* code, std::string message) {
    CoreEvent event;
    event.code = code;
    event.text = std::move(message);
    sink_.emit(std::move(event));
  };
  freshness_ = std::make_unique<files::Freshness>(std::move(listener), kMaxWatchedFolders);
}

/// What a gateway that was killed has left of uploads goes before the first new one comes.
void WorkerGroup::sweep_uploads() {
  for (const route::Route& route : snapshot().routes) {
    const auto* action = std::get_if<route::FilesAction>(&*route.action);
    if (action == nullptr || !action->upload) continue;
    const bool counts = action->upload->quota_bytes != UINT64_MAX;
    auto job = [root = shared_.uploads->at(action->root), counts] { root->prepare(counts); };
    io_->post(std::move(job), files::lane_of(action->root));
  }
}

files::FreshnessCounts WorkerGroup::freshness_counts() const {
  return freshness_ ? freshness_->counts() : files::FreshnessCounts{};
}

std::vector<std::optional<net::Endpoint>> WorkerGroup::endpoints() const {
  std::vector<std::optional<net::Endpoint>> endpoints;
  for (size_t i = 0; i < bound_.size(); ++i) {
    endpoints.emplace_back();
    if (options_.listeners[i]) endpoints.back() = bound_[i].endpoint;
  }
  return endpoints;
}

void WorkerGroup::leave_listeners() {
  for (net::BoundListener& bound : bound_) bound.socket_inode = 0;
}

int64_t WorkerGroup::beat() {
  const int64_t now_ms = sys::now_us() / 1000;
  int64_t longest_ms = 0;
  asked_ms_.resize(workers_.size());
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (!asked_ms_[i]) asked_ms_[i] = std::make_shared<std::atomic<int64_t>>(0);
    if (const int64_t asked_ms = asked_ms_[i]->load(); asked_ms != 0) {
      longest_ms = std::max(longest_ms, now_ms - asked_ms);
      continue;
    }
    asked_ms_[i]->store(now_ms);
    workers_[i]->post([asked = asked_ms_[i]](Worker&) { asked->store(0); });
  }
  return longest_ms;
}

/// Another address with the port of one that leaves: whoever probes it would find ours.
bool WorkerGroup::has_leaving_port(const GroupOptions& next, const net::Endpoint& wanted) const {
  for (size_t i = 0; i < bound_.size(); ++i) {
    const bool leaves = options_.listeners[i] && (i >= next.listeners.size() || !next.listeners[i]);
    const net::Endpoint& endpoint = bound_[i].endpoint;
    if (leaves && !endpoint.is_unix() && !wanted.is_unix() && endpoint.port == wanted.port) {
      return true;
    }
  }
  return false;
}

/// Those that are not there yet: all of them or none. What is inherited is ours either way.
ListenError WorkerGroup::open_listeners(const GroupOptions& next,
                                        std::vector<net::BoundListener>& opened,
                                        std::vector<std::vector<int>> inherited) {
  opened.resize(next.listeners.size());
  inherited.resize(next.listeners.size());
  for (size_t i = 0; i < next.listeners.size(); ++i) {
    const bool is_there = i < options_.listeners.size() && options_.listeners[i];
    if (!next.listeners[i] || is_there) continue;
    const net::Endpoint& wanted = *next.listeners[i];
    std::vector<int> given = std::exchange(inherited[i], {});
    const bool is_beside_own = has_leaving_port(next, wanted);
    const net::BindError error =
        given.empty() ? net::bind_listener(wanted, options_.workers, opened[i], is_beside_own)
                      : net::adopt_listener(wanted, options_.workers, std::move(given), opened[i]);
    if (error.error == 0) continue;
    for (net::BoundListener& bound : opened) net::close_listener(bound);
    for (const std::vector<int>& rest : inherited) {
      for (int fd : rest) sys::close(fd);
    }
    return {error, wanted};
  }
  return {};
}

/// Keeps what was opened; the numbers of those that have left. Their paths go at once.
std::vector<uint16_t> WorkerGroup::take_listeners(const GroupOptions& next,
                                                  const std::vector<net::BoundListener>& opened) {
  std::vector<uint16_t> closed;
  bound_.resize(std::max(bound_.size(), next.listeners.size()));
  for (size_t i = 0; i < bound_.size(); ++i) {
    const bool was_there = i < options_.listeners.size() && options_.listeners[i];
    const bool is_there = i < next.listeners.size() && next.listeners[i];
    if (was_there && !is_there) {
      net::hide_listener(bound_[i]);
      bound_[i] = {};
      closed.push_back(static_cast<uint16_t>(i));
    }
    if (is_there && !was_there) bound_[i] = opened[i];
  }
  options_.listeners = next.listeners;
  options_.listeners.resize(bound_.size());
  return closed;
}

ListenError WorkerGroup::replace(GroupOptions next) {
  TlsContexts contexts;
  ListenError unusable = load_certificates(next, *next.snapshot, contexts);
  if (unusable.bind.error != 0) return unusable;
  std::vector<net::BoundListener> opened;
  if (ListenError failed = open_listeners(next, opened); failed.bind.error != 0) return failed;
  const std::shared_ptr<const route::Snapshot> before = shared_.snapshot;
  // Not published yet: nobody else has it.
  auto shared = std::const_pointer_cast<route::Snapshot>(next.snapshot);
  shared->share_with(*before);
  // Workers look for it only once they have a snapshot that limits.
  if (shared->limits_rates && !shared_.rates) {
    shared_.rates = std::make_unique<RateTable>(kRateSets);
  }
  shared_.snapshot = published(std::move(shared));
  next.snapshot.reset();
  try {
    watch_files();
    sweep_uploads();
    warn_of_remote_roots();
  } catch (const std::system_error&) {
    shared_.snapshot = before;
    for (net::BoundListener& bound : opened) net::close_listener(bound);
    return {{-EAGAIN, "thread"}, {}};
  }
  shared_.queued->grow(snapshot().upstreams.size());
  targets_.adopt(before->upstreams, snapshot().upstreams);
  channels_->adopt(snapshot().channels);
  name_routes();
  if (log_) log_->name_routes(route_names_);
  auto replacement = std::make_shared<Replacement>();
  replacement->snapshot = shared_.snapshot;
  replacement->targets = targets_.all();
  shared_.tls = contexts;
  replacement->tls = std::move(contexts);
  replacement->tickets = shared_.tickets;
  replacement->channels = channels_->all();
  replacement->closed = take_listeners(next, opened);
  hand_out(std::move(replacement), opened);
  return {};
}

/// Gives every worker its part: with `opened`, its own descriptor of each.
void WorkerGroup::hand_out(std::shared_ptr<const Replacement> next,
                           const std::vector<net::BoundListener>& opened) {
  auto left = std::make_shared<std::atomic<size_t>>(workers_.size());
  for (auto& worker : workers_) {
    auto fds = std::make_shared<std::vector<net::OwnedFd>>();
    for (const net::BoundListener& bound : opened) {
      fds->emplace_back(bound.fds.empty() ? -1 : bound.fds[worker->index()]);
    }
    worker->post([this, next, fds, left](Worker& there) {
      there.adopt(*next, *fds);
      if (left->fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      CoreEvent event;
      event.kind = CoreEvent::Kind::adopted;
      event.id = next->snapshot->generation;
      sink_.emit(std::move(event));
    });
  }
}

void WorkerGroup::end_generation(uint64_t number) {
  for (auto& worker : workers_) {
    worker->post([number](Worker& there) { there.end_generation(number); });
  }
}

/// The sockets belong to the workers by now; only the paths are ours.
void WorkerGroup::hide_listeners() {
  for (const net::BoundListener& bound : std::exchange(bound_, {})) net::hide_listener(bound);
}

/// That of the app stays: requests under way may need it.
void WorkerGroup::hide_outer_listeners() {
  const std::vector<route::ListenerRules>& rules = shared_.snapshot->listeners;
  for (size_t i = 0; i < bound_.size(); ++i) {
    if (i < rules.size() && rules[i].is_inner) continue;
    net::hide_listener(std::exchange(bound_[i], {}));
  }
}

void WorkerGroup::close_listeners() {
  for (net::BoundListener& bound : bound_) net::close_listener(bound);
  bound_.clear();
}

files::OpenOptions WorkerGroup::open_options() const {
  files::OpenOptions open;
  open.memory_bytes = shared_.snapshot->memory_bytes;
  open.keep_descriptor = shared_.snapshot->copy_only;
  open.counts = file_counts_;
  return open;
}

void WorkerGroup::look(uint64_t id, files::Look look) {
  const files::OpenOptions open = open_options();
  size_t lane = files::lane_of(look.root);
  // Links that may lead anywhere and whole directories are looked at again every second.
  files::Freshness* freshness = look.follow || look.list ? nullptr : freshness_.get();
  auto job = [this, freshness, id, open, look = std::move(look)] {
    const auto watch = freshness ? freshness->begin(look.root, look.path) : Ref<files::Watch>();
    CoreEvent event;
    event.kind = CoreEvent::Kind::looked;
    event.id = id;
    event.looked = files::look_up(look, open);
    if (freshness) freshness->found(watch.get(), event.looked);
    sink_.emit(std::move(event));
  };
  if (io_->post(std::move(job), lane)) return;
  CoreEvent event;
  event.kind = CoreEvent::Kind::looked;
  event.id = id;
  event.looked.outcome = files::Outcome::failed;
  event.looked.error = EAGAIN;
  sink_.emit(std::move(event));
}

int WorkerGroup::connect_encoder() {
  if (!encoder_) {
    auto done = [this](uint64_t id, files::Encoded encoded) {
      CoreEvent event;
      event.kind = CoreEvent::Kind::encoded;
      event.id = id;
      event.encoded = std::move(encoded);
      sink_.emit(std::move(event));
    };
    try {
      encoder_ = std::make_unique<files::Encoder>(open_options(), std::move(done));
    } catch (const std::system_error&) {
      return -EAGAIN;
    }
  }
  return encoder_->connect();
}

void WorkerGroup::disconnect_encoder() {
  if (encoder_) encoder_->disconnect();
}

void WorkerGroup::encode(files::EncodeJob job) {
  if (encoder_) encoder_->encode(std::move(job));
}

uint64_t WorkerGroup::own_file(Ref<files::File> file) {
  file->id = ++last_file_;
  owned_files_.emplace(last_file_, std::move(file));
  return last_file_;
}

Ref<files::File> WorkerGroup::find_file(uint64_t id) const {
  auto found = owned_files_.find(id);
  return found == owned_files_.end() ? Ref<files::File>() : found->second;
}

void WorkerGroup::answer(uint32_t worker, uint64_t question, files::AnswerSource source) {
  if (worker >= workers_.size()) return;
  if (freshness_ && source.remember)
    source.grounds = freshness_->grounds_for(source.id, source.looks);
  auto answer = make_ref<files::Answer>(std::move(source));
  workers_[worker]->post([question, answer = std::move(answer)](Worker& there) {
    there.questions().on_answer(question, answer);
  });
}

void WorkerGroup::forget(const std::vector<uint64_t>& answers) {
  for (auto& worker : workers_) {
    worker->post([answers](Worker& there) {
      for (uint64_t answer : answers) there.forget(answer);
    });
  }
}

void WorkerGroup::set_targets(uint32_t upstream, const std::vector<route::TargetConfig>& targets) {
  Ref<const proxy::TargetSet> set = targets_.replace(upstream, targets);
  for (auto& worker : workers_) {
    worker->post([upstream, set](Worker& there) { there.upstreams().replace(upstream, set); });
  }
}

void WorkerGroup::set_hook_socket(const std::string& path) {
  hook_socket_ = path;
  for (auto& worker : workers_) {
    worker->post([path](Worker& there) { there.hook_channel().connect_to(path); });
  }
}

uint64_t WorkerGroup::queued(uint32_t upstream) const {
  return (*shared_.queued)[upstream].load(std::memory_order_relaxed);
}

void WorkerGroup::drain() {
  hide_outer_listeners();
  for (auto& worker : workers_) worker->post([](Worker& there) { there.drain(); });
}

void WorkerGroup::stop() {
  hide_listeners();
  for (auto& worker : workers_) worker->post([](Worker& there) { there.stop(); });
}

}  // namespace sluice::worker
