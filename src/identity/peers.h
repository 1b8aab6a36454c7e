// What other nodes of this deployment have revoked. Each node has a ledger and a database of its
// own, so each asks the others, twice a second, on a thread of its own; walks look at what is
// there.
//
//   GET /.well-known/gatehouse-revocations?nonce=HEX
//   Authorization: Gatehouse-Peer HEX        HMAC-SHA-256 of "revocations/" and the nonce
//   -> {"nonce":HEX,"tokens":[…],"principals":["user:ada",…]}
//   Gatehouse-Signature: HEX                 HMAC-SHA-256 of "answer/" and the body
//
// Both under a key derived from the deployment secret; the nonce keeps an old answer from being
// shown again.
//
// Invariant: when a peer has not answered for `stale_after`, fresh() is an error: what cannot be
// checked is not let in.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "identity/standing.h"
#include "net/client.h"
#include "net/loop.h"

namespace gatehouse::identity {

inline constexpr std::string_view revocations_path = "/.well-known/gatehouse-revocations";

// For who serves them: the answer to a request with this nonce. Error (unauthenticated): the
// Authorization is not by a node of this deployment.
struct SignedRevocations {
  std::string body;
  std::string signature;
};
Result<SignedRevocations> answer_peer(std::string_view nonce, std::string_view authorization,
                                      const Standing& standing, const crypto::Digest& key);

// Thread-safe.
class Peers {
 public:
  Peers(const crypto::Digest& key, std::shared_ptr<net::TlsContext> tls, const Clock& clock,
        Random& random);
  ~Peers();

  // URLs of the other nodes. From now on these.
  void configure(const std::vector<std::string>& urls, std::chrono::milliseconds stale_after);

  Result<void> check(const Principal& principal, const std::vector<std::string>& ids,
                     WallTime now) const;
  Result<void> fresh() const;
  // Changes whenever anything does.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  struct Peer;
  net::Task<void> follow();
  net::Task<void> ask(std::shared_ptr<Peer> peer);
  net::Task<Result<Standing>> revocations_of(std::string url);

  const crypto::Digest key_;
  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Peer>, std::less<>> peers_;
  std::chrono::milliseconds stale_after_{5'000};
  std::atomic<std::size_t> count_ = 0;
  std::atomic<std::uint64_t> generation_ = 1;
  net::Loop loop_;
  std::unique_ptr<net::ClientPool> pool_;
  std::thread thread_;
};

}  // namespace gatehouse::identity
