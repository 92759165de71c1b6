// The worker's thread: waits, reads the clock once, dispatches, then timers, then whoever has work
// left, then buries the dead. With nothing to do and no timer armed it sleeps until woken.
#include "worker/worker.h"

#include <pthread.h>

#include <algorithm>
#include <cassert>

#include "core/hash.h"
#include "net/address.h"
#include "net/sys.h"
#include "proxy/client_address.h"
#include "worker/acceptor.h"

namespace sluice::worker {

namespace {

proxy::ExchangeLimits exchange_limits_of(const route::Snapshot& snapshot) {
  return {snapshot.limits.response_head, snapshot.timeouts.body, snapshot.splice_bytes};
}

proxy::ExchangeLimits without_patience(proxy::ExchangeLimits limits) {
  limits.body_ms = 0;
  return limits;
}

}  // namespace

/// Tells TypeScript which answers were served, so that its cache's recency is true.
class Worker::Reporter final : public Alarm {
 public:
  explicit Reporter(Worker& worker) : worker_(worker) {}

  void add(files::Answer& answer) {
    answer.touched = true;
    answers_.emplace_back(&answer);
    if (answers_.size() == 1) worker_.wheel().set(*this, worker_.now_ms() + kReportMs);
  }

  void on_alarm() override { flush(); }

  void flush() {
    if (answers_.empty()) return;
    worker_.wheel().cancel(*this);
    CoreEvent event;
    event.kind = CoreEvent::Kind::touched;
    event.worker = worker_.index();
    for (const Ref<files::Answer>& answer : answers_) {
      answer->touched = false;
      event.answers.push_back(answer->id);
    }
    answers_.clear();
    worker_.sink().emit(std::move(event));
  }

 private:
  Worker& worker_;
  std::vector<Ref<files::Answer>> answers_;
};

/// Ends what has not ended within timeouts.drain.
class Worker::LastCall final : public Alarm {
 public:
  explicit LastCall(Worker& worker) : worker_(worker) {}
  void on_alarm() override { worker_.stop(); }

 private:
  Worker& worker_;
};

Worker::Worker(uint32_t index, Shared& shared)
    : index_(index),
      shared_(shared),
      generation_(new Generation(shared.snapshot)),
      serving_(generation_.get()),
      stats_(shared.snapshot->routes.size()),
      now_us_(sys::now_us()),
      wall_s_(sys::wall_clock_s()),
      wheel_(now_us_ / 1000),
      upstreams_({loop_, wheel_, now_us_}, shared.snapshot->upstreams, shared.queued),
      mirrors_(upstreams_, wheel_, shared.mirrors),
      exchange_limits_(exchange_limits_of(*shared.snapshot)),
      inner_limits_(without_patience(exchange_limits_)),
      tls_(shared.tls),
      tickets_(shared.tickets),
      head_(std::make_unique<http::RequestHead>()),
      input_scratch_(kScratchBytes),
      reporter_(std::make_unique<Reporter>(*this)),
      last_call_(std::make_unique<LastCall>(*this)) {
  if (shared.log != nullptr) {
    access_log_ =
        std::make_unique<log::AccessLog>(*shared.snapshot->access_log, *shared.log, wheel_, index);
  }
  upstreams_.pipes().want(shared.snapshot->pipe_bytes);
  upstreams_.mirror_by(&mirrors_);
  mirrors_.limit(shared.snapshot->limits.mirrors);
  upstreams_.tell_others_by([this](uint32_t upstream) {
    if (shared_.tell_room) shared_.tell_room(upstream, index_);
  });
  channels_ = shared.channels;
  for (const auto& channel : channels_) {
    if (channel) desk_of(channel);
  }
  set_date();
  complained_us_.fill(now_us_ - kComplaintUs);
}

Worker::~Worker() { join(); }

namespace {

/// Of a listening socket; 0: a unix socket.
uint16_t local_port(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (sys::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) return 0;
  return net::port_of(address);
}

}  // namespace

void Worker::note_port(uint16_t listener, int fd) {
  if (ports_.size() <= listener) ports_.resize(listener + 1);
  ports_[listener] = local_port(fd);
}

void Worker::start(const std::vector<ListeningSocket>& sockets) {
  for (const ListeningSocket& socket : sockets) {
    note_port(socket.listener, socket.fd);
    acceptors_.push_back(std::make_unique<Acceptor>(*this, socket.fd, socket.listener));
  }
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), ("sluice-w" + std::to_string(index_)).c_str());
    run();
  });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::post(Task task) {
  loop_.post([this, task = std::move(task)] { task(*this); });
}

std::span<char> Worker::copy_scratch() {
  const size_t wanted = snapshot().copy_bytes;
  if (copy_scratch_.size() != wanted) copy_scratch_.resize(wanted);
  return copy_scratch_;
}

char* Worker::path_scratch(std::string_view path) {
  if (path_scratch_.size() < path.size()) path_scratch_.resize(path.size());
  return path_scratch_.data();
}

int64_t Worker::refresh_clock() {
  now_us_ = sys::now_us();
  return now_us_;
}

/// Whatever depends on the wall clock's second.
void Worker::set_date() {
  outbox_.set_date(wall_s_, snapshot().server_field);
  if (access_log_) access_log_->set_clock(sys::wall_clock_us(), sys::now_us());
}

bool Worker::finished() const {
  return (stopping_ || draining_) && live_.empty() && mirrors_.empty();
}

int Worker::timeout_ms() const {
  if (!later_.empty() || upstreams_.has_news() || mirrors_.has_work()) return 0;
  int64_t next = wheel_.next_ms();
  if (next == TimerWheel::kNever) return -1;
  return static_cast<int>(std::clamp<int64_t>(next - now_us_ / 1000 + 1, 0, 60'000));
}

void Worker::run() {
  sys::count_into(&stats_.syscalls);
  for (auto& acceptor : acceptors_) acceptor->resume();
  while (!finished()) {
    loop_.wait(timeout_ms());
    stats_.turns.add();
    const int64_t began_us = refresh_clock();
    shaking_us_ = 0;
    if (int64_t second = sys::wall_clock_s(); second != wall_s_) {
      wall_s_ = second;
      set_date();
    }
    loop_.dispatch();
    wheel_.advance(now_ms(), [](Timer& timer) { static_cast<Alarm&>(timer).on_alarm(); });
    run_ready();
    upstreams_.wake_waiting();
    mirrors_.run();
    hook_channel_.flush();
    remove_dead();
    stats_.turn_us.add(static_cast<uint64_t>(sys::now_us() - began_us));
  }
  for (auto& acceptor : acceptors_) acceptor->close();
  for (auto& desk : desks_) {
    if (desk && desk->feed) desk->feed->stop(ErrorCode::draining);
    if (desk) desk->feed.reset();
  }
  wheel_.cancel(*reporter_);
  wheel_.cancel(*last_call_);
  wheel_.cancel(hook_channel_);
  if (access_log_) access_log_->flush();
  CoreEvent event;
  event.kind = CoreEvent::Kind::ended;
  event.worker = index_;
  sys::count_into(nullptr);
  sink().emit(std::move(event));
}

void Worker::run_ready() {
  std::vector<Connection*> ready;
  ready.swap(later_);
  for (Connection* connection : ready) {
    if (connection->state() != State::closed) connection->run();
  }
}

void Worker::bury(Connection& connection) {
  give_up(connection.ticket());
  live_.remove(connection);
  stats_.connections.subtract();
  dead_.push_back(&connection);
}

void Worker::remove_dead() {
  stopped_acceptors_.clear();
  if (dead_.empty()) return upstreams_.remove_dead();
  std::erase_if(later_, [](Connection* waiting) { return waiting->state() == State::closed; });
  for (Connection* connection : dead_) slab_.destroy(connection);
  dead_.clear();
  upstreams_.remove_dead();
}

std::string_view Worker::next_request_id(char (&room)[kRequestIdBytes]) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const uint64_t number = ++last_request_ << 8 | (index_ & 0xff);
  const uint64_t seed = hash_seed();
  const uint64_t halves[2] = {fold_multiply(number ^ seed, 0xa0761d6478bd642fULL) ^ number,
                              fold_multiply(number + seed, 0xe7037ed1a0b428dbULL)};
  for (size_t i = 0; i < kRequestIdBytes; ++i) {
    room[i] = kDigits[halves[i / 16] >> (4 * (i % 16)) & 0xf];
  }
  return {room, kRequestIdBytes};
}

bool Worker::has_room(uint16_t listener) const {
  // Clients that have a place wait for what the app asks on their behalf.
  return rules(listener).is_inner || live_.size() < snapshot().limits.connections_per_worker;
}

const route::ListenerRules& Worker::rules(uint16_t listener) const {
  return snapshot().rules(listener);
}

net::TlsRoom& Worker::tls_room() {
  if (!tls_room_) {
    tls_room_ = std::make_unique<net::TlsRoom>();
    tls_room_->tickets = tickets_;
  }
  return *tls_room_;
}

bool Worker::may_shake_hands() {
  if (shaking_us_ >= kHandshakeTurnUs) return false;
  shaking_since_us_ = sys::now_us();
  return true;
}

void Worker::shook_hands() { shaking_us_ += sys::now_us() - shaking_since_us_; }

void Worker::replace_tls(uint16_t listener, Ref<const net::TlsContext> context) {
  if (listener < tls_.size()) tls_[listener] = std::move(context);
}

void Worker::replace_tickets(Ref<const net::TicketKeys> keys) {
  tickets_ = std::move(keys);
  if (tls_room_) tls_room_->tickets = tickets_;
}

bool Worker::trusts(const AddressKey& address) const {
  if (address == AddressKey()) return snapshot().trusts_unix_peers;
  return proxy::is_trusted(address, snapshot().trusted_proxies);
}

void Worker::accept(int fd, const sockaddr_storage& address, uint16_t listener) {
  uint32_t limit = snapshot().limits.connections_per_address;
  AddressKey key = net::to_key(address);
  // Behind a load balancer the client counts, who is known later.
  bool is_counted = limit > 0 && address.ss_family != AF_UNIX && !rules(listener).proxy_protocol;
  if (is_counted && !shared_.addresses.enter(key, limit)) {
    stats_.refused.add();
    sys::close(fd);
    return;
  }
  stats_.accepted.add();
  stats_.connections.add();
  Connection* connection =
      slab_.create(*this, fd, Connection::Origin{key, net::port_of(address), listener, is_counted});
  live_.add(*connection);
  stats_.states[static_cast<size_t>(connection->state())].add();
  connection->open();
}

void Worker::remember(const files::PathKey& key, Ref<files::Answer> answer) {
  answers_.insert({key.route, key.path}, std::move(answer));
  stats_.answers = answers_.size();
}

void Worker::report_touched(files::Answer& answer) { reporter_->add(answer); }

void Worker::flush_touched() { reporter_->flush(); }

void Worker::drop_stale(uint64_t answer) {
  forget(answer);
  CoreEvent event;
  event.kind = CoreEvent::Kind::stale;
  event.worker = index_;
  event.answers.push_back(answer);
  sink().emit(std::move(event));
}

void Worker::fault(const char* code, std::string message) {
  CoreEvent event;
  event.kind = CoreEvent::Kind::fault;
  event.worker = index_;
  event.code = code;
  event.text = std::move(message);
  sink().emit(std::move(event));
}

void Worker::complain(ErrorCode error) {
  stats_.errors[static_cast<size_t>(error)].add();
  const ErrorInfo& info = error_info(error);
  bool names_a_setting = info.meaning.find("limits.") != std::string_view::npos ||
                         info.meaning.find("timeouts.") != std::string_view::npos;
  // Faults of targets are reported by whoever knows which one it was.
  if (!names_a_setting || info.source == ErrorSource::upstream || !may_report(error)) return;
  fault(info.name.data(), std::string(info.meaning));
}

bool Worker::may_report(ErrorCode error) {
  int64_t& last_us = complained_us_[static_cast<size_t>(error)];
  if (now_us_ - last_us < kComplaintUs) return false;
  last_us = now_us_;
  return true;
}

void Worker::resume(uint64_t ticket, const Ref<files::Answer>& answer) {
  auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  const Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  waiting.connection->resume(answer, waiting.generation);
}

void Worker::pages_ready(uint64_t ticket, transfer::ReadAhead ahead) {
  auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  Connection* connection = found->second.connection;
  waiting_.erase(found);
  connection->pages_ready(std::move(ahead));
}

/// A message of a channel may come before the configuration that it is of.
ChannelDesk& Worker::desk_of(const std::shared_ptr<HubChannel>& channel) {
  const uint32_t number = channel->number();
  if (number >= desks_.size()) desks_.resize(number + 1);
  std::unique_ptr<ChannelDesk>& desk = desks_[number];
  if (desk && desk->hub == channel) return *desk;
  // Numbers are given anew only when nobody is left of those before.
  assert(!desk || desk->listeners.empty());
  desk = std::make_unique<ChannelDesk>(channel);
  return *desk;
}

void Worker::deliver(const std::shared_ptr<HubChannel>& channel,
                     const Ref<const transfer::Message>& message) {
  ChannelDesk& desk = desk_of(channel);
  desk.ring.limit(channel->buffer_messages(), channel->buffer_bytes());
  desk.ring.add(message);
  for (Connection* listener : desk.listeners) listener->on_message();
}

void Worker::upload_ready(uint64_t ticket, ErrorCode error, Ref<files::Upload> upload) {
  auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return discard_upload(*this, std::move(upload));
  Connection* connection = found->second.connection;
  waiting_.erase(found);
  connection->upload_ready(error);
}

uint64_t Worker::parked_on(uint64_t ticket) const {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end() || !found->second.generation) return 0;
  return found->second.generation->number();
}

void Worker::adopt(const Replacement& next, std::vector<net::OwnedFd>& opened) {
  if (draining_ || stopping_) return;
  close_listeners(next.closed);
  const Ref<Generation> generation(new Generation(next.snapshot));
  const route::Snapshot& to = *next.snapshot;
  const route::Snapshot& from = generation_->snapshot();
  stats_.traffic.grow(to.routes.size());
  for (uint32_t i = 0; i < to.routes.size(); ++i) {
    const bool was_hole = i >= from.routes.size() || from.routes[i].key.empty();
    if (was_hole && !to.routes[i].key.empty()) stats_.traffic.clear(i);
  }
  upstreams_.adopt(to.upstreams, next.targets);
  upstreams_.pipes().want(to.pipe_bytes);
  mirrors_.limit(to.limits.mirrors);
  channels_ = next.channels;
  for (const auto& channel : channels_) {
    if (channel) desk_of(channel);
  }
  adopt_feeds(generation, next.channels);
  exchange_limits_ = exchange_limits_of(to);
  inner_limits_ = without_patience(exchange_limits_);
  live_.each([&](Connection& connection) { connection.adopt(generation); });
  generation_ = generation;
  serving_ = generation_.get();
  set_date();
  adopt_tls(next);
  for (size_t i = 0; i < opened.size(); ++i) {
    if (!opened[i].valid()) continue;
    const auto number = static_cast<uint16_t>(i);
    note_port(number, opened[i].get());
    acceptors_.push_back(std::make_unique<Acceptor>(*this, opened[i].release(), number));
    acceptors_.back()->resume();
  }
}

/// Whoever has connected to a listener that speaks no TLS any more may still begin its handshake:
/// the context stays until the number has another one.
void Worker::adopt_tls(const Replacement& next) {
  if (tls_.size() < next.tls.size()) tls_.resize(next.tls.size());
  for (size_t i = 0; i < next.tls.size(); ++i) {
    if (next.tls[i]) tls_[i] = next.tls[i];
  }
  replace_tickets(next.tickets);
}

/// With the rules that they had: those who have connected already have their first turn.
void Worker::close_listeners(const std::vector<uint16_t>& numbers) {
  for (auto& acceptor : acceptors_) {
    if (std::ranges::find(numbers, acceptor->listener()) == numbers.end()) continue;
    acceptor->stop();
    // Events of this turn may still name it.
    stopped_acceptors_.push_back(std::move(acceptor));
  }
  std::erase(acceptors_, nullptr);
  if (!numbers.empty()) run_ready();
}

void Worker::end_generation(uint64_t number) {
  live_.each([number](Connection& connection) { connection.leave(number); });
  mirrors_.end_generation(number);
  for (auto& desk : desks_) {
    if (desk && desk->feed && desk->feed->generation() == number) {
      desk->feed->stop(ErrorCode::draining);
    }
  }
}

void Worker::drain() {
  if (draining_) return;
  draining_ = true;
  // The app may have something to ask for until the last request has its answer.
  for (auto& acceptor : acceptors_) {
    if (!rules(acceptor->listener()).is_inner) acceptor->stop();
  }
  wheel_.set(*last_call_, now_ms() + snapshot().timeouts.drain);
  live_.each([](Connection& connection) { connection.drain(); });
  mirrors_.drain();
}

void Worker::stop() {
  stopping_ = true;
  for (auto& acceptor : acceptors_) acceptor->stop();
  live_.each([](Connection& connection) { connection.close(ErrorCode::draining); });
  mirrors_.stop();
}

}  // namespace sluice::worker
