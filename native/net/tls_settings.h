// What the configuration says of TLS on one listener: plain owned data. Files are named, not held:
// they are read when a context is made of this (net/tls_context.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::net {

/// Absolute paths of PEM files.
struct TlsCertificate {
  std::string certificate;  ///< the server's own first, then those between it and the root
  std::string key;
  std::string ocsp;  ///< DER, what its authority says of it; empty: nothing is told to clients
};

/// What is known of a certificate in use. Times are seconds since 1970.
struct TlsFacts {
  std::string name;          ///< the first that it is for; may be empty
  int64_t expires = 0;       ///< the certificate
  int64_t ocsp_expires = 0;  ///< what its authority says; 0: there is nothing to tell clients
  std::string ocsp_problem;  ///< why not, though a file is named
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
