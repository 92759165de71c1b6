// Reading PEM files. Encrypted keys are refused: nobody is there to type a passphrase, and OpenSSL
// must never ask for one on the terminal.
#include "net/tls_files.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>

#include "net/sys.h"

namespace sluice::net {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPointer = std::unique_ptr<BIO, BioFree>;

int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* alternatives = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS) continue;
    const unsigned char* text = ASN1_STRING_get0_data(name->d.dNSName);
    names.emplace_back(reinterpret_cast<const char*>(text),
                       static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(alternatives);
  return names;
}

}  // namespace

bool read_tls_file(const std::string& path, std::string& bytes, std::string& reason) {
  const int fd = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  if (fd < 0) {
    reason = strerror(-fd);
    return false;
  }
  ssize_t got = 1;
  while (got > 0 && bytes.size() <= kTlsFileBytes) {
    const size_t had = bytes.size();
    bytes.resize(had + 16 * 1024);
    got = sys::read(fd, bytes.data() + had, bytes.size() - had);
    bytes.resize(had + static_cast<size_t>(got > 0 ? got : 0));
  }
  sys::close(fd);
  if (got < 0) reason = strerror(static_cast<int>(-got));
  if (bytes.size() > kTlsFileBytes) reason = "larger than 1 MiB: that is no such file";
  return reason.empty();
}

std::string take_tls_error() {
  unsigned long first = ERR_peek_error();
  const char* reason = first == 0 ? nullptr : ERR_reason_error_string(first);
  std::string text = reason != nullptr ? reason : "unknown error";
  // The last says it best when reading failed within something, the first when it is about PEM.
  if (ERR_GET_LIB(first) == ERR_LIB_PEM && ERR_GET_REASON(first) == PEM_R_NO_START_LINE) {
    text += " (the file has none of what is wanted, as PEM)";
  }
  ERR_clear_error();
  return text;
}

std::vector<X509Pointer> read_tls_certificates(const std::string& path, const std::string& option,
                                               std::vector<TlsProblem>& problems) {
  std::vector<X509Pointer> read;
  std::string bytes, reason;
  if (!read_tls_file(path, bytes, reason)) {
    problems.push_back({option, path, reason});
    return read;
  }
  ERR_clear_error();
  BioPointer bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  bool asked = false;
  for (;;) {
    X509Pointer each(PEM_read_bio_X509(bio.get(), nullptr, refuse_passphrase, &asked));
    if (!each) break;
    read.push_back(std::move(each));
  }
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!read.empty() && is_end) {
    ERR_clear_error();
  } else {
    problems.push_back({option, path, take_tls_error()});
  }
  return read;
}

TlsPair read_tls_pair(const TlsCertificate& files, const std::string& option,
                      std::vector<TlsProblem>& problems) {
  TlsPair pair;
  pair.chain = read_tls_certificates(files.certificate, option + "cert", problems);
  std::string bytes, reason;
  if (!read_tls_file(files.key, bytes, reason)) {
    problems.push_back({option + "key", files.key, reason});
    return pair;
  }
  ERR_clear_error();
  BioPointer bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  bool asked = false;
  pair.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &asked));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (!pair.key) {
    std::string said = take_tls_error();
    if (asked) said = "the key is encrypted, and nobody is there to type its passphrase";
    problems.push_back({option + "key", files.key, said});
  }
  if (pair.chain.empty() || !pair.key) return pair;
  if (X509_check_private_key(pair.chain.front().get(), pair.key.get()) != 1) {
    problems.push_back({option + "key", files.key, take_tls_error()});
  }
  pair.names = names_of(pair.chain.front().get());
  if (!files.ocsp.empty()) pair.staple = read_tls_staple(files.ocsp, pair.chain);
  return pair;
}

}  // namespace sluice::net
