// Reading certificates and keys, and the settings of every OpenSSL context. Certificates that are
// for the same names share a context, which then offers RSA and ECDSA to whoever prefers either.
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>
#include <set>

#include "net/capabilities.h"
#include "net/tls_files.h"
#include "net/tls_session.h"

namespace sluice::net {
namespace {

/// TLS 1.2 with forward secrecy and authenticated encryption only; those of 1.3 are all like that.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
/// Tickets are good this long, if their key is still there.
constexpr long kSessionS = 24 * 3600;
constexpr unsigned char kHttp[] = "\x08http/1.1";

/// RFC 7301 §3.2: a client that offers protocols, but not ours, is told so and goes.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned offered_length, void*) {
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, length, kHttp, sizeof kHttp - 1, offered, offered_length);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// One label may stand for the star: "*.example.com" is "a.example.com", not "a.b.example.com".
int choose_name(SSL* ssl, int*, void* context) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* found = static_cast<const TlsContext*>(context)->find(name);
  if (found == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (found != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, found);
  return SSL_TLSEXT_ERR_OK;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (lower.ends_with('.')) lower.pop_back();
  return lower;
}

}  // namespace

/// Makes one TlsContext; collects what is wrong instead of stopping at the first.
class TlsLoader {
 public:
  TlsLoader(const TlsSettings& settings, std::vector<TlsProblem>& problems)
      : settings_(settings), problems_(problems), result_(new TlsContext()) {}

  Ref<const TlsContext> load() {
    const size_t before = problems_.size();
    read_files();
    if (problems_.size() > before || pairs_.empty()) return {};
    // Certificates by name; whoever has the same ones shares a context. The first one's comes
    // first.
    std::map<std::string, std::vector<size_t>> owners;
    for (size_t i = 0; i < pairs_.size(); ++i) {
      for (const std::string& name : pairs_[i].names) owners[lower_case(name)].push_back(i);
    }
    const auto& first_names = pairs_.front().names;
    usual_ = first_names.empty() ? std::vector<size_t>{0} : owners[lower_case(first_names[0])];
    context_of(usual_);
    for (const auto& [name, indexes] : owners) result_->names_[name] = context_of(indexes);
    for (TlsPair& pair : pairs_) note(pair);
    if (problems_.size() > before) return {};
    return Ref<const TlsContext>(result_.get());
  }

 private:
  void read_files() {
    for (size_t i = 0; i < settings_.certificates.size(); ++i) {
      const std::string option = "certificates[" + std::to_string(i) + "].";
      pairs_.push_back(read_tls_pair(settings_.certificates[i], option, problems_));
    }
    if (settings_.clients == TlsSettings::Clients::any) return;
    client_ca_ = read_tls_certificates(settings_.client_ca, "mtls.ca", problems_);
  }

  void note(TlsPair& pair) {
    TlsStaple& staple = pair.staple;
    X509* own = pair.chain.front().get();
    TlsFacts facts{pair.names.empty() ? "" : pair.names.front(), tls_time(X509_get0_notAfter(own)),
                   staple.expires, staple.problem};
    if (staple.response.empty()) facts.ocsp_expires = 0;
    result_->facts_.push_back(std::move(facts));
    if (staple.response.empty()) return;
    // A context has its own reference: the certificate lives as long.
    result_->statuses_.push_back({own, std::move(staple.response), staple.begins, staple.expires});
  }

  SSL_CTX* context_of(const std::vector<size_t>& indexes) {
    SSL_CTX*& made = made_[indexes];
    if (made != nullptr) return made;
    made = SSL_CTX_new(TLS_server_method());
    if (made == nullptr) {
      add_problem("certificates", "", take_tls_error());
      return nullptr;
    }
    result_->contexts_.push_back(made);
    set_rules(made);
    std::set<int> kinds;
    for (size_t index : indexes) {
      // Of the same kind for the same name the first wins.
      if (kinds.insert(EVP_PKEY_base_id(pairs_[index].key.get())).second) use_pair(made, index);
    }
    if (settings_.clients != TlsSettings::Clients::any) ask_clients(made);
    return made;
  }

  void set_rules(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, settings_.least_is_13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_clear_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_cipher_list(context, kCiphers);
    SSL_CTX_set1_groups_list(context, kGroups);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, kSessionS);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, TlsSession::on_ticket);
    SSL_CTX_set_tlsext_servername_callback(context, choose_name);
    SSL_CTX_set_tlsext_servername_arg(context, result_.get());
    SSL_CTX_set_tlsext_status_cb(context, TlsContext::on_status_request);
    SSL_CTX_set_tlsext_status_arg(context, result_.get());
    if (settings_.is_http) SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    const std::array<uint8_t, 32> id = session_id();
    SSL_CTX_set_session_id_context(context, id.data(), id.size());
    result_->may_use_kernel_ = !settings_.copy_only && available(Feature::kernel_tls);
    if (result_->may_use_kernel_) SSL_CTX_set_options(context, SSL_OP_ENABLE_KTLS);
  }

  /// A session goes on only where the same is asked of clients: one that was made without a
  /// certificate must not open a listener that requires one.
  std::array<uint8_t, 32> session_id() const {
    std::string rules = std::to_string(static_cast<int>(settings_.clients));
    for (const X509Pointer& each : client_ca_) {
      std::array<uint8_t, SHA256_DIGEST_LENGTH> digest{};
      X509_digest(each.get(), EVP_sha256(), digest.data(), nullptr);
      rules.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    }
    std::array<uint8_t, 32> id{};
    SHA256(reinterpret_cast<const uint8_t*>(rules.data()), rules.size(), id.data());
    return id;
  }

  void use_pair(SSL_CTX* context, size_t index) {
    const TlsPair& pair = pairs_[index];
    const std::string option = "certificates[" + std::to_string(index) + "].";
    const TlsCertificate& files = settings_.certificates[index];
    ERR_clear_error();
    if (SSL_CTX_use_certificate(context, pair.chain.front().get()) != 1) {
      return add_problem(option + "cert", files.certificate, take_tls_error());
    }
    for (size_t i = 1; i < pair.chain.size(); ++i) {
      if (SSL_CTX_add1_chain_cert(context, pair.chain[i].get()) != 1) {
        return add_problem(option + "cert", files.certificate, take_tls_error());
      }
    }
    if (SSL_CTX_use_PrivateKey(context, pair.key.get()) != 1) {
      add_problem(option + "key", files.key, take_tls_error());
    }
  }

  void ask_clients(SSL_CTX* context) {
    const bool is_required = settings_.clients == TlsSettings::Clients::required;
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    for (const X509Pointer& each : client_ca_) {
      if (X509_STORE_add_cert(store, each.get()) != 1 ||
          SSL_CTX_add_client_CA(context, each.get()) != 1) {
        return add_problem("mtls.ca", settings_.client_ca, take_tls_error());
      }
    }
  }

  void add_problem(std::string option, std::string file, std::string reason) {
    problems_.push_back({std::move(option), std::move(file), std::move(reason)});
  }

  const TlsSettings& settings_;
  std::vector<TlsProblem>& problems_;
  Ref<TlsContext> result_;
  std::vector<TlsPair> pairs_;
  std::vector<X509Pointer> client_ca_;
  std::vector<size_t> usual_;
  std::map<std::vector<size_t>, SSL_CTX*> made_;
};

Ref<const TlsContext> TlsContext::load(const TlsSettings& settings,
                                       std::vector<TlsProblem>& problems) {
  return TlsLoader(settings, problems).load();
}

/// What is out of date is worse than nothing: clients then refuse the connection.
int TlsContext::on_status_request(ssl_st* ssl, void* context) {
  const X509* chosen = SSL_get_certificate(ssl);
  const int64_t now = time(nullptr);
  for (const Status& status : static_cast<const TlsContext*>(context)->statuses_) {
    if (status.certificate != chosen || now < status.begins || now >= status.expires) continue;
    auto* copy =
        static_cast<unsigned char*>(OPENSSL_memdup(status.response.data(), status.response.size()));
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(status.response.size()));
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

TlsContext::~TlsContext() {
  for (SSL_CTX* context : contexts_) SSL_CTX_free(context);
}

ssl_ctx_st* TlsContext::find(std::string_view name) const {
  std::string wanted = lower_case(name);
  auto found = names_.find(wanted);
  if (found == names_.end()) {
    const size_t dot = wanted.find('.');
    if (dot == std::string::npos) return nullptr;
    found = names_.find("*" + wanted.substr(dot));
  }
  return found == names_.end() ? nullptr : found->second;
}

const char* tls_library() { return OpenSSL_version(OPENSSL_VERSION); }

bool tls_library_knows_kernel() {
#ifdef OPENSSL_NO_KTLS
  return false;
#else
  return true;
#endif
}

}  // namespace sluice::net
