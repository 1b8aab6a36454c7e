// See proof.h. The numbers are those of RFC 9449 section 4.3.
#include "identity/proof.h"

#include "base/text.h"
#include "identity/jose.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t max_proof_bytes = 4u << 10;
constexpr std::size_t max_id_bytes = 256;

std::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::unauthenticated, "The proof (DPoP) is refused: " + std::move(why) + ".");
}

// Scheme and authority without regard to case; the default port and a missing path are what they
// stand for. Query and fragment do not count.
std::string normal(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  const auto path_at = url.find('/', scheme_end + 3);
  std::string out = to_lower(url.substr(0, path_at));
  for (const auto& [scheme, port] : {std::pair{"https://", ":443"}, std::pair{"http://", ":80"}})
    if (out.starts_with(scheme) && out.ends_with(port))
      out.resize(out.size() - std::string_view(port).size());
  out += path_at == std::string_view::npos ? "/" : url.substr(path_at);
  return out;
}

}  // namespace

Result<Proof> check_proof(std::string_view proof, std::string_view method, std::string_view url,
                          std::string_view token, WallTime now) {
  if (proof.size() > max_proof_bytes) return refuse("it is too long");  // 1
  auto jws = parse_jws(proof, true);                                    // 2, 5
  if (!jws) return refuse(jws.error().message);
  if (jws->type != "dpop+jwt") return refuse("its type is not dpop+jwt");  // 4
  const auto key = jws->header.contains("jwk") ? parse_jwk(jws->header["jwk"])
                                               : fail(ErrorCode::not_found, "it has no key");
  if (!key) return refuse(key.error().message);  // 7
  if (!key->usable_for(jws->algorithm) || !verify(*jws, key->key))
    return refuse("its signature is wrong");                                                 // 6
  if (text_member(jws->claims, "htm") != method) return refuse("it is for another method");  // 8
  const std::string here = normal(url);
  if (here.empty() || normal(text_member(jws->claims, "htu")) != here)
    return refuse("it is for another address");  // 9
  const auto made = time_member(jws->claims, "iat");
  if (!made || *made > now + proof_lifetime || *made + proof_lifetime < now)
    return refuse("it was not made just now");  // 11
  if (!token.empty() &&
      text_member(jws->claims, "ath") != to_base64url(crypto::sha256(bytes_of(token))))
    return refuse("it is for another token");  // 12
  Proof out;
  out.thumbprint = key->thumbprint;
  out.id = text_member(jws->claims, "jti");
  if (out.id.empty() || out.id.size() > max_id_bytes) return refuse("it has no usable id");  // 3
  out.nonce = text_member(jws->claims, "nonce");
  out.useless_from = *made + proof_lifetime;
  return out;
}

}  // namespace gatehouse::identity
