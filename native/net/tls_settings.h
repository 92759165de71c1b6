// What the configuration says of TLS on one listener: plain owned data. Files are named, not held:
// they are read when a context is made of this (net/tls_context.h).
#pragma once

#include <string>
#include <vector>

namespace sluice::net {

/// Absolute paths of PEM files.
struct TlsCertificate {
  std::string certificate;  ///< the server's own first, then those between it and the root
  std::string key;
};

struct TlsSettings {
  enum class Clients : uint8_t {
    any,       ///< not asked for a certificate
    optional,  ///< asked; one that is sent must be good
    required
  };

  std::vector<TlsCertificate> certificates;  ///< the first is for names that none has
  Clients clients = Clients::any;
  std::string client_ca;     ///< PEM file: who signs certificates of clients
  bool least_is_13 = false;  ///< TLS 1.2 is refused
  bool is_http = true;       ///< ALPN names http/1.1; else nothing is negotiated
  bool copy_only = false;    ///< the kernel is not asked to encrypt
};

/// Why a file cannot be used.
struct TlsProblem {
  std::string option;  ///< "certificates[0].key"
  std::string file;
  std::string reason;  ///< in OpenSSL's words, or the system's
};

}  // namespace sluice::net
