// What the loop threads share to know who asks, and what each of them remembers of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "gateway/config.h"
#include "identity/credentials.h"
#include "identity/issuer_keys.h"
#include "identity/peers.h"
#include "identity/replay_guard.h"

namespace gatehouse::gateway {

// Thread-safe.
class IdentityDesk {
 public:
  IdentityDesk(const Config& config, std::shared_ptr<net::TlsContext> tls, const Clock& clock,
               Random& random);
  void configure(const Config& config);
  identity::IssuerKeys& keys() { return keys_; }
  // Each by itself: who fills the one does not shut out who needs the other.
  identity::ReplayGuard& used_proofs() { return used_proofs_; }
  identity::ReplayGuard& used_tokens() { return used_tokens_; }
  identity::Peers& peers() { return peers_; }
  const crypto::Digest& peer_key() const { return peer_key_; }
  // Whatever was judged under another one is judged no longer.
  std::uint64_t generation() const { return keys_.generation() + peers_.generation(); }
  WallTime started() const { return started_; }
  // RFC 9449 section 8: one a minute, the one before counts too.
  std::string nonce(WallTime now) const;
  bool knows_nonce(std::string_view nonce, WallTime now) const;

 private:
  WallTime started_;
  crypto::Digest nonce_key_;
  identity::ReplayGuard used_proofs_;
  identity::ReplayGuard used_tokens_;
  crypto::Digest peer_key_;
  identity::IssuerKeys keys_;
  identity::Peers peers_;
};

// Tokens whose signature was verified, by the SHA-256 of the whole token. One loop thread.
//
// Invariant: what find() gives was judged under the present snapshot and the present keys, and has
// not expired. Whether it is bound to something the caller has to show, is not judged here.
class TokenCache {
 public:
  using Entry = std::shared_ptr<const identity::Verified>;

  Entry find(const crypto::Digest& token, std::uint64_t generation, WallTime now);
  void put(const crypto::Digest& token, std::uint64_t generation, Entry verified, std::size_t most);
  void clear() { known_.clear(); }
  std::size_t size() const { return known_.size(); }

 private:
  struct FirstBytes {
    std::size_t operator()(const crypto::Digest& digest) const;
  };
  std::uint64_t generation_ = 0;
  std::unordered_map<crypto::Digest, Entry, FirstBytes> known_;
};

}  // namespace gatehouse::gateway
