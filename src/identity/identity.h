// Who asks: API keys bound to principals, and the registry that changes keys and models (event
// first, then the store). KeyIndex is the immutable view a snapshot holds.
//
// A key is "gh_" + 8 base62 characters (the prefix, visible) + "_" + 32 base62 characters of
// randomness (190 bits). At rest only HMAC-SHA-256(key-hash key, whole key).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "identity/principal.h"
#include "ledger/event.h"
#include "ledger/ledger.h"
#include "store/compare.h"
#include "store/contents.h"
#include "store/state.h"
#include "store/store.h"

namespace gatehouse::identity {

// Immutable, thread-safe. Lookup hashes the presented key whole and compares in constant time.
class KeyIndex {
 public:
  static Result<KeyIndex> build(const std::vector<store::KeyRecord>& keys,
                                const crypto::Digest& key_hash_key);
  // Errors: unauthenticated, with a message for the caller: missing or malformed, unknown, expired
  // (when), revoked (when). Never repeats more of the key than its visible prefix, and that only
  // when what was presented has the shape of a key.
  Result<Principal> authenticate(std::string_view presented, WallTime now) const;
  std::size_t size() const { return by_hash_.size(); }

 private:
  struct Entry {
    Principal principal;
    std::optional<WallTime> expires;
    std::string revoked;
  };
  // The digests are keyed hashes: their first bytes are as good as any hash of them.
  struct FirstBytes {
    std::size_t operator()(const crypto::Digest& digest) const;
  };
  struct EqualConstantTime {
    bool operator()(const crypto::Digest& a, const crypto::Digest& b) const {
      return crypto::equal_constant_time(a, b);
    }
  };
  crypto::Digest key_hash_key_{};
  std::unordered_map<crypto::Digest, Entry, FirstBytes, EqualConstantTime> by_hash_;
};

struct NewKey {
  std::string principal;  // "user:ada", "service:ci", "agent:helper"
  std::vector<std::pair<std::string, std::string>> attributes;
  std::optional<std::chrono::seconds> lifetime;
};

struct CreatedKey {
  std::string key;  // shown once
  store::KeyRecord record;
};

struct NewModel {
  std::string name;
  std::string provider;
  std::string upstream_name;   // empty: the same
  std::string trust;           // "external" | "internal"
  std::string clearance = {};  // what one needs for it: "public" … "restricted"; empty: nothing
};

// The only way state changes. Each call validates, appends the event and waits until it is durable,
// then applies it. What is listed here, and so every snapshot, is the fold of the ledger, never a
// row of the database that no event explains. When the database cannot be written the change stands
// all the same. Keys and models are not added until the database has caught up, or while it says
// what the ledger does not; revocations and removals go on. Thread-safe; may block for a disk sync
// (not for loop threads).
class Registry {
 public:
  Registry(ledger::Ledger& ledger, store::Store& store, crypto::Digest key_hash_key,
           std::string node, const Clock& clock, Random& random);

  // Takes the state from the database when its seal holds, else from the whole ledger; folds the
  // state events the database has not seen onto it (after a crash between event and apply) and
  // returns how many there were. Compares the database with the fold, see differences(). Call once
  // before any change; changes are refused (failed_precondition) while the store is behind the
  // ledger, because applying a later event first would skip the earlier one for ever.
  Result<std::uint64_t> catch_up(const std::filesystem::path& ledger_directory);
  // Tells the store that it has seen every entry durable by now, so that the next catch_up() starts
  // reading here and not at the last change of state. For shutdown.
  Result<void> mark_seen();
  // For a timer: the same once at least `entries` came since, so that after a kill the next start
  // does not read the log of weeks; and another try to apply what the database did not take.
  Result<void> keep_up(std::uint64_t entries);
  // Compares every row of the database with the fold. While there are differences the database is
  // not written to and keys and models are not added. When they are gone, all is as before. Error:
  // the comparison could not be made.
  Result<std::vector<store::Difference>> reconcile();
  // By the last comparison.
  std::vector<store::Difference> differences() const;

  // `actor`: who did it, for the event ("cli:root", "admin:…").
  Result<CreatedKey> create_key(const NewKey& request, std::string_view actor);
  Result<store::KeyRecord> revoke_key(std::string_view prefix_or_id, std::string_view actor);
  Result<std::vector<store::KeyRecord>> list_keys() const;
  Result<store::ModelRecord> add_model(const NewModel& request, std::string_view actor);
  Result<store::ModelRecord> remove_model(std::string_view name, std::string_view actor);
  Result<std::vector<store::ModelRecord>> list_models() const;
  // Tools of MCP servers. review_tool() puts a definition in service, and back in service;
  // tool_changed() takes it out, and so does withdraw_tool(), until the next review. `facts` are
  // members of the event's data beside those of the state ("\"findings\":[]"), JSON or empty.
  Result<store::ToolRecord> review_tool(std::string_view server, std::string_view tool,
                                        std::string_view digest, std::string_view actor,
                                        std::string_view facts);
  Result<store::ToolRecord> tool_changed(std::string_view server, std::string_view tool,
                                         std::string_view digest, std::string_view actor,
                                         std::string_view facts);
  Result<store::ToolRecord> withdraw_tool(std::string_view server, std::string_view tool,
                                          std::string_view actor);
  std::vector<store::ToolRecord> list_tools() const;
  // By the id of a token or of any block in it (`gatehouse token inspect` shows them), or the
  // SHA-256 of an issuer's token without its signature.
  Result<void> revoke_token(std::string_view id, std::string_view actor);
  // "user:ada": no credential of it counts, nor one that acts for it, until it is restored.
  Result<void> suspend_principal(std::string_view principal, std::string_view actor);
  Result<void> restore_principal(std::string_view principal, std::string_view actor);
  // State that rooms above keep by name (approvals, accounts of a directory): one of the types
  // store/change.h reads, recorded and applied like every change here. The caller has validated it
  // and says who did it. Returns the index of the event.
  Result<std::uint64_t> change(std::string_view type, std::string_view actor, std::string subject,
                               std::string data);
  store::State state() const;

 private:
  Result<std::uint64_t> record_and_apply(std::string_view type, std::string_view actor,
                                         std::string subject, std::string data);
  struct Found {
    store::Contents contents;
    std::string problem;                 // why they could not be read
    std::uint64_t next_index = 0;        // what the database has applied
    std::optional<store::State> sealed;  // when the seal holds
  };
  Result<Found> look_into_database() const;
  static Result<std::uint64_t> fold_entries(const std::filesystem::path& ledger_directory,
                                            std::uint64_t end, store::State& fold);
  static Result<bool> fold_entry(std::uint64_t index, std::string_view entry, store::State& fold);
  void take(store::State fold);
  void note_differences(std::string problem, const store::Contents& contents,
                        const store::State& fold, std::optional<std::uint64_t> expected_index);
  std::string seal_of(const store::State& state, const crypto::Digest& digest) const;
  std::string seal_of(const store::State& state) const;
  std::string seal();
  Result<void> mark_seen_up_to(std::uint64_t size);
  Result<void> require_caught_up();
  Result<void> make_room_for(std::string_view type);
  Result<void> make_room_beside_differences(std::string_view type) const;
  Result<void> apply_unapplied();
  void apply_or_keep(std::uint64_t index, std::string_view type, std::string data);
  Result<store::ToolRecord> known_tool(std::string_view server, std::string_view tool) const;
  Result<std::string> unused_key(const std::vector<store::KeyRecord>& existing);
  ledger::Ledger& ledger_;
  store::Store& store_;
  crypto::Digest key_hash_key_;
  crypto::Digest seal_key_;
  std::string node_;
  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;  // one change at a time, so that events and state agree in order
  store::State state_;        // the fold of all state events that are durable
  std::optional<crypto::Digest> state_digest_;  // of state_.canonical(), when known
  std::vector<store::Difference> differences_;  // between the database and the fold
  std::uint64_t marked_ = 0;                    // the store has been told about every entry below
  bool caught_up_ = false;                      // every state event of the ledger is in state_

  struct Unapplied {
    std::uint64_t index = 0;
    std::string type;
    std::string data;
  };
  std::vector<Unapplied> unapplied_;  // durable in the ledger, not taken by the store yet; in order
};

}  // namespace gatehouse::identity
