// Making, keeping and ending connections to targets. A connection stays registered in the loop from
// its first turn to its end, edge-triggered: no epoll_ctl per request.
#include "proxy/upstreams.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/hash.h"
#include "core/limits.h"
#include "net/sys.h"

namespace sluice::proxy {

Upstreams::Upstreams(Surroundings surroundings, const std::vector<route::Upstream>& configs,
                     std::shared_ptr<QueueCounts> queued)
    : around_(surroundings), queued_(std::move(queued)), pools_(configs.size()) {
  for (size_t i = 0; i < configs.size(); ++i) begin(pools_[i], configs[i]);
}

void Upstreams::begin(Pool& pool, const route::Upstream& config) {
  pool = Pool();
  pool.config = config;
  pool.config.targets.clear();  // those of the start: they are in the set
  pool.is_hole = config.name.empty();
  pool.set = make_ref<const TargetSet>(std::vector<TargetEntry>());
  // Workers must not choose in step.
  pool.balancer = Balancer(hash_seed() ^ reinterpret_cast<uintptr_t>(&pool));
}

void Upstreams::adopt(const std::vector<route::Upstream>& configs,
                      const std::vector<Ref<const TargetSet>>& sets) {
  if (pools_.size() < configs.size()) pools_.resize(configs.size());
  for (uint32_t i = 0; i < pools_.size(); ++i) {
    Pool& pool = pools_[i];
    const bool is_hole = i >= configs.size() || configs[i].name.empty();
    if (!is_hole && pool.is_hole) {
      begin(pool, configs[i]);
      replace(i, sets[i]);
    } else if (is_hole && !pool.is_hole) {
      pool.is_hole = true;
      pool.config.idle_connections = 0;
      close_idle(pool);
    }
  }
}

Upstreams::~Upstreams() {
  close_idle();
  remove_dead();
}

void Upstreams::replace(uint32_t upstream, Ref<const TargetSet> set) {
  Pool& pool = pools_[upstream];
  std::vector<Idle> idle;
  for (const TargetEntry& entry : set->entries) {
    Idle* before =
        entry.state == route::TargetState::draining ? nullptr : idle_of(pool, *entry.target);
    idle.push_back({entry.target.get(), {}});
    if (before != nullptr) idle.back().connections.swap(before->connections);
  }
  std::vector<Idle> gone = std::exchange(pool.idle, std::move(idle));
  pool.set = std::move(set);
  pool.has_room = true;  // perhaps for those who wait
  for (Idle& left : gone) {
    // close() looks for them in the new list, where they are not.
    for (UpstreamConnection* connection : left.connections) close(*connection);
  }
}

Upstreams::Chosen Upstreams::choose(uint32_t upstream, const Selection& selection) {
  Pool& pool = pools_[upstream];
  for (;;) {
    const int index = pool.balancer.choose(pool.config, *pool.set, selection, now_us());
    if (index < 0) return {nullptr, pool.balancer.would_take(*pool.set, selection)};
    const TargetEntry& entry = pool.set->entries[static_cast<size_t>(index)];
    // Another worker may have taken the last place meanwhile: then there is one candidate less.
    const bool is_trial = pool.balancer.chose_trial();
    if (entry.target->enter(entry.max_connections)) return {entry.target.get(), false, is_trial};
    if (is_trial) entry.target->end_trial();
  }
}

void Upstreams::note_request(uint32_t upstream) {
  double& left = pools_[upstream].retries_left;
  left = std::min(left + kRetryShare, kRetryReserve);
}

void Upstreams::leave(uint32_t upstream, Target& target) {
  target.active.fetch_sub(1, std::memory_order_relaxed);
  if (pools_[upstream].is_hole) return leave_hole();
  if ((*queued_)[upstream].load(std::memory_order_relaxed) == 0) return;
  Pool& pool = pools_[upstream];
  if (pool.waiting.empty()) {
    if (tell_others_) tell_others_(upstream);
  } else {
    pool.has_room = true;
  }
}

/// A target may have gone to another upstream when its own left.
void Upstreams::leave_hole() {
  for (uint32_t upstream = 0; upstream < pools_.size(); ++upstream) {
    if ((*queued_)[upstream].load(std::memory_order_relaxed) == 0) continue;
    pools_[upstream].has_room = true;
    if (tell_others_) tell_others_(upstream);
  }
}

bool Upstreams::enter_queue(uint32_t upstream, UpstreamUser& user) {
  Pool& pool = pools_[upstream];
  if (pool.waiting.size() >= pool.config.queue_length) return false;
  pool.waiting.push_back(&user);
  (*queued_)[upstream].fetch_add(1, std::memory_order_relaxed);
  // A place that came free between the choice and now was told to nobody.
  pool.has_room = true;
  return true;
}

void Upstreams::leave_queue(uint32_t upstream, UpstreamUser& user) {
  std::deque<UpstreamUser*>& waiting = pools_[upstream].waiting;
  const auto found = std::ranges::find(waiting, &user);
  if (found == waiting.end()) return;
  waiting.erase(found);
  (*queued_)[upstream].fetch_sub(1, std::memory_order_relaxed);
}

void Upstreams::wake_waiting() {
  for (Pool& pool : pools_) {
    if (!std::exchange(pool.has_room, false)) continue;
    while (!pool.waiting.empty()) {
      UpstreamUser* first = pool.waiting.front();
      first->on_upstream();
      if (!pool.waiting.empty() && pool.waiting.front() == first) break;  // no place after all
    }
  }
}

bool Upstreams::may_retry(uint32_t upstream, const Selection& selection) {
  Pool& pool = pools_[upstream];
  double& left = pool.retries_left;
  if (left < 1 || !Balancer::has_other(pool.config, *pool.set, selection, now_us())) return false;
  left -= 1;
  return true;
}

Upstreams::Idle* Upstreams::idle_of(Pool& pool, const Target& target) {
  const auto found = std::ranges::find(pool.idle, &target, &Idle::target);
  return found == pool.idle.end() ? nullptr : &*found;
}

UpstreamConnection* Upstreams::take_idle(uint32_t upstream, Target& target, bool verified) {
  Idle* idle = idle_of(pools_[upstream], target);
  while (idle != nullptr && !idle->connections.empty()) {
    UpstreamConnection* connection = idle->connections.back();
    idle->connections.pop_back();
    bool is_live = !connection->socket_.readable && !connection->is_broken_ &&
                   now_us() / 1000 < connection->idle_until_ms_;
    if (is_live && verified) is_live = connection->is_silent();
    if (is_live) return connection;
    close(*connection);
  }
  return nullptr;
}

UpstreamConnection* Upstreams::connect(uint32_t upstream, Target& target, int& error) {
  const sockaddr_storage& address = target.address.storage;
  const int family = address.ss_family;
  constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  int fd = sys::socket(family, kType, 0);
  if (fd == -EMFILE || fd == -ENFILE) {
    // Connections that nobody uses now are the first to go.
    close_idle();
    fd = sys::socket(family, kType, 0);
  }
  if (fd < 0) {
    error = fd;
    return nullptr;
  }
  if (family != AF_UNIX) {
    int on = 1;
    sys::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  target.connects.fetch_add(1, std::memory_order_relaxed);
  error = sys::connect(fd, reinterpret_cast<const sockaddr*>(&address), target.address.length);
  if (error < 0 && error != -EINPROGRESS) {
    sys::close(fd);
    return nullptr;
  }
  UpstreamConnection* connection = slab_.create(*this, upstream, Ref<Target>(&target), fd);
  connection->is_connected_ = error == 0;
  // What is not connected yet can neither be read nor written; the loop says when.
  connection->socket_.readable = false;
  connection->socket_.writable = connection->is_connected_;
  const int added = around_.loop.add(fd, net::kSocketEvents, connection);
  if (added < 0) {
    error = added;
    close(*connection);
    return nullptr;
  }
  error = 0;
  return connection;
}

void Upstreams::keep(UpstreamConnection& connection, int64_t idle_ms) {
  connection.user_ = nullptr;
  ++connection.requests_;
  Pool& pool = pools_[connection.upstream_];
  Idle* idle = idle_of(pool, *connection.target_);
  const bool has_room =
      idle != nullptr && idle_ms > 0 && idle->connections.size() < pool.config.idle_connections;
  const bool is_fit = has_room && !connection.is_broken_ && !connection.socket_.peer_ended &&
                      connection.unread_.empty() &&
                      (!connection.socket_.readable || connection.is_silent());
  if (!is_fit) return close(connection);
  set_deaf(connection, false);
  connection.socket_.readable = false;
  connection.idle_until_ms_ = now_us() / 1000 + idle_ms;
  idle->connections.push_back(&connection);
  // A timer that is armed is earlier: it comes up, sees that it is too early, and is set again.
  if (connection.previous == nullptr) around_.wheel.set(connection, connection.idle_until_ms_);
}

void Upstreams::expire(UpstreamConnection& connection) {
  if (now_us() / 1000 >= connection.idle_until_ms_) return close(connection);
  around_.wheel.set(connection, connection.idle_until_ms_);
}

void Upstreams::forget_idle(UpstreamConnection& connection) {
  Idle* idle = idle_of(pools_[connection.upstream_], *connection.target_);
  if (idle != nullptr) std::erase(idle->connections, &connection);
}

void Upstreams::close(UpstreamConnection& connection) {
  if (connection.is_closed_) return;
  connection.is_closed_ = true;
  if (connection.user_ == nullptr) forget_idle(connection);
  connection.user_ = nullptr;
  connection.unread_ = {};
  around_.wheel.cancel(connection);
  around_.loop.remove(connection.socket_.fd);  // see worker/connection.cc
  sys::close(connection.socket_.fd);
  dead_.push_back(&connection);
}

void Upstreams::close_idle() {
  for (Pool& pool : pools_) close_idle(pool);
}

void Upstreams::close_idle(Pool& pool) {
  for (Idle& idle : pool.idle) {
    for (UpstreamConnection* connection : std::exchange(idle.connections, {})) close(*connection);
  }
}

void Upstreams::remove_dead() {
  if (dead_.empty()) return;
  for (UpstreamConnection* connection : dead_) slab_.destroy(connection);
  dead_.clear();
}

std::span<char> Upstreams::scratch() {
  if (scratch_.empty()) scratch_.resize(kScratchBytes);
  return scratch_;
}

}  // namespace sluice::proxy
