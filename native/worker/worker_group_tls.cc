// The part of the workers' group that is about TLS: certificates of the listeners of a snapshot,
// their replacement when files change, and the keys of session tickets. Main thread; reads files.
#include "worker/worker_group.h"

namespace sluice::worker {

/// Of every listener of `next` that speaks TLS, by number: all of them or none.
ListenError WorkerGroup::load_certificates(const GroupOptions& next,
                                           const route::Snapshot& snapshot, TlsContexts& loaded) {
  loaded.resize(snapshot.listeners.size());
  for (size_t i = 0; i < snapshot.listeners.size(); ++i) {
    const auto& settings = snapshot.listeners[i].tls;
    if (!settings || !next.listeners[i]) continue;
    std::vector<net::TlsProblem> problems;
    loaded[i] = net::TlsContext::load(*settings, problems);
    if (!loaded[i]) return {{-EINVAL, "certificates"}, *next.listeners[i], problems};
    if (!shared_.tickets) shared_.tickets = net::next_ticket_keys(nullptr);
  }
  return {};
}

std::vector<net::TlsProblem> WorkerGroup::reload_certificates(uint16_t listener) {
  std::vector<net::TlsProblem> problems;
  const auto& listeners = snapshot().listeners;
  if (listener >= listeners.size() || !listeners[listener].tls) return problems;
  auto context = net::TlsContext::load(*listeners[listener].tls, problems);
  if (!context) return problems;
  if (listener < shared_.tls.size()) shared_.tls[listener] = context;
  for (auto& worker : workers_) {
    worker->post([listener, context](Worker& there) { there.replace_tls(listener, context); });
  }
  return problems;
}

std::vector<net::TlsFacts> WorkerGroup::certificates(uint16_t listener) const {
  if (listener >= shared_.tls.size() || !shared_.tls[listener]) return {};
  return shared_.tls[listener]->facts();
}

void WorkerGroup::rotate_tickets() {
  auto next = net::next_ticket_keys(shared_.tickets.get());
  if (!next || !shared_.tickets) return;
  shared_.tickets = next;
  for (auto& worker : workers_) {
    worker->post([next](Worker& there) { there.replace_tickets(next); });
  }
}

std::string WorkerGroup::ticket_keys() const {
  return shared_.tickets ? net::pack_ticket_keys(*shared_.tickets) : std::string();
}

/// Behind a key of our own: where one process follows another often, keys change all the same.
bool WorkerGroup::adopt_tickets(std::string_view keys) {
  const auto before = net::unpack_ticket_keys(keys);
  if (!before || !workers_.empty()) return false;
  shared_.tickets = net::next_ticket_keys(before.get());
  return shared_.tickets.get() != nullptr;
}

}  // namespace sluice::worker
