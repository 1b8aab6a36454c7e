// Tokens, sets of keys, proofs and delegation tokens from outside: whatever bytes come, they are
// refused or read, and what is read was bounded.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "identity/access_token.h"
#include "identity/delegation.h"
#include "identity/proof.h"
#include "identity/spiffe.h"

using namespace gatehouse;
using namespace gatehouse::identity;

namespace {

const WallTime now(std::chrono::seconds(1'800'000'000));

void read_token(std::string_view text) {
  const auto jws = parse_jws(text);
  if (!jws) return;
  IssuerConfig issuer;
  issuer.issuer = "https://login.example.com";
  issuer.audiences = {"a"};
  issuer.algorithms = {jws->algorithm};
  issuer.types = {jws->type};
  issuer.groups_claim = "groups";
  issuer.attributes = {{"department", "dept.name"}};
  (void)issuer_of(*jws, {issuer});
  (void)verify_access_token(text, *jws, issuer, JwkSet(), now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_token(text);
  (void)JwkSet::parse(text);
  (void)parse_spiffe_id(text);
  (void)check_proof(text, "GET", "https://gateway.example.com/", "", now);
  if (auto read = inspect_delegation(text))
    if (read->parts.empty() || read->parts.size() > max_delegation_hops + 1) __builtin_trap();
  return 0;
}
