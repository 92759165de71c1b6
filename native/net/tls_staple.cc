// Reading what an authority says of a certificate (OCSP, RFC 6960) out of a file that others fetch.
// Nobody is refused for what is wrong with it: the certificate is used, and nothing is told of it.
// Its signature is for the client to check, who knows whom to believe.
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <ctime>
#include <memory>

#include "net/tls_files.h"

namespace sluice::net {
namespace {

struct ResponseFree {
  void operator()(OCSP_RESPONSE* response) const { OCSP_RESPONSE_free(response); }
};
struct BasicFree {
  void operator()(OCSP_BASICRESP* basic) const { OCSP_BASICRESP_free(basic); }
};
struct IdFree {
  void operator()(OCSP_CERTID* id) const { OCSP_CERTID_free(id); }
};
using ResponsePointer = std::unique_ptr<OCSP_RESPONSE, ResponseFree>;
using BasicPointer = std::unique_ptr<OCSP_BASICRESP, BasicFree>;
using IdPointer = std::unique_ptr<OCSP_CERTID, IdFree>;

/// By its number, and by its authority where that is in the chain.
bool is_about(OCSP_CERTID* id, const std::vector<X509Pointer>& chain) {
  X509* certificate = chain.front().get();
  ASN1_OBJECT* digest = nullptr;
  ASN1_INTEGER* number = nullptr;
  OCSP_id_get0_info(nullptr, &digest, nullptr, &number, id);
  if (ASN1_INTEGER_cmp(number, X509_get0_serialNumber(certificate)) != 0) return false;
  if (chain.size() < 2) return true;
  const EVP_MD* kind = EVP_get_digestbyobj(digest);
  if (kind == nullptr) return false;
  const IdPointer expected(OCSP_cert_to_id(kind, certificate, chain[1].get()));
  return expected && OCSP_id_cmp(expected.get(), id) == 0;
}

OCSP_SINGLERESP* find_answer(OCSP_BASICRESP* basic, const std::vector<X509Pointer>& chain) {
  for (int i = 0; i < OCSP_resp_count(basic); ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic, i);
    auto* id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single));
    if (is_about(id, chain)) return single;
  }
  return nullptr;
}

/// Why it is of no use; empty: it is good, and its times are in `staple`.
std::string judge(TlsStaple& staple, const std::vector<X509Pointer>& chain) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(staple.response.data());
  const ResponsePointer response(
      d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(staple.response.size())));
  if (!response) return "it is no OCSP response (DER)";
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return std::string("it is an answer without a verdict: ") + OCSP_response_status_str(status);
  }
  const BasicPointer basic(OCSP_response_get1_basic(response.get()));
  if (!basic) return "it is no OCSP response (DER)";
  OCSP_SINGLERESP* answer = find_answer(basic.get(), chain);
  if (answer == nullptr) return "it is about another certificate";
  ASN1_GENERALIZEDTIME *begins = nullptr, *expires = nullptr;
  const int verdict = OCSP_single_get0_status(answer, nullptr, nullptr, &begins, &expires);
  if (verdict != V_OCSP_CERTSTATUS_GOOD) {
    return std::string("it says that the certificate is ") + OCSP_cert_status_str(verdict);
  }
  staple.begins = begins == nullptr ? 0 : tls_time(begins);
  staple.expires = expires == nullptr ? INT64_MAX : tls_time(expires);
  return staple.expires <= time(nullptr) ? "it is out of date" : "";
}

}  // namespace

int64_t tls_time(const ASN1_TIME* time) {
  tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

TlsStaple read_tls_staple(const std::string& path, const std::vector<X509Pointer>& chain) {
  TlsStaple staple;
  if (read_tls_file(path, staple.response, staple.problem)) staple.problem = judge(staple, chain);
  ERR_clear_error();
  if (!staple.problem.empty()) staple.response.clear();
  return staple;
}

}  // namespace sluice::net
