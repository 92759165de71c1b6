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

/// What the authority of a certificate says of it (OCSP, RFC 6960), for clients that ask.
struct TlsStaple {
  std::string response;  ///< DER; empty: none
  int64_t begins = 0, expires = 0;
  std::string problem;  ///< why there is none, though a file is named
};

struct TlsPair {
  std::vector<X509Pointer> chain;  ///< the server's own first
  KeyPointer key;
  std::vector<std::string> names;  ///< DNS names that it is for; may begin with "*."
  TlsStaple staple;
};

/// Of a file with certificates or keys.
inline constexpr size_t kTlsFileBytes = 1024 * 1024;
/// The file's bytes, or the reason why not.
bool read_tls_file(const std::string& path, std::string& bytes, std::string& reason);

/// What is wrong is added to `problems`; `option` ends with a dot: "certificates[0].".
TlsPair read_tls_pair(const TlsCertificate& files, const std::string& option,
                      std::vector<TlsProblem>& problems);
std::vector<X509Pointer> read_tls_certificates(const std::string& path, const std::string& option,
                                               std::vector<TlsProblem>& problems);

/// Seconds since 1970.
int64_t tls_time(const ASN1_TIME* time);
/// Whether the file at `path` says that the first of `chain` is good is in `problem` of what comes
/// back: no reason not to use the certificate.
TlsStaple read_tls_staple(const std::string& path, const std::vector<X509Pointer>& chain);

/// The reason of the last error of this thread, in OpenSSL's words; forgets all of them.
std::string take_tls_error();

}  // namespace sluice::net
