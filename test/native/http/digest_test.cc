// Content-Digest and Repr-Digest: which sha-256 a head promises, and what is malformed.
#include "http/digest.h"

#include "http/request_parser.h"
#include "testing.h"

using namespace sluice::http;
using sluice::Sha256Digest;

namespace {

constexpr const char* kOfEmpty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

DigestCheck check(const std::string& fields, Sha256Digest& digest) {
  static RequestHead head;
  const std::string request = "PUT / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  const ParseResult parsed = parse_request(request, 0, {4096, 1024, 64}, head);
  CHECK(parsed.status == ParseStatus::ok);
  return find_digest(head, digest);
}

}  // namespace

TEST(digest_of_either_field_in_any_place) {
  const std::string value = std::string("sha-256=:") + kOfEmpty + ":";
  for (const std::string& fields :
       {"Content-Digest: " + value + "\r\n", "repr-digest:  " + value + " \r\n",
        "Content-Digest: sha-512=:AAAA:, " + value + "\r\n",
        "Content-Digest: " + value + ",sha-512=:AAAA:\r\nRepr-Digest: " + value + "\r\n"}) {
    Sha256Digest digest{};
    CHECK(check(fields, digest) == DigestCheck::found);
    CHECK(digest == sluice::Sha256().finish());
  }
}

TEST(digest_of_others_is_none) {
  Sha256Digest digest{};
  CHECK(check("", digest) == DigestCheck::none);
  CHECK(check("Content-Digest: sha-512=:AAAA:\r\n", digest) == DigestCheck::none);
  CHECK(check("Digest: sha-256=x\r\n", digest) == DigestCheck::none);
}

TEST(digest_malformed) {
  Sha256Digest digest{};
  const std::string good = kOfEmpty;
  for (const std::string& value :
       {std::string("sha-256"), std::string("sha-256=abc"), std::string("sha-256=:abc:"),
        "sha-256=:" + good, "sha-256=:" + good + ": x", "sha-256=:" + good + ":,",
        "sha-256=:" + good.substr(0, 43) + "A:", "sha-256=:!" + good.substr(1) + ":",
        "sha-256=:" + good.substr(0, 42) + "V=:",
        "sha-256=:" + good + ":, sha-256=:" + "A" + good.substr(1) + ":"}) {
    CHECK(check("Content-Digest: " + value + "\r\n", digest) == DigestCheck::malformed);
  }
}
