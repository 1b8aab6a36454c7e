// Delegation tokens: a root this deployment signed, and blocks any holder may add without asking
// anybody, each of which can only take something away. docs/token-format.md describes the format
// for a second implementation. Pure; any thread.
//
//   root "~" block "~" … "~" tail
//
// Invariants
//   1. A block is signed by the key that the part before it names, and names the next one. Who has
//      only the token up to some block has only that block's key: it cannot take a later block
//      away, because it does not have the key the part before named.
//   2. What a token allows is the intersection over its parts. A part that names more than the one
//      before it is refused besides.
//   3. A holder can name who acts only below itself: the id of a sub-agent begins with the id of
//      who named it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "crypto/crypto.h"
#include "identity/access_token.h"
#include "identity/principal.h"

namespace gatehouse::identity {

inline constexpr std::size_t max_delegation_hops = 16;
inline constexpr std::size_t max_scope_names = 256;

// Both, at once.
Scope intersect(const Scope& a, const Scope& b);
// Whether `narrow` allows nothing that `wide` does not. Budgets are not compared.
bool is_within(const Scope& narrow, const Scope& wide);

// The trust a root stands on: this deployment's key, and what its tokens say of it.
struct DelegationRoot {
  crypto::PublicKey key{};
  std::string issuer;  // and audience
};

struct Grant {
  Principal principal;  // who acts, for whom, within what
  WallTime issued;
  WallTime expires;
  std::string id;  // UUID
  std::vector<std::string>
      from;                    // ids of the credentials it was made from: with any, it is revoked
  std::string key_thumbprint;  // of a DPoP key it is bound to; empty: whoever has it may use it
  bool once = false;
};

// The token, with the key that can narrow it further.
std::string mint(const Grant& grant, const DelegationRoot& root, const crypto::SigningKey& key,
                 Random& random);

struct Narrowing {
  std::string actor{};  // a sub-agent, by the name its parent gives it
  std::optional<std::vector<std::string>> models{};
  std::optional<std::vector<std::string>> tools{};
  std::optional<std::int64_t> clearance{};
  std::optional<std::int64_t> budget_micros{};
  std::optional<WallTime> expires{};
  bool once = false;
};

// Adds a block. Errors: not a token that can be narrowed (sealed, bound, at the limit of hops), or
// the block would name more than the token has.
Result<std::string> attenuate(std::string_view token, const Narrowing& narrowing, WallTime now,
                              Random& random);
// Takes the key away: nobody can narrow it further.
Result<std::string> seal_delegation(std::string_view token);

// By the time in the id of a part, which its signer made.
bool issued_before(std::string_view id, WallTime time);

bool looks_like_delegation(std::string_view credential);

// Error (unauthenticated): says which part is wrong and why.
Result<Verified> verify_delegation(std::string_view token, const DelegationRoot& root, WallTime now,
                                   std::chrono::seconds skew = std::chrono::seconds(30));

// The same of a token whose root nobody checks, at no time: for showing and narrowing. `parts` are
// the claims of the root and the blocks.
struct Inspected {
  Verified verified;
  std::vector<Json> parts;
  std::string tail;  // "holder", "sealed", "bound"
};
Result<Inspected> inspect_delegation(std::string_view token);

}  // namespace gatehouse::identity
