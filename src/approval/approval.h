// Approvals: calls that wait for people. Thread-safe; every call may block for a disk sync, so none
// is for a loop thread. README.md has the promises.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "identity/identity.h"

namespace gatehouse::approval {

// Who must agree: so many different people of this role.
struct Quorum {
  std::string role;
  std::size_t count = 1;
  friend bool operator==(const Quorum&, const Quorum&) = default;
};

// One call, as it will be made.
struct Call {
  std::string server;  // empty: a tool that clients bring
  std::string tool;
  std::string arguments;              // canonical JSON; only for the digest and for the approver
  std::string principal;              // "agent:helper"
  std::vector<std::string> acts_for;  // its delegation chain
  std::string session;                // of the conversation; may be empty
  std::string request;                // id of the request's entry
  std::string reason;                 // why it waits, for the approver; no content
  std::string label = {};             // of what the call comes from, in words; no content
};
// "hmac-sha256:…" over all that makes it this call. Keyed, since whoever has the ledger could find
// the arguments of a plain digest by trying.
std::string digest_of(const crypto::Digest& digest_key, const Call& call);

enum class State : std::uint8_t { pending, granted, denied, used, expired, withdrawn };
std::string_view to_string(State state);

struct Record {
  std::string id;  // "ap_…"
  bool standing = false;
  std::string digest;  // of a standing one: empty
  Call call;           // of a standing one: server, tool and principal ("*": every)
  bool shown = false;  // call.arguments are there, and are those of the digest
  std::vector<Quorum> quorums;
  WallTime requested;
  WallTime expires;
  State state = State::pending;
  // Who agreed, and which of the roles that are asked for they had then.
  std::map<std::string, std::set<std::string>> granted_by;
  std::string denied_by;
  std::string note;             // what the last who decided wrote beside it
  std::set<std::string> links;  // signed links that were used
};

// Somebody who decides.
struct Approver {
  std::string id;               // "user:bob"; "cli:root" is whoever has the node's files
  std::set<std::string> roles;  // of an operator at the node ("cli:…"): taken to have every role
  std::string note = {};        // why, for the record: at most 500 bytes are kept
  std::string link = {};        // by which signed link, if by one
};

enum class Verdict : std::uint8_t { approved, waiting, denied };

struct Answer {
  Verdict verdict = Verdict::waiting;
  std::string id;
};

class Desk {
 public:
  static constexpr std::size_t most_open = 10'000;              // requests and standing approvals
  static constexpr std::size_t most_open_of_principal = 1'000;  // of these
  static constexpr std::size_t most_shown = 256 << 10;  // bytes of arguments; nobody reads more

  // `registry` keeps the state, `directory` what approvers are shown, sealed under `key`.
  Desk(identity::Registry& registry, std::filesystem::path directory, const crypto::Digest& key,
       const Clock& clock, Random& random);
  // Takes what is open from the state. Call once, first, after Registry::catch_up().
  Result<void> load();

  // Uses an approval of this call, or finds or makes the request for one. All of `quorums` must be
  // met within `lifetime`. Errors: invalid_argument where the call is more than a person can be
  // shown.
  Result<Answer> ask(const Call& call, const std::vector<Quorum>& quorums,
                     std::chrono::milliseconds lifetime);

  std::vector<Record> list();
  Result<Record> show(std::string_view id);
  // Errors: permission_denied for who asked, whom they act for, and who lacks the role;
  // failed_precondition when it is settled, when this person or this link decided already, and,
  // for an approval, when what the call would do can no longer be shown.
  Result<Record> approve(std::string_view id, const Approver& approver);
  // Also of what was granted, as long as it was not used.
  Result<Record> deny(std::string_view id, const Approver& approver);
  // A standing approval of a tool for a principal ("user:ada" or "*"). It stands for the roles the
  // approver has, and for quorums of one.
  Result<Record> grant(std::string server, std::string tool, std::string principal,
                       std::chrono::milliseconds lifetime, const Approver& approver);
  // Ends a standing approval.
  Result<Record> withdraw(std::string_view id, const Approver& approver);

 private:
  Result<void> record(std::string_view type, std::string_view actor, const Record& record,
                      std::string_view request = {});
  Result<void> keep(const Record& record);
  void restore_arguments(Record& record) const;
  void remove_orphans() const;
  void forget(const std::string& id);
  void expire(WallTime now);
  Result<Record*> find(std::string_view id);
  Result<Record*> open_request(std::string_view id, const Approver& approver);
  std::string new_id();

  identity::Registry& registry_;
  std::filesystem::path directory_;
  crypto::Digest key_;
  crypto::Digest digest_key_;
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, Record, std::less<>> open_;
};

}  // namespace gatehouse::approval
