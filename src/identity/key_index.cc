// Who does a presented key speak for? One keyed hash and one lookup; nothing is allocated until the
// key is known. Immutable; any thread.
#include <algorithm>
#include <cstring>

#include "identity/identity.h"
#include "identity/rules.h"

namespace gatehouse::identity {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::unauthenticated, std::move(message));
}

// "API key gh_1a2b3c4d…": only for what has the shape of a key.
std::string shown(std::string_view key) {
  return "API key " + std::string(key.substr(0, prefix_length)) + "…";
}

Result<crypto::Digest> digest_from(const store::KeyRecord& key) {
  const Result<std::string> bytes = from_hex(key.hash);
  crypto::Digest digest;
  if (!bytes || bytes->size() != digest.size())
    return fail(ErrorCode::data_loss, "the stored hash is malformed", "key " + key.id);
  std::ranges::copy(bytes_of(*bytes), digest.begin());
  return digest;
}

Result<std::optional<WallTime>> expiry_of(const store::KeyRecord& key) {
  if (key.expires.empty()) return std::nullopt;
  const Result<WallTime> time = parse_time(key.expires);
  if (!time) return fail(ErrorCode::data_loss, "the stored expiry is malformed", "key " + key.id);
  return *time;
}

}  // namespace

std::size_t KeyIndex::FirstBytes::operator()(const crypto::Digest& digest) const {
  std::size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

Result<KeyIndex> KeyIndex::build(const std::vector<store::KeyRecord>& keys,
                                 const crypto::Digest& key_hash_key) {
  KeyIndex index;
  index.key_hash_key_ = key_hash_key;
  index.by_hash_.reserve(keys.size());
  for (const store::KeyRecord& key : keys) {
    Entry entry;
    GH_ASSIGN(entry.principal.kind, parse_principal_kind(key.principal_kind));
    entry.principal.id = key.principal_id;
    entry.principal.attributes = key.attributes;
    entry.principal.key_prefix = key.prefix;
    GH_ASSIGN(entry.expires, expiry_of(key));
    entry.revoked = key.revoked;
    GH_ASSIGN(const crypto::Digest digest, digest_from(key));
    if (!index.by_hash_.emplace(digest, std::move(entry)).second)
      return fail(ErrorCode::data_loss, "two keys have the same hash", "key " + key.id);
  }
  return index;
}

Result<Principal> KeyIndex::authenticate(std::string_view presented, WallTime now) const {
  if (presented.empty())
    return refuse(
        "No API key was sent. Send a Gatehouse key (gh_…) as Authorization: Bearer or x-api-key.");
  if (!has_key_shape(presented))
    return refuse(
        "The API key is malformed. A Gatehouse key has 44 characters and begins with gh_; a "
        "provider's own key does not work here.");
  const auto found = by_hash_.find(crypto::hmac_sha256(Bytes(key_hash_key_), bytes_of(presented)));
  if (found == by_hash_.end()) return refuse(shown(presented) + " is not known here.");
  const Entry& entry = found->second;
  if (!entry.revoked.empty())
    return refuse(shown(presented) + " is revoked since " + entry.revoked + ".");
  if (entry.expires && now >= *entry.expires)
    return refuse(shown(presented) + " expired at " + format_time(*entry.expires) + ".");
  return entry.principal;
}

}  // namespace gatehouse::identity
