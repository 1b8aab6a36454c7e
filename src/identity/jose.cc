// See jose.h.
#include "identity/jose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "base/text.h"

namespace gatehouse::identity {
namespace {

using crypto::SignatureAlgorithm;

constexpr std::size_t max_levels = 16;
constexpr std::size_t max_header_bytes = 4u << 10;
constexpr std::size_t max_kid_bytes = 512;
// Year 9999; beyond it a time is no time.
constexpr double latest_time = 253'402'300'799.0;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

// Keeps the first thing that is wrong while nlohmann reads.
class StrictReading {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > static_cast<int>(max_levels)) too_deep_ = true;
    if (event == Event::object_start) names_.emplace_back();
    if (event == Event::object_end && !names_.empty()) names_.pop_back();
    if (event == Event::key && !names_.empty() &&
        !names_.back().insert(parsed.get<std::string>()).second)
      twice_ = true;
    return !too_deep_;
  }
  bool twice() const { return twice_; }
  bool too_deep() const { return too_deep_; }

 private:
  std::vector<std::set<std::string>> names_;
  bool twice_ = false;
  bool too_deep_ = false;
};

Result<std::string> bytes_member(const Json& object, const char* name) {
  const std::string text = text_member(object, name);
  if (text.empty()) return refuse(std::string("the key has no \"") + name + "\"");
  return from_base64url(text);
}

std::string thumbprint_text(const Json& members) {
  return to_base64url(crypto::sha256(bytes_of(members.dump())));  // nlohmann sorts the names
}

Result<Jwk> rsa_key(const Json& object) {
  GH_ASSIGN(const std::string n, bytes_member(object, "n"));
  GH_ASSIGN(const std::string e, bytes_member(object, "e"));
  GH_ASSIGN(auto key, crypto::VerifyingKey::rsa(bytes_of(n), bytes_of(e)));
  return Jwk{{},
             {},
             std::move(key),
             thumbprint_text({{"e", object["e"]}, {"kty", "RSA"}, {"n", object["n"]}}),
             {}};
}

Result<Jwk> ec_key(const Json& object) {
  const std::string name = text_member(object, "crv");
  std::optional<crypto::Curve> curve;
  if (name == "P-256") curve = crypto::Curve::p256;
  if (name == "P-384") curve = crypto::Curve::p384;
  if (name == "P-521") curve = crypto::Curve::p521;
  if (!curve) return refuse("the curve is not known here");
  GH_ASSIGN(const std::string x, bytes_member(object, "x"));
  GH_ASSIGN(const std::string y, bytes_member(object, "y"));
  GH_ASSIGN(auto key, crypto::VerifyingKey::ec(*curve, bytes_of(x), bytes_of(y)));
  return Jwk{
      {},
      {},
      std::move(key),
      thumbprint_text({{"crv", name}, {"kty", "EC"}, {"x", object["x"]}, {"y", object["y"]}}),
      {}};
}

Result<Jwk> okp_key(const Json& object) {
  if (text_member(object, "crv") != "Ed25519") return refuse("the curve is not known here");
  GH_ASSIGN(std::string x, bytes_member(object, "x"));
  GH_ASSIGN(auto key, crypto::VerifyingKey::ed25519(bytes_of(x)));
  return Jwk{{},
             {},
             std::move(key),
             thumbprint_text({{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", object["x"]}}),
             std::move(x)};
}

bool is_for_signatures(const Json& object) {
  if (object.contains("use") && text_member(object, "use") != "sig") return false;
  if (!object.contains("key_ops")) return true;
  const auto operations = texts_member(object, "key_ops");
  return operations && std::ranges::count(*operations, "verify") > 0;
}

std::string media_type(std::string_view text) {
  std::string type = to_lower(text);
  constexpr std::string_view prefix = "application/";
  if (type.starts_with(prefix)) type.erase(0, prefix.size());
  return type;
}

}  // namespace

Result<Json> parse_object(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) return refuse("longer than " + std::to_string(max_bytes) + " bytes");
  // nlohmann's parser does not recurse, but a value may be as deep as it is long: bounded above.
  StrictReading reading;
  Json parsed;
  try {
    parsed = Json::parse(
        text, [&reading](int d, Json::parse_event_t e, Json& j) { return reading(d, e, j); },
        false);
  } catch (const std::exception&) {
    return refuse("not JSON");
  }
  if (reading.too_deep()) return refuse("nested too deep");
  if (reading.twice()) return refuse("a name stands twice in one object");
  if (!parsed.is_object()) return refuse("not a JSON object");
  return parsed;
}

std::string text_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

std::optional<double> number_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number()) return std::nullopt;
  const double value = member->get<double>();
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<WallTime> time_member(const Json& object, const char* name) {
  const auto seconds = number_member(object, name);
  if (!seconds || *seconds < 0 || *seconds > latest_time) return std::nullopt;
  return WallTime(std::chrono::microseconds(static_cast<std::int64_t>(*seconds * 1e6)));
}

std::optional<std::vector<std::string>> texts_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end()) return std::nullopt;
  if (member->is_string()) return std::vector{member->get<std::string>()};
  if (!member->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& one : *member) {
    if (!one.is_string()) return std::nullopt;
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

Result<Jwk> parse_jwk(const Json& object) {
  if (!object.is_object()) return refuse("a key is a JSON object");
  for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
    if (object.contains(secret)) return refuse("a private or symmetric key has no place here");
  if (!is_for_signatures(object)) return refuse("the key is not for signatures");
  const std::string type = text_member(object, "kty");
  Result<Jwk> key = type == "RSA"   ? rsa_key(object)
                    : type == "EC"  ? ec_key(object)
                    : type == "OKP" ? okp_key(object)
                                    : refuse("the type of the key is not known here");
  if (!key) return key;
  key->kid = text_member(object, "kid");
  if (key->kid.size() > max_kid_bytes) return refuse("the name of the key is too long");
  if (object.contains("alg")) {
    key->algorithm = crypto::parse_signature_algorithm(text_member(object, "alg"));
    if (!key->algorithm) return refuse("the algorithm of the key is not known here");
  }
  return key;
}

Result<JwkSet> JwkSet::parse(std::string_view text) {
  GH_ASSIGN(const Json document, parse_object(text, max_key_set_bytes));
  const auto list = document.find("keys");
  if (list == document.end() || !list->is_array()) return refuse("not a set of keys");
  if (list->size() > max_keys_in_set)
    return refuse("more than " + std::to_string(max_keys_in_set) + " keys");
  JwkSet set;
  std::string problem = "the set is empty";
  for (const auto& one : *list) {
    if (auto key = parse_jwk(one)) {
      set.keys_.push_back(std::move(*key));
    } else {
      problem = key.error().message;
    }
  }
  if (set.keys_.empty()) return refuse("no key of the set can be used: " + problem);
  return set;
}

const Jwk* JwkSet::find(std::string_view kid, SignatureAlgorithm algorithm) const {
  const Jwk* found = nullptr;
  for (const Jwk& key : keys_) {
    if (!key.usable_for(algorithm)) continue;
    if (!kid.empty() && key.kid == kid) return &key;
    if (!kid.empty()) continue;
    if (found != nullptr) return nullptr;  // which one, nobody said
    found = &key;
  }
  return found;
}

Result<CompactJws> parse_jws(std::string_view token, bool allow_jwk) {
  if (token.size() > max_token_bytes) return refuse("the token is too long");
  const auto parts = split(token, '.');
  if (parts.size() != 3) return refuse("a token has three parts");
  CompactJws jws;
  GH_ASSIGN(const std::string header, from_base64url(parts[0]));
  GH_ASSIGN(jws.header, parse_object(header, max_header_bytes));
  const std::string algorithm = text_member(jws.header, "alg");
  const auto known = crypto::parse_signature_algorithm(algorithm);
  if (!known)
    return refuse("the algorithm \"" + printable(utf8_prefix(algorithm, 32)) +
                  "\" is not accepted");
  jws.algorithm = *known;
  for (const char* name : {"crit", "b64", "zip", "enc"})
    if (jws.header.contains(name))
      return refuse(std::string("the header member \"") + name + "\" is not accepted");
  // A token that brings its own key, or says where to get one, proves nothing.
  for (const char* name : {"jwk", "jku", "x5u"})
    if (jws.header.contains(name) && !(allow_jwk && std::string_view(name) == "jwk"))
      return refuse(std::string("the header member \"") + name + "\" is not accepted");
  if (jws.header.contains("kid") && !jws.header["kid"].is_string())
    return refuse("the name of the key must be text");
  jws.kid = text_member(jws.header, "kid");
  if (jws.kid.size() > max_kid_bytes) return refuse("the name of the key is too long");
  jws.type = media_type(text_member(jws.header, "typ"));
  GH_ASSIGN(const std::string claims, from_base64url(parts[1]));
  GH_ASSIGN(jws.claims, parse_object(claims, max_token_bytes));
  GH_ASSIGN(jws.signature, from_base64url(parts[2]));
  jws.signed_part = token.substr(0, parts[0].size() + 1 + parts[1].size());
  return jws;
}

bool verify(const CompactJws& jws, const crypto::VerifyingKey& key) {
  return key.verify(jws.algorithm, bytes_of(jws.signed_part), bytes_of(jws.signature));
}

std::string sign_jws(Json header, const Json& claims, const crypto::SigningKey& key) {
  header["alg"] = "EdDSA";
  std::string text = to_base64url(bytes_of(header.dump()));
  text += '.';
  text += to_base64url(bytes_of(claims.dump()));
  const auto signature = key.sign(bytes_of(text));
  text += '.';
  return text + to_base64url(signature);
}

Json to_jwk(const crypto::PublicKey& key) {
  return {{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", to_base64url(key)}};
}

std::string thumbprint_of(const crypto::PublicKey& key) {
  return thumbprint_text(to_jwk(key));
}

}  // namespace gatehouse::identity
