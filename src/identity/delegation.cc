// See delegation.h. Reading is one walk over the parts, which carries what the parts so far allow.
#include "identity/delegation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "identity/rules.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view root_type = "gh-delegation+jwt";
constexpr std::string_view block_type = "gh-narrowing+jwt";
constexpr std::string_view seal_purpose = "gatehouse/delegation-seal/v1\n";
constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t max_all_names_bytes = 8u << 10;  // all go into each event
constexpr std::size_t max_sub_agent_bytes = 64;
constexpr std::size_t max_principal_bytes = 1'024;
constexpr std::int64_t highest_clearance = 3;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::unauthenticated, std::move(message));
}

std::string written(PrincipalKind kind, std::string_view id) {
  return std::string(to_string(kind)) + ':' + std::string(id);
}

// ---- scopes ---------------------------------------------------------------------------------

using Names = std::optional<std::vector<std::string>>;

Names both(const Names& a, const Names& b) {
  if (!a) return b;
  if (!b) return a;
  std::vector<std::string> names;
  std::ranges::set_intersection(*a, *b, std::back_inserter(names));
  return names;
}

template <class T>
std::optional<T> smaller(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a) return b;
  return b ? std::min(*a, *b) : a;
}

bool within(const Names& narrow, const Names& wide) {
  return !wide || (narrow && std::ranges::includes(*wide, *narrow));
}

template <class T>
bool within(const std::optional<T>& narrow, const std::optional<T>& wide) {
  return !wide || (narrow && *narrow <= *wide);
}

// ---- one part's claims ----------------------------------------------------------------------

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

Result<Names> names_from(const Json& claims, const char* name) {
  if (!claims.contains(name)) return Names();
  auto names = claims[name].is_array() ? texts_member(claims, name) : std::nullopt;
  if (!names || names->size() > max_scope_names)
    return refuse(std::string("\"") + name + "\" is no list of at most 256 names");
  for (const auto& one : *names)
    if (auto fine = check_printable(one, max_name_bytes, "a name"); !fine)
      return refuse(std::string("in \"") + name + "\" " + fine.error().message);
  std::size_t bytes = 0;
  for (const auto& one : *names) bytes += one.size();
  if (bytes > max_all_names_bytes)
    return refuse(std::string("\"") + name + "\" is longer than 8 KiB");
  std::ranges::sort(*names);
  const auto again = std::ranges::unique(*names);
  names->erase(again.begin(), again.end());
  return Names(std::move(*names));
}

Result<std::optional<std::int64_t>> number_from(const Json& claims, const char* name,
                                                std::int64_t most) {
  if (!claims.contains(name)) return std::optional<std::int64_t>();
  const auto& value = claims[name];
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    return refuse(std::string("\"") + name + "\" is no number from 0 to " + std::to_string(most));
  return std::optional(value.get<std::int64_t>());
}

Result<Scope> scope_from(const Json& claims, const std::string& id) {
  Scope scope;
  GH_ASSIGN(scope.models, names_from(claims, "models"));
  GH_ASSIGN(scope.tools, names_from(claims, "tools"));
  GH_ASSIGN(scope.clearance, number_from(claims, "clearance", highest_clearance));
  GH_ASSIGN(scope.budget_micros, number_from(claims, "budget", std::int64_t{1} << 52));
  if (scope.budget_micros) scope.budgets.push_back({id, *scope.budget_micros});
  scope.expires = time_member(claims, "exp");
  if (!scope.expires) return refuse("it has no expiry");
  return scope;
}

void scope_into(Json& claims, const Scope& scope) {
  if (scope.models) claims["models"] = *scope.models;
  if (scope.tools) claims["tools"] = *scope.tools;
  if (scope.clearance) claims["clearance"] = *scope.clearance;
  if (scope.budget_micros) claims["budget"] = *scope.budget_micros;
}

// What is not known here may be a narrowing of a later version: passed over, it would widen.
Result<void> check_known(const Json& claims, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : claims.items())
    if (std::ranges::count(known, name) == 0)
      return refuse("the claim \"" + printable(utf8_prefix(name, 64)) + "\" is not known here");
  return {};
}

Result<crypto::PublicKey> next_key(const Json& claims) {
  const auto confirmation = claims.find("cnf");
  if (confirmation == claims.end() || !confirmation->is_object() || confirmation->size() != 1 ||
      !confirmation->contains("jwk"))
    return refuse("it names no next key");
  const auto key = parse_jwk((*confirmation)["jwk"]);
  if (!key || key->ed25519.size() != 32) return refuse("its next key is no Ed25519 key");
  crypto::PublicKey next;
  std::ranges::copy(bytes_of(key->ed25519), next.begin());
  return next;
}

Result<std::string> id_from(const Json& claims) {
  std::string id = text_member(claims, "jti");
  if (!is_uuid(id)) return refuse("it has no id that is a UUID");
  return id;
}

bool is_sub_agent_name(std::string_view name) {
  return !name.empty() && name.size() <= max_sub_agent_bytes && name != "." && name != ".." &&
         std::ranges::all_of(name, [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

// Whoever is named acts from here on, for who acted before. What is known of that one stays with
// it.
Result<void> hand_on(Principal& principal, Actor next) {
  if (principal.chain.size() >= max_delegation_hops) return refuse("the chain is too long");
  if (next.id.size() > max_principal_bytes) return refuse("the name of the actor is too long");
  Actor before{principal.kind, std::move(principal.id), std::exchange(principal.attributes, {}),
               std::exchange(principal.groups, {})};
  principal.chain.insert(principal.chain.begin(), std::move(before));
  principal.kind = next.kind;
  principal.id = std::move(next.id);
  return {};
}

Result<Actor> actor_from(const std::string& text) {
  auto parsed = parse_principal(text);
  if (!parsed) return refuse("\"" + printable(utf8_prefix(text, 64)) + "\" is no principal");
  return Actor{parsed->first, std::move(parsed->second), {}, {}};
}

// ---- what is known of somebody ---------------------------------------------------------------

using Attributes = std::vector<std::pair<std::string, std::string>>;

Result<Attributes> attributes_from(const Json& claims) {
  Attributes attributes;
  const auto member = claims.find("attributes");
  if (member == claims.end()) return attributes;
  if (!member->is_object()) return refuse("\"attributes\" is no object");
  for (const auto& [name, value] : member->items()) {
    if (!value.is_string()) return refuse("an attribute is not text");
    attributes.emplace_back(name, value.get<std::string>());
  }
  return attributes;
}

Result<std::vector<std::string>> groups_from(const Json& claims) {
  GH_ASSIGN(auto groups, names_from(claims, "groups"));
  return std::move(groups).value_or(std::vector<std::string>());
}

void facts_into(Json& claims, const Attributes& attributes,
                const std::vector<std::string>& groups) {
  if (!groups.empty()) claims["groups"] = groups;
  for (const auto& [name, value] : attributes) claims["attributes"][name] = value;
}

// Of each whom it acts for, nearest first. A root that says nothing of them would let them be
// somebody of whom nothing is known, and so whom no policy forbids anything.
Result<void> take_subjects(const Json& claims, std::vector<Actor>& chain) {
  const Json subjects = claims.value("subjects", Json::array());
  if (!subjects.is_array() || subjects.size() != chain.size())
    return refuse("\"subjects\" does not say what is known of each of the chain");
  for (std::size_t at = 0; at < chain.size(); ++at) {
    const Json& subject = subjects[at];
    if (!subject.is_object()) return refuse("one of \"subjects\" is no object");
    GH_TRY(check_known(subject, {"groups", "attributes"}));
    GH_ASSIGN(chain[at].groups, groups_from(subject));
    GH_ASSIGN(chain[at].attributes, attributes_from(subject));
  }
  return {};
}

// ---- reading --------------------------------------------------------------------------------

struct Parts {
  std::vector<std::string_view> signed_parts;  // root and blocks
  std::string_view tail;
  std::string_view before_tail;
};

Result<Parts> split_parts(std::string_view token) {
  if (token.size() > max_token_bytes) return refuse("The token is too long.");
  Parts parts;
  parts.signed_parts = split(token, '~');
  if (parts.signed_parts.size() < 2) return refuse("The token has no tail.");
  if (parts.signed_parts.size() > max_delegation_hops + 2)
    return refuse("The token has more than 16 blocks.");
  parts.tail = parts.signed_parts.back();
  parts.signed_parts.pop_back();
  parts.before_tail = token.substr(0, token.size() - parts.tail.size() - 1);
  return parts;
}

class Reading {
 public:
  explicit Reading(std::optional<WallTime> now, std::chrono::seconds skew)
      : now_(now), skew_(skew) {}

  Result<void> root(std::string_view text, const DelegationRoot* trusted);
  Result<void> block(std::string_view text, std::string_view before);
  Result<std::string> tail(std::string_view tail, std::string_view before);
  Inspected finish(std::string tail_kind) &&;

 private:
  Result<CompactJws> read(std::string_view text, std::string_view type);
  Result<void> check_part_times(const Json& claims) const;
  Result<void> take_scope(const Json& claims, const std::string& id, bool first);
  void take_once(const Json& claims, const std::string& id);

  std::optional<WallTime> now_;
  std::chrono::seconds skew_;
  std::optional<crypto::PublicKey> key_;  // that signs what comes next
  Inspected out_;
};

Result<CompactJws> Reading::read(std::string_view text, std::string_view type) {
  auto jws = parse_jws(text);
  if (!jws) return refuse(jws.error().message);
  if (jws->type != type) return refuse("it is not of the type " + std::string(type));
  if (jws->algorithm != crypto::SignatureAlgorithm::eddsa)
    return refuse("it is not signed with EdDSA");
  return jws;
}

bool signed_by(const CompactJws& jws, const crypto::PublicKey& key) {
  crypto::Signature signature;
  if (jws.signature.size() != signature.size()) return false;
  std::ranges::copy(bytes_of(jws.signature), signature.begin());
  return crypto::verify(key, bytes_of(jws.signed_part), signature);
}

Result<void> Reading::check_part_times(const Json& claims) const {
  if (!now_) return {};
  GH_TRY(check_times(claims, *now_, skew_));
  return {};
}

Result<void> Reading::take_scope(const Json& claims, const std::string& id, bool first) {
  GH_ASSIGN(const Scope scope, scope_from(claims, id));
  Scope& so_far = out_.verified.principal.scope;
  const Scope both_of_them = intersect(so_far, scope);
  // A member it does not name stays as it was; one it names must not be more.
  const bool widens =
      !first && ((scope.models && !within(scope.models, so_far.models)) ||
                 (scope.tools && !within(scope.tools, so_far.tools)) ||
                 (scope.clearance && !within(scope.clearance, so_far.clearance)) ||
                 (scope.budget_micros && !within(scope.budget_micros, so_far.budget_micros)) ||
                 !within(scope.expires, so_far.expires));
  if (widens) return refuse("it names more than what it narrows");
  so_far = both_of_them;
  return {};
}

void Reading::take_once(const Json& claims, const std::string& id) {
  const auto once = claims.find("once");
  if (once != claims.end()) out_.verified.single_use.push_back(id);
}

Result<void> check_once(const Json& claims) {
  if (claims.contains("once") && claims["once"] != Json(true))
    return refuse("\"once\" is true or is not there");
  return {};
}

Result<void> Reading::root(std::string_view text, const DelegationRoot* trusted) {
  GH_ASSIGN(const CompactJws jws, read(text, root_type));
  const Json& claims = jws.claims;
  if (trusted != nullptr) {
    if (!signed_by(jws, trusted->key)) return refuse("it was not signed by this deployment");
    if (text_member(claims, "iss") != trusted->issuer ||
        text_member(claims, "aud") != trusted->issuer)
      return refuse("it is of another deployment, or for one");
  }
  GH_TRY(check_known(
      claims, {"iss", "aud", "sub", "act", "iat", "exp", "jti", "cnf", "groups", "attributes",
               "subjects", "models", "tools", "clearance", "budget", "once", "from"}));
  GH_TRY(check_part_times(claims));
  GH_TRY(check_once(claims));
  GH_ASSIGN(const std::string id, id_from(claims));
  Principal& principal = out_.verified.principal;
  principal.credential = CredentialKind::delegation;
  principal.described = true;
  principal.key_prefix = "ghd_" + id;
  GH_ASSIGN(Actor subject, actor_from(text_member(claims, "sub")));
  principal.kind = subject.kind;
  principal.id = std::move(subject.id);
  // "act" has the present actor outermost: the innermost acted first.
  std::vector<std::string> acting;
  for (const Json* at = find_claim(claims, "act"); at != nullptr; at = find_claim(*at, "act")) {
    if (acting.size() == max_delegation_hops) return refuse("the chain is too long");
    acting.push_back(at->is_object() ? text_member(*at, "sub") : std::string());
  }
  for (auto one = acting.rbegin(); one != acting.rend(); ++one) {
    GH_ASSIGN(Actor actor, actor_from(*one));
    GH_TRY(hand_on(principal, std::move(actor)));
  }
  // They are of whoever acts.
  GH_ASSIGN(principal.groups, groups_from(claims));
  GH_ASSIGN(principal.attributes, attributes_from(claims));
  GH_TRY(take_subjects(claims, principal.chain));
  GH_TRY(take_scope(claims, id, true));
  take_once(claims, id);
  out_.verified.ids.push_back(id);
  for (auto& source : texts_member(claims, "from").value_or(std::vector<std::string>()))
    out_.verified.ids.push_back(std::move(source));
  const auto confirmation = claims.find("cnf");
  if (confirmation != claims.end() && confirmation->is_object() && confirmation->size() == 1 &&
      !text_member(*confirmation, "jkt").empty()) {
    out_.verified.key_thumbprint = text_member(*confirmation, "jkt");
  } else {
    GH_ASSIGN(key_, next_key(claims));
  }
  out_.parts.push_back(claims);
  return {};
}

Result<void> Reading::block(std::string_view text, std::string_view before) {
  GH_ASSIGN(const CompactJws jws, read(text, block_type));
  if (!key_) return refuse("nothing can be added to a token that is bound to a key");
  if (!signed_by(jws, *key_)) return refuse("its signature is not by the key before it");
  const Json& claims = jws.claims;
  GH_TRY(check_known(claims, {"prev", "iat", "exp", "jti", "cnf", "act", "models", "tools",
                              "clearance", "budget", "once"}));
  if (text_member(claims, "prev") != to_base64url(crypto::sha256(bytes_of(before))))
    return refuse("it was made for another token");
  GH_TRY(check_part_times(claims));
  GH_TRY(check_once(claims));
  GH_ASSIGN(const std::string id, id_from(claims));
  if (std::ranges::count(out_.verified.ids, id) > 0) return refuse("its id stands twice");
  GH_TRY(take_scope(claims, id, false));
  if (claims.contains("act")) {
    const auto& act = claims["act"];
    const std::string name = act.is_object() ? text_member(act, "sub") : std::string();
    if (!is_sub_agent_name(name)) return refuse("it gives an actor a name that is none");
    const Principal& parent = out_.verified.principal;
    const std::string above =
        parent.kind == PrincipalKind::agent ? parent.id : written(parent.kind, parent.id);
    GH_TRY(hand_on(out_.verified.principal, {PrincipalKind::agent, above + "/" + name, {}, {}}));
  }
  take_once(claims, id);
  out_.verified.ids.push_back(id);
  GH_ASSIGN(key_, next_key(claims));
  out_.parts.push_back(claims);
  return {};
}

Result<std::string> Reading::tail(std::string_view tail, std::string_view before) {
  if (tail.empty()) {
    // Who holds the last key shows it by a proof (RFC 9449) that comes with the request.
    if (key_) out_.verified.key_thumbprint = thumbprint_of(*key_);
    return "bound";
  }
  if (!key_) return refuse("The token is bound to a key and has a tail besides.");
  const auto bytes = from_base64url(tail.substr(1));
  if (tail.front() == 'k' && bytes && bytes->size() == 32) {
    std::array<std::byte, 32> seed;
    std::ranges::copy(bytes_of(*bytes), seed.begin());
    if (crypto::SigningKey::from_seed(seed).public_key() != *key_)
      return refuse("The key at the end of the token is not the one its last part names.");
    return "holder";
  }
  crypto::Signature signature;
  if (tail.front() == 's' && bytes && bytes->size() == signature.size()) {
    std::ranges::copy(bytes_of(*bytes), signature.begin());
    const std::string sealed = std::string(seal_purpose) + std::string(before);
    if (!crypto::verify(*key_, bytes_of(sealed), signature))
      return refuse("The seal of the token is not by the key its last part names.");
    return "sealed";
  }
  return refuse("The tail of the token is malformed.");
}

Inspected Reading::finish(std::string tail_kind) && {
  out_.tail = std::move(tail_kind);
  out_.verified.expires = out_.verified.principal.scope.expires.value_or(WallTime()) + skew_;
  return std::move(out_);
}

Result<Inspected> read_token(std::string_view token, const DelegationRoot* trusted,
                             std::optional<WallTime> now, std::chrono::seconds skew) {
  GH_ASSIGN(const Parts parts, split_parts(token));
  Reading reading(now, skew);
  for (std::size_t at = 0; at < parts.signed_parts.size(); ++at) {
    const auto part = parts.signed_parts[at];
    const auto before = token.substr(0, static_cast<std::size_t>(part.data() - token.data()));
    auto read = at == 0 ? reading.root(part, trusted)
                        : reading.block(part, before.substr(0, before.size() - 1));
    if (!read && read.error().message.ends_with('.')) return std::unexpected(read.error());
    if (!read)
      return refuse((at == 0 ? std::string("The root") : "Block " + std::to_string(at)) +
                    " of the token is refused: " + read.error().message + ".");
  }
  GH_ASSIGN(std::string kind, reading.tail(parts.tail, parts.before_tail));
  return std::move(reading).finish(std::move(kind));
}

struct FreshKey {
  crypto::SigningKey key;
  std::string tail;
};

FreshKey fresh_key(Random& random) {
  auto key = crypto::SigningKey::generate(random);
  std::string tail = "~k" + to_base64url(key.seed());
  return {std::move(key), std::move(tail)};
}

}  // namespace

Scope intersect(const Scope& a, const Scope& b) {
  Scope out;
  out.models = both(a.models, b.models);
  out.tools = both(a.tools, b.tools);
  out.clearance = smaller(a.clearance, b.clearance);
  out.budget_micros = smaller(a.budget_micros, b.budget_micros);
  out.expires = smaller(a.expires, b.expires);
  out.budgets = a.budgets;
  for (const auto& budget : b.budgets)
    if (std::ranges::count(out.budgets, budget) == 0) out.budgets.push_back(budget);
  return out;
}

bool is_within(const Scope& narrow, const Scope& wide) {
  return within(narrow.models, wide.models) && within(narrow.tools, wide.tools) &&
         within(narrow.clearance, wide.clearance) &&
         within(narrow.budget_micros, wide.budget_micros) && within(narrow.expires, wide.expires);
}

std::string mint(const Grant& grant, const DelegationRoot& root, const crypto::SigningKey& key,
                 Random& random) {
  const Principal& principal = grant.principal;
  Json claims = {{"iss", root.issuer},
                 {"aud", root.issuer},
                 {"iat", seconds_of(grant.issued)},
                 {"exp", seconds_of(grant.expires)},
                 {"jti", grant.id}};
  if (principal.chain.empty()) {
    claims["sub"] = written(principal.kind, principal.id);
  } else {
    const Actor& first = principal.chain.back();
    claims["sub"] = written(first.kind, first.id);
    Json act;
    for (std::size_t at = principal.chain.size() - 1; at-- > 0;) {
      Json outer = {{"sub", written(principal.chain[at].kind, principal.chain[at].id)}};
      if (!act.is_null()) outer["act"] = std::move(act);
      act = std::move(outer);
    }
    claims["act"] = {{"sub", written(principal.kind, principal.id)}};
    if (!act.is_null()) claims["act"]["act"] = std::move(act);
  }
  facts_into(claims, principal.attributes, principal.groups);
  for (const auto& subject : principal.chain) {
    Json facts = Json::object();
    facts_into(facts, subject.attributes, subject.groups);
    claims["subjects"].push_back(std::move(facts));
  }
  scope_into(claims, principal.scope);
  if (!grant.from.empty()) claims["from"] = grant.from;
  if (grant.once) claims["once"] = true;
  std::string tail = "~";
  if (grant.key_thumbprint.empty()) {
    const FreshKey next = fresh_key(random);
    claims["cnf"]["jwk"] = to_jwk(next.key.public_key());
    tail = next.tail;
  } else {
    claims["cnf"]["jkt"] = grant.key_thumbprint;
  }
  return sign_jws({{"typ", root_type}, {"kid", thumbprint_of(root.key)}}, claims, key) + tail;
}

Result<std::string> attenuate(std::string_view token, const Narrowing& narrowing, WallTime now,
                              Random& random) {
  GH_ASSIGN(const Inspected held, inspect_delegation(token));
  if (held.tail != "holder")
    return fail(ErrorCode::failed_precondition,
                "the token is " + held.tail + ": it does not come with a key to narrow it");
  GH_ASSIGN(const Parts parts, split_parts(token));
  GH_ASSIGN(const std::string seed_text, from_base64url(parts.tail.substr(1)));
  std::array<std::byte, 32> seed;
  std::ranges::copy(bytes_of(seed_text), seed.begin());
  const FreshKey next = fresh_key(random);
  Scope scope;
  scope.models = narrowing.models;
  scope.tools = narrowing.tools;
  scope.clearance = narrowing.clearance;
  scope.budget_micros = narrowing.budget_micros;
  const WallTime before = held.verified.principal.scope.expires.value_or(now);
  Json claims = {{"prev", to_base64url(crypto::sha256(bytes_of(parts.before_tail)))},
                 {"iat", seconds_of(now)},
                 {"exp", seconds_of(narrowing.expires.value_or(before))},
                 {"jti", make_uuid7(now, random)},
                 {"cnf", {{"jwk", to_jwk(next.key.public_key())}}}};
  scope_into(claims, scope);
  if (!narrowing.actor.empty()) claims["act"] = {{"sub", narrowing.actor}};
  if (narrowing.once) claims["once"] = true;
  std::string out(parts.before_tail);
  out += "~" + sign_jws({{"typ", block_type}}, claims, crypto::SigningKey::from_seed(seed));
  out += next.tail;
  GH_TRY(inspect_delegation(out));  // what a verifier would refuse is not handed out
  return out;
}

Result<std::string> seal_delegation(std::string_view token) {
  GH_ASSIGN(const Inspected held, inspect_delegation(token));
  if (held.tail != "holder")
    return fail(ErrorCode::failed_precondition, "the token is " + held.tail + " already");
  GH_ASSIGN(const Parts parts, split_parts(token));
  GH_ASSIGN(const std::string seed_text, from_base64url(parts.tail.substr(1)));
  std::array<std::byte, 32> seed;
  std::ranges::copy(bytes_of(seed_text), seed.begin());
  const std::string sealed = std::string(seal_purpose) + std::string(parts.before_tail);
  const auto signature = crypto::SigningKey::from_seed(seed).sign(bytes_of(sealed));
  return std::string(parts.before_tail) + "~s" + to_base64url(signature);
}

bool issued_before(std::string_view id, WallTime time) {
  return is_uuid(id) && time_of_uuid7(id) < time;
}

bool looks_like_delegation(std::string_view credential) {
  return credential.starts_with("ey") && credential.find('~') != std::string_view::npos;
}

Result<Verified> verify_delegation(std::string_view token, const DelegationRoot& root, WallTime now,
                                   std::chrono::seconds skew) {
  auto read = read_token(token, &root, now, skew);
  if (!read) return std::unexpected(std::move(read).error());
  return std::move(read->verified);
}

Result<Inspected> inspect_delegation(std::string_view token) {
  return read_token(token, nullptr, std::nullopt, std::chrono::seconds(0));
}

}  // namespace gatehouse::identity
