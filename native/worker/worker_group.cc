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

namespace sluice::worker {

WorkerGroup::WorkerGroup(GroupOptions options, EventSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      targets_(options_.snapshot->upstreams),
      io_(std::make_unique<net::IoThreads>(kIoThreads, kIoQueue)) {
  shared_.snapshot = options_.snapshot;
  shared_.sink = &sink_;
  shared_.io = io_.get();
  shared_.queued = std::make_shared<proxy::QueueCounts>(options_.snapshot->upstreams.size());
  shared_.tell_room = [this](uint32_t upstream, uint32_t from) {
    for (auto& worker : workers_) {
      if (worker->index() == from) continue;
      worker->post([upstream](Worker& there) { there.upstreams().on_room(upstream); });
    }
  };
  shared_.channels = std::make_shared<ChannelHub>(
      snapshot().channels, snapshot().copy_only || !net::available(net::Feature::sendfile),
      [this](uint32_t channel, const Ref<const transfer::Message>& message) {
        for (auto& worker : workers_) {
          worker->post([channel, message](Worker& there) { there.deliver(channel, message); });
        }
      });
  shared_.sendfile_available = net::available(net::Feature::sendfile);
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

/// 0 or -errno.
int WorkerGroup::start_log() {
  if (!snapshot().access_log) return 0;
  std::vector<std::string> routes;
  for (const route::Route& route : snapshot().routes) routes.push_back(route.key);
  auto report = [this](std::string message) {
    CoreEvent event;
    event.code = "access-log";
    event.text = std::move(message);
    sink_.emit(std::move(event));
  };
  log_ = std::make_unique<log::Writer>(*snapshot().access_log, std::move(routes), options_.workers,
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

ListenError WorkerGroup::listen() {
  for (const net::Endpoint& endpoint : options_.listeners) {
    net::BoundListener bound;
    net::BindError error = net::bind_listener(endpoint, options_.workers, bound);
    if (error.error != 0) {
      close_listeners();
      return {error, endpoint};
    }
    bound_.push_back(std::move(bound));
  }
  if (int error = start_log(); error != 0) {
    close_listeners();
    return {{error, "access log"}, {}};
  }
  for (uint32_t index = 0; index < options_.workers; ++index) {
    workers_.push_back(std::make_unique<Worker>(index, shared_));
    for (uint32_t upstream = 0; upstream < targets_.size(); ++upstream) {
      workers_.back()->upstreams().replace(upstream, targets_.current(upstream));
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
    warn_of_remote_roots();
    for (; started < options_.workers; ++started) {
      std::vector<int> fds;
      for (const net::BoundListener& bound : bound_) fds.push_back(bound.fds[started]);
      workers_[started]->start(fds);
    }
  } catch (const std::system_error&) {
    return abandon(started);
  }
  return {};
}

/// No thread for worker number `started`: ends those before it, which close their own sockets.
ListenError WorkerGroup::abandon(uint32_t started) {
  for (uint32_t index = 0; index < started; ++index) {
    workers_[index]->post([](Worker& there) { there.stop(); });
    workers_[index]->join();
  }
  for (net::BoundListener& bound : bound_) {
    bound.fds.erase(bound.fds.begin(), bound.fds.begin() + started);
  }
  close_listeners();
  freshness_.reset();
  workers_.clear();
  return {{-EAGAIN, "thread"}, {}};
}

/// On I/O threads, since asking such a file system may hang.
void WorkerGroup::warn_of_remote_roots() {
  std::set<std::string> roots;
  for (const route::Route& route : snapshot().routes) {
    const auto* action = std::get_if<route::FilesAction>(&route.action);
    if (action == nullptr || !roots.insert(action->root).second) continue;
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
    return std::holds_alternative<route::FilesAction>(route.action);
  };
  if (std::ranges::none_of(snapshot().routes, serves_files)) return;
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
  shared_.when_seen = [this](std::function<void()> then) {
    freshness_->when_seen(std::move(then));
  };
  sweep_uploads();
}

/// What a gateway that was killed has left of uploads goes before the first new one comes.
void WorkerGroup::sweep_uploads() {
  for (const route::Route& route : snapshot().routes) {
    const auto* action = std::get_if<route::FilesAction>(&route.action);
    if (action == nullptr || !action->upload) continue;
    const bool counts = action->upload->quota_bytes != UINT64_MAX;
    auto job = [root = shared_.uploads->at(action->root), counts] { root->prepare(counts); };
    io_->post(std::move(job), files::lane_of(action->root));
  }
}

files::FreshnessCounts WorkerGroup::freshness_counts() const {
  return freshness_ ? freshness_->counts() : files::FreshnessCounts{};
}

std::vector<net::Endpoint> WorkerGroup::endpoints() const {
  std::vector<net::Endpoint> endpoints;
  for (const net::BoundListener& bound : bound_) endpoints.push_back(bound.endpoint);
  return endpoints;
}

/// The sockets belong to the workers by now; only the paths are ours.
void WorkerGroup::hide_listeners() {
  for (const net::BoundListener& bound : std::exchange(bound_, {})) net::hide_listener(bound);
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

uint64_t WorkerGroup::queued(uint32_t upstream) const {
  return (*shared_.queued)[upstream].load(std::memory_order_relaxed);
}

void WorkerGroup::drain() {
  hide_listeners();
  for (auto& worker : workers_) worker->post([](Worker& there) { there.drain(); });
}

void WorkerGroup::stop() {
  hide_listeners();
  for (auto& worker : workers_) worker->post([](Worker& there) { there.stop(); });
}

}  // namespace sluice::worker
