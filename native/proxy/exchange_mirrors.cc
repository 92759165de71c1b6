// What an exchange makes of its route's mirrors: which of them get the request, with which head,
// and when they have all of it. From then on they are on their own.
#include "core/hash.h"
#include "proxy/exchange.h"
#include "proxy/mirrors.h"

namespace sluice::proxy {
namespace {

/// The same in every process: gateways in a row choose the same requests.
constexpr uint64_t kShareSeed = 0x6d6972726f72ULL;

/// The number that a request has among kWholeShare.
uint32_t lot_of(const http::RequestHead& head, const route::ProxyAction& action,
                const Asker& asker) {
  const std::string_view sent = request_id_for(head, action, asker);
  const std::string_view id = sent.empty() ? asker.request_id : sent;
  return static_cast<uint32_t>(hash_bytes(id, kShareSeed) % route::kWholeShare);
}

}  // namespace

/// Upgrades are not mirrored: what goes through a tunnel is no request.
void Exchange::begin_mirrors(const http::RequestHead& head, const route::Match& match,
                             const Asker& asker) {
  Mirrors* mirrors = upstreams_.mirrors();
  if (mirrors == nullptr || shape_.wants_upgrade) return;
  const uint32_t lot = lot_of(head, action_, asker);
  for (const route::MirrorRule& rule : action_.mirrors) {
    if (lot >= rule.share) continue;
    Selection selection;
    const route::Upstream& config = upstreams_.config(rule.upstream);
    if (config.balance == route::Balance::hash) selection.hash = hash_of(head, config, asker);
    const Upstreams::Chosen chosen = mirrors->choose(rule, selection);
    if (chosen.target == nullptr) continue;
    MirrorRequest request;
    request.head = preface(rule.upstream);
    append_mirror_head(head, match, action_, asker, chosen.target->authority, rule.target_host,
                       request.head);
    request.framing = shape_.framing;
    request.content_length = shape_.content_length;
    request.is_head = shape_.is_head;
    request.copies = action_.copy_only;
    request.hold = downstream_.hold();
    Mirror* mirror = mirrors->begin(rule, chosen, std::move(request));
    if (mirror == nullptr) continue;
    if (!feed_) feed_ = std::make_unique<MirrorFeed>();
    feed_->add(*mirror);
  }
  if (feed_) request_.tap(feed_.get());
}

void Exchange::complete_mirrors() {
  request_.tap(nullptr);
  feed_->complete(request_.chunked_end());
  feed_.reset();
}

}  // namespace sluice::proxy
