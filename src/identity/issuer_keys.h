// The public keys of issuers, fetched and kept fresh on a thread of its own. Walks only look at
// what is there; none of them waits for a network unless a token names a key nobody has seen.
//
// Promises
//   1. Keys are replaced as a whole, by a set that was fetched whole and read without an error. A
//      fetch that fails changes nothing.
//   2. Keys that could not be fetched again for `stale_after` are no longer used: fail closed.
//   3. However many tokens with unknown kids come, an issuer is asked at most once every
//      `least_interval`; a kid that a fetch did not bring is not asked for again for `negative`.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "identity/jose.h"
#include "net/client.h"
#include "net/loop.h"

namespace gatehouse::identity {

struct KeySource {
  std::string issuer;    // as tokens have it
  std::string keys_url;  // empty: RFC 8414 or OpenID Connect discovery at the issuer
};

struct IssuerKeysOptions {
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  std::chrono::milliseconds least_interval{std::chrono::seconds(5)};
  std::chrono::milliseconds negative{std::chrono::minutes(1)};
  std::chrono::milliseconds stale_after{std::chrono::hours(24)};
  std::chrono::milliseconds timeout{std::chrono::seconds(5)};
};

// Where the two kinds of discovery documents are, in the order in which they are asked.
std::vector<std::string> discovery_urls(std::string_view issuer);

// Thread-safe.
class IssuerKeys {
 public:
  IssuerKeys(IssuerKeysOptions options, std::shared_ptr<net::TlsContext> tls, const Clock& clock);
  ~IssuerKeys();

  // From now on these; keys of issuers that stay are kept.
  void configure(std::vector<KeySource> sources, IssuerKeysOptions options);
  // Null: none were fetched yet, or too long ago.
  std::shared_ptr<const JwkSet> keys_of(std::string_view issuer) const;
  // Changes whenever any keys do: what was verified before may be verified no longer.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // Asks the issuer again because of this kid. False: it will not be, now; else `done` runs, on
  // another thread, when it was tried.
  bool ask_for(std::string_view issuer, std::string_view kid, std::function<void()> done);
  // Why an issuer's keys could not be fetched the last time; empty: they could.
  std::string problem_of(std::string_view issuer) const;

 private:
  struct Source;
  net::Task<void> keep_fresh();
  net::Task<void> fetch(std::shared_ptr<Source> source);
  net::Task<Result<std::string>> get(std::string url);
  net::Task<Result<JwkSet>> get_keys(const KeySource& source);
  void start(const std::shared_ptr<Source>& source);
  void settle(Source& source, Result<JwkSet> keys);
  std::shared_ptr<Source> find(std::string_view issuer) const;  // under mutex_

  const Clock& clock_;
  mutable std::mutex mutex_;
  IssuerKeysOptions options_;
  std::map<std::string, std::shared_ptr<Source>, std::less<>> sources_;
  std::atomic<std::uint64_t> generation_{1};
  net::Loop loop_;
  std::unique_ptr<net::ClientPool> pool_;
  std::thread thread_;
};

}  // namespace gatehouse::identity
