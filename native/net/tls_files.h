// Certificates and keys as they come out of PEM files. Main thread; only net/tls_* see OpenSSL.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "net/tls_settings.h"

namespace sluice::net {

struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using X509Pointer = std::unique_ptr<X509, X509Free>;
struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, KeyFree>;

struct TlsPair {
  std::vector<X509Pointer> chain;  ///< the server's own first
  KeyPointer key;
  std::vector<std::string> names;  ///< DNS names that it is for; may begin with "*."
};

/// What is wrong is added to `problems`; `option` ends with a dot: "certificates[0].".
TlsPair read_tls_pair(const TlsCertificate& files, const std::string& option,
                      std::vector<TlsProblem>& problems);
std::vector<X509Pointer> read_tls_certificates(const std::string& path, const std::string& option,
                                               std::vector<TlsProblem>& problems);

/// The reason of the last error of this thread, in OpenSSL's words; forgets all of them.
std::string take_tls_error();

}  // namespace sluice::net
