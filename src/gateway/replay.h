// Deriving recorded decisions again: from the snapshot that was in force, the state as of then, and
// what the event says policies were told. The question and what is made of the answer are the
// walk's own (question.h). Feed it a log from its first entry on, and ask when it is there.
//
// Nothing it reads is trusted: sources have their digest or are refused, the description of a
// snapshot has the digest the event names. Blocking; for one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/config.h"
#include "gateway/decision_cache.h"
#include "inspect/inspect.h"
#include "policy/policy.h"
#include "store/state.h"

namespace gatehouse::gateway {

struct Replayed {
  enum class Outcome : std::uint8_t {
    same,
    same_as_recorded,  // as far as the event goes: `incomplete` says what it does not have
    differs,
    undetermined,  // it differs, but policies were told something the event does not have
  };
  struct Difference {
    std::string member;    // "effect", "policies", "subject.trust", …
    std::string recorded;  // JSON
    std::string derived;
  };
  std::uint64_t index = 0;
  std::string id;
  std::string effect{};  // as derived
  Outcome outcome = Outcome::same;
  std::vector<Difference> differences{};
  std::vector<std::string> incomplete{};
  std::vector<std::string> notes{};
};
std::string_view to_string(Replayed::Outcome outcome);

struct RecordedCall;

// What two policy sets make of one recorded request.
struct WhatIf {
  std::uint64_t index = 0;
  std::string id;
  std::string principal;  // "user:ada"
  std::string route;
  std::string model;
  policy::Decision before;
  policy::Decision after;
  bool incomplete = false;  // policies were told something the event does not have
  // Permit or not, or another obligation.
  bool changed() const;
  // The policies that made the difference. Of a decision that is no longer the same: the forbids,
  // or without any the permits that are there on one side only; of obligations: the policies that
  // have a say on one side only, or all of them where what they oblige to is another.
  std::vector<std::string> because() const;
};

// All of a recorded decision that what_if() looks at, as one text: two entries with the same one
// get the same answer between two calls of feed(), apart from index and id. Left out are the id but
// for its hour of the week, the time, the caller's port and the digest of the content. Nothing
// where that cannot be told: a scope may end at any moment, or the entry is not as an event is
// written.
std::optional<std::string> recorded_facts(std::string_view entry);

class Replayer {
 public:
  // `snapshots`: the folder of snapshot_sources.h.
  explicit Replayer(std::filesystem::path snapshots) : folder_(std::move(snapshots)) {}

  // Every entry below the one asked for, in order. Error: the entry is damaged.
  Result<void> feed(std::uint64_t index, std::string_view entry);

  // Errors: invalid_argument: not a decision; failed_precondition: recorded by a version that did
  // not keep what it takes; not_found: a source is not there; data_loss: something does not have
  // its digest. `content`: the body as it came, to be inspected again.
  Result<Replayed> replay(std::uint64_t index, std::string_view entry,
                          const std::optional<std::string>& content = {});

  // What the sets behind the caches would have decided; errors as replay(). Changes nothing here:
  // any number of threads may ask between two calls of feed(), each with caches of its own.
  Result<WhatIf> what_if(std::uint64_t index, std::string_view entry, DecisionCache& before,
                         DecisionCache& after) const;

 private:
  struct SnapshotInfo {
    std::optional<std::uint64_t> state_index;
    std::string policies;
    std::string rules;
    std::map<std::string, DialectKind, std::less<>> providers;
    std::string problem;  // why it cannot be used
  };
  struct KeyTimes {
    std::uint64_t created = 0;
    std::optional<std::uint64_t> revoked;
  };
  struct ModelChange {
    std::uint64_t index = 0;
    store::ModelRecord record;
  };
  struct ModelInForce {
    const store::ModelRecord* record = nullptr;
    std::optional<DialectKind> dialect;  // of its provider
  };
  class Comparison;

  Result<void> note_state_event(std::uint64_t index, const store::StateEvent& event);
  void note_snapshot(std::string_view entry);
  SnapshotInfo read_snapshot(std::string_view entry, const std::string& digest) const;
  Result<const SnapshotInfo*> snapshot_of(const std::string& digest) const;
  Result<std::shared_ptr<const policy::PolicySet>> policies_of(const std::string& digest);
  Result<std::shared_ptr<const inspect::RuleSet>> rules_of(const std::string& digest);
  static Result<void> use_content(const std::string& content,
                                  const std::shared_ptr<const inspect::RuleSet>& rules,
                                  inspect::Categories watched, RecordedCall& call,
                                  Comparison& comparison);
  const store::KeyRecord* key_of(const RecordedCall& call, std::uint64_t state_index,
                                 Comparison& comparison) const;
  ModelInForce model_of(const RecordedCall& call, const SnapshotInfo& snapshot,
                        Comparison& comparison) const;
  const store::ModelRecord* model_at(std::string_view name, std::uint64_t state_index) const;

  std::filesystem::path folder_;
  store::State state_;
  std::map<std::string, KeyTimes, std::less<>> keys_;                    // by id
  std::map<std::string, std::vector<ModelChange>, std::less<>> models_;  // by name
  std::map<std::string, SnapshotInfo, std::less<>> snapshots_;           // by digest
  std::map<std::string, std::shared_ptr<const policy::PolicySet>, std::less<>> policies_;
  std::map<std::string, std::shared_ptr<const inspect::RuleSet>, std::less<>> rules_;
};

}  // namespace gatehouse::gateway
