// See identity_desk.h.
#include "gateway/identity_desk.h"

#include <cstring>

namespace gatehouse::gateway {
namespace {

std::vector<identity::KeySource> sources_of(const Config& config) {
  std::vector<identity::KeySource> sources;
  for (const auto& issuer : config.identity.issuers)
    sources.push_back({issuer.issuer, issuer.keys_url});
  return sources;
}

}  // namespace

IdentityDesk::IdentityDesk(const Config& config, std::shared_ptr<net::TlsContext> tls,
                           const Clock& clock, Random& random)
    : started_(clock.wall()),
      peer_key_(crypto::derive_key(bytes_of(config.secret.reveal()), "gatehouse/peers/v1")),
      keys_(config.identity.keys, tls, clock),
      peers_(peer_key_, std::move(tls), clock, random) {
  random.fill(nonce_key_);
  configure(config);
}

std::string IdentityDesk::nonce(WallTime now) const {
  const auto minute = std::chrono::floor<std::chrono::minutes>(now).time_since_epoch().count();
  const auto digest =
      crypto::hmac_sha256(Bytes(nonce_key_), bytes_of("dpop/" + std::to_string(minute)));
  return to_base64url(Bytes(digest).first(16));
}

bool IdentityDesk::knows_nonce(std::string_view shown, WallTime now) const {
  for (const auto time : {now, now - std::chrono::minutes(1)})
    if (crypto::equal_constant_time(bytes_of(shown), bytes_of(nonce(time)))) return true;
  return false;
}

void IdentityDesk::configure(const Config& config) {
  keys_.configure(sources_of(config), config.identity.keys);
  peers_.configure(config.identity.peers, config.identity.peers_stale_after);
}

// A SHA-256 is as good as any hash of it; whoever could choose tokens to collide in eight bytes
// would have to have them signed.
std::size_t TokenCache::FirstBytes::operator()(const crypto::Digest& digest) const {
  std::size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

TokenCache::Entry TokenCache::find(const crypto::Digest& token, std::uint64_t generation,
                                   WallTime now) {
  if (generation != generation_) {
    known_.clear();
    generation_ = generation;
  }
  const auto known = known_.find(token);
  if (known == known_.end()) return nullptr;
  if (now < known->second->expires) return known->second;
  known_.erase(known);
  return nullptr;
}

void TokenCache::put(const crypto::Digest& token, std::uint64_t generation, Entry verified,
                     std::size_t most) {
  if (most == 0 || generation != generation_) return;
  if (known_.size() >= most) known_.clear();
  known_.emplace(token, std::move(verified));
}

}  // namespace gatehouse::gateway
