// What the TLS connections of one listener have in common: certificates and the names they are for,
// versions and ciphers, who may be a client. Made of files on the main thread, immutable then, and
// shared by all workers; when files change a new one takes its place, and connections keep theirs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ref.h"
#include "net/tls_settings.h"

struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

namespace sluice::net {

class TlsContext : public Counted<TlsContext> {
 public:
  /// Null when a file cannot be used; `problems` then says which and why, all of them.
  static Ref<const TlsContext> load(const TlsSettings& settings, std::vector<TlsProblem>& problems);
  ~TlsContext();

  /// For a client that names nobody, or somebody we do not know.
  ssl_ctx_st* usual() const { return contexts_.front(); }
  /// For a client that wants `name`, which may have capitals; null: it is nobody's.
  ssl_ctx_st* find(std::string_view name) const;
  bool may_use_kernel() const { return may_use_kernel_; }
  /// Of its certificates, in the order of the settings.
  const std::vector<TlsFacts>& facts() const { return facts_; }

 private:
  friend class TlsLoader;
  TlsContext() = default;
  static int on_status_request(ssl_st* ssl, void* context);

  /// What clients that ask are told of a certificate.
  struct Status {
    const x509_st* certificate;
    std::string response;
    int64_t begins, expires;
  };

  std::vector<ssl_ctx_st*> contexts_;
  std::unordered_map<std::string, ssl_ctx_st*> names_;  ///< lower case; "*.example.com" too
  bool may_use_kernel_ = false;
  std::vector<TlsFacts> facts_;
  std::vector<Status> statuses_;
};

/// "OpenSSL 3.0.15 …", and whether it can let the kernel encrypt.
const char* tls_library();
bool tls_library_knows_kernel();

}  // namespace sluice::net
