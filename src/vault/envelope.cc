#include "vault/envelope.h"

#include <string.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace gatehouse::vault {
namespace {

constexpr std::string_view identity_magic = "GHVAULTI";
constexpr std::size_t identity_fields_bytes = 40;
constexpr std::size_t shortest_phone = 6;

std::string identity_fields(const Identity& identity) {
  std::string out(identity_magic);
  out.append({'\0', '\0', '\0', '\1', '\0', '\0', '\0', '\0'});
  out += text_of(identity.vault);
  out += text_of(identity.key);
  return out;
}

bool is_phone_character(char c) {
  return (c >= '0' && c <= '9') || std::string_view(" \t\r\n\v\f+-/().").contains(c);
}

bool is_phone(std::string_view text) {
  return std::ranges::all_of(text, is_phone_character) &&
         std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }) >=
             static_cast<std::ptrdiff_t>(shortest_phone);
}

}  // namespace

void wipe(std::string& text) {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

Key::~Key() {
  ::explicit_bzero(bytes_.data(), bytes_.size());
}

RecordSecrets RecordSecrets::make(Random& random) {
  std::array<std::byte, slot_secret_bytes> bytes;
  random.fill(bytes);
  crypto::Digest data_key;
  crypto::Digest salt;
  std::memcpy(data_key.data(), bytes.data(), data_key.size());
  std::memcpy(salt.data(), bytes.data() + data_key.size(), salt.size());
  RecordSecrets secrets{Key(data_key), Key(salt)};
  ::explicit_bzero(bytes.data(), bytes.size());
  ::explicit_bzero(data_key.data(), data_key.size());
  ::explicit_bzero(salt.data(), salt.size());
  return secrets;
}

WrappingKey WrappingKey::derive(std::string_view vault_key) {
  WrappingKey key;
  key.key = Key(crypto::derive_key(bytes_of(vault_key), "gatehouse/vault/wrap/v1"));
  const auto id = crypto::derive_key(bytes_of(vault_key), "gatehouse/vault/key-id/v1");
  std::copy_n(id.begin(), key.id.size(), key.id.begin());
  return key;
}

const WrappingKey* KeyRing::find(const KeyId& id) const {
  if (current.id == id) return &current;
  const auto found = std::ranges::find(older, id, &WrappingKey::id);
  return found == older.end() ? nullptr : &*found;
}

std::string wrap(const WrappingKey& key, const RecordSecrets& secrets, const FrameHeader& record,
                 const SegmentHeader& segment, Random& random) {
  Slot slot{.key = key.id, .id = record.id, .which = record.which, .sealed = {}};
  std::string both(text_of(secrets.data_key.bytes()));
  both += text_of(secrets.salt.bytes());
  slot.sealed = crypto::seal(key.key.bytes(), bytes_of(both),
                             bytes_of(slot_context(slot, segment, record.entry)), random);
  wipe(both);
  return encode(slot);
}

Result<RecordSecrets> unwrap(const KeyRing& ring, std::string_view bytes, const FrameHeader& record,
                             const SegmentHeader& segment) {
  GH_ASSIGN(const Slot slot, parse_slot(bytes));
  if (slot.id != record.id || slot.which != record.which)
    return fail(ErrorCode::data_loss, "the slot of a key belongs to another record");
  const WrappingKey* key = ring.find(slot.key);
  if (key == nullptr)
    return fail(ErrorCode::failed_precondition,
                "the record is under a vault key that is not configured (key id " +
                    to_hex(slot.key) + "); set it as vault.old_key");
  GH_ASSIGN(std::string both,
            crypto::open_sealed(key->key.bytes(), bytes_of(slot.sealed),
                                bytes_of(slot_context(slot, segment, record.entry))));
  if (both.size() != slot_secret_bytes) return fail(ErrorCode::data_loss, "the slot is damaged");
  crypto::Digest data_key;
  crypto::Digest salt;
  std::memcpy(data_key.data(), both.data(), data_key.size());
  std::memcpy(salt.data(), both.data() + data_key.size(), salt.size());
  wipe(both);
  return RecordSecrets{Key(data_key), Key(salt)};
}

Identity Identity::make(const WrappingKey& key, Random& random) {
  Identity identity;
  random.fill(identity.vault);
  identity.key = key.id;
  crypto::Digest index;
  random.fill(index);
  identity.index = Key(index);
  return identity;
}

std::string encode(const Identity& identity, const WrappingKey& key, Random& random) {
  Identity written = identity;
  written.key = key.id;
  std::string out = identity_fields(written);
  out += crypto::seal(key.key.bytes(), identity.index.bytes(), bytes_of(out), random);
  GH_CHECK(out.size() == identity_bytes);
  return out;
}

Result<Identity> parse_identity(std::string_view bytes, const KeyRing& ring) {
  if (bytes.size() != identity_bytes || !bytes.starts_with(identity_magic))
    return fail(ErrorCode::data_loss, "this is not the identity of a vault");
  Identity identity;
  std::memcpy(identity.vault.data(), bytes.data() + 16, identity.vault.size());
  std::memcpy(identity.key.data(), bytes.data() + 32, identity.key.size());
  const auto fields = bytes.substr(0, identity_fields_bytes);
  if (fields != identity_fields(identity))
    return fail(ErrorCode::failed_precondition, "the vault is of a newer version");
  const WrappingKey* key = ring.find(identity.key);
  if (key == nullptr)
    return fail(ErrorCode::failed_precondition,
                "the vault was sealed with another vault key (key id " + to_hex(identity.key) +
                    "). Configure that key as vault.key, or as vault.old_key beside a new one");
  GH_ASSIGN(const std::string index,
            crypto::open_sealed(key->key.bytes(), bytes_of(bytes.substr(identity_fields_bytes)),
                                bytes_of(fields)));
  crypto::Digest digest;
  if (index.size() != digest.size()) return fail(ErrorCode::data_loss, "the identity is damaged");
  std::memcpy(digest.data(), index.data(), digest.size());
  identity.index = Key(digest);
  return identity;
}

std::string canonical_subject(std::string_view identifier) {
  const auto text = trim(identifier);
  if (text.contains('@')) return to_lower(text);
  std::string canonical;
  const bool phone = is_phone(text);
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (phone ? digit : !std::string_view(" \t\r\n\v\f-.").contains(c)) canonical += c;
  }
  return to_lower(canonical);
}

SubjectHash hash_subject(const Key& index, std::string_view canonical) {
  const auto whole = crypto::hmac_sha256(index.bytes(), bytes_of(canonical));
  SubjectHash hash;
  std::copy_n(whole.begin(), hash.size(), hash.begin());
  return hash;
}

}  // namespace gatehouse::vault
