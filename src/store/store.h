// Control-plane state in a database, as a fold over the ledger's state events: every change is an
// event first, then applied here with the event's index. apply() is idempotent: an index at or
// below the applied one is skipped. Also holds sealed sessions, which are not state (they are
// content, bounded in time, and no event).
//
// SQLite (WAL) through SOCI. Thread-safe (one mutex; not for the loop threads: use
// Loop::run_blocking).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::store {

struct KeyRecord {
  std::string id;              // UUIDv7
  std::string prefix;          // "gh_1a2b3c4d": visible, unique
  std::string hash;            // hex HMAC-SHA-256 of the whole key under the key-hash key
  std::string principal_kind;  // "user" | "service" | "agent"
  std::string principal_id;
  std::vector<std::pair<std::string, std::string>> attributes;  // sorted by name
  std::string created;                                          // RFC 3339
  std::string expires;                                          // empty: never
  std::string revoked;                                          // empty: not
};

struct ModelRecord {
  std::string name;           // what clients ask for; unique
  std::string provider;       // a provider of the configuration
  std::string upstream_name;  // what the provider calls it
  std::string trust;          // "external" | "internal": where the data goes
  std::string created;
  std::string removed;         // empty: in service
  std::string clearance = {};  // what one needs for it: "public" … "restricted"; empty: nothing
};

// What is known by one name and changes as a whole: a revocation, an account somebody else's
// directory provisions. `data` is what the last event said.
struct Record {
  std::string name;  // "revoked/token/…"
  std::string data;  // JSON, members sorted
};

// In ToolRecord::changed: somebody took it out of service.
inline constexpr std::string_view withdrawn_tool = "withdrawn";

// A tool of an MCP server as somebody reviewed it. Its definition is known by its digest.
struct ToolRecord {
  std::string server;  // a server of the configuration
  std::string tool;
  std::string digest;    // "sha256:…" of the definition that was reviewed
  std::string reviewed;  // RFC 3339
  std::string reviewer;  // "cli:ada"; "first use"
  // Digest of a later definition nobody has reviewed, or withdrawn_tool; empty: in service.
  std::string changed;

  std::string key() const { return server + '/' + tool; }  // neither name has a '/'
};

class State;
struct Contents;

class Store {
 public:
  // `patience`: how long a call waits for another process that is writing to the file.
  static Result<std::unique_ptr<Store>> open(
      const std::filesystem::path& file, std::chrono::seconds patience = std::chrono::seconds(5));
  ~Store();

  // Applies one state event (type and its data as JSON) of ledger index `index`. Types:
  // those of state.h; others only move the applied index.
  // `seal` is kept with it, opaque: by it the caller knows again what it had put here.
  Result<void> apply(std::uint64_t index, std::string_view type, std::string_view data_json,
                     std::string_view seal = {});
  // Puts this state in the place of all that is there, in one transaction.
  Result<void> replace(const State& state, std::string_view seal);
  // Index of the last event applied plus one; 0 when none.
  Result<std::uint64_t> applied() const;

  // What the file holds, read past this connection (contents.h).
  Result<Contents> contents() const;

  Result<std::vector<KeyRecord>> keys() const;      // by creation, revoked ones included
  Result<std::vector<ModelRecord>> models() const;  // by name, removed ones left out

  // Sealed sessions. `id` is already a keyed hash; `sealed` is opaque.
  Result<std::optional<std::string>> session(std::string_view id) const;
  Result<void> put_session(std::string_view id, std::string_view sealed, WallTime expires);
  Result<std::size_t> drop_expired_sessions(WallTime now);
  // Takes over the sessions of another database of ours; returns how many.
  Result<std::size_t> copy_sessions_from(const std::filesystem::path& file);

  struct Impl;

 private:
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::store
