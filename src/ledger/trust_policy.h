// Whom to believe about a log (C2SP tlog-policy): logs, witnesses, groups of witnesses, and the
// quorum that has to have cosigned a checkpoint. Pure functions over the bytes of a policy file.
//
//   log <vkey> [<url>]
//   witness <name> <vkey> [<url>]
//   group <name> all|any|<k> <name>…       names of witnesses and groups defined above
//   quorum <name>|none                     exactly one
//
// Lines end in a newline; items stand between spaces and tabs; blank lines and lines that begin
// with '#' are passed over. Octets 0x09, 0x0A, 0x20-0x7E, 0x80-0xFF; names are octets, compared as
// such. Errors name the line: "policy:4: …".
//
// Keys of types that cannot be verified here (a log's ML-DSA-44, ECDSA …; a witness' ML-DSA-44) are
// accepted, so that files of others can be used; such a log or witness never counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/cosignature.h"
#include "ledger/note.h"

namespace gatehouse::ledger {

inline constexpr std::size_t max_policy_bytes = 1u << 20;
inline constexpr std::size_t max_policy_items = 1'024;  // of logs, of witnesses, of groups

struct PolicyLog {
  std::string vkey;
  std::optional<VerifierKey> key;  // absent: of a type that cannot be verified here
  std::string url;
};

struct PolicyWitness {
  std::string name;  // only inside the policy
  std::string vkey;
  std::optional<CosignerKey> key;  // absent: of a type that cannot be verified here
  std::string url;                 // the submission prefix
};

// A witness or a group, by its position in the policy.
struct PolicyMember {
  bool is_group = false;
  std::size_t index = 0;
};

struct PolicyGroup {
  std::string name;
  std::size_t threshold = 0;  // 1 to the number of members
  std::vector<PolicyMember> members;
};

struct TrustPolicy {
  std::vector<PolicyLog> logs;
  std::vector<PolicyWitness> witnesses;
  std::vector<PolicyGroup> groups;     // members of a group stand before it
  std::optional<PolicyMember> quorum;  // absent: none
};

// `file` names the file in errors.
Result<TrustPolicy> parse_trust_policy(std::string_view bytes, std::string_view file = "policy");

// Whether these witnesses, by their positions, are a quorum.
bool is_quorum(const TrustPolicy& policy, const std::vector<std::size_t>& witnesses);
// The witnesses on which the quorum can depend.
std::vector<std::size_t> quorum_witnesses(const TrustPolicy& policy);

struct WitnessedBy {
  std::size_t witness = 0;  // position in the policy
  std::uint64_t time = 0;   // seconds since 1970
};

struct WitnessedCheckpoint {
  Checkpoint checkpoint;
  std::string log;                     // the vkey that signed it
  std::vector<WitnessedBy> witnesses;  // whose cosignatures hold
  bool quorum = false;
  std::size_t unknown_signatures = 0;  // by keys that are not in the policy
};

// The cosignatures of a checkpoint by witnesses of the policy. permission_denied when one claims to
// be by one of them and does not hold.
Result<std::vector<WitnessedBy>> cosignatures_of(const Note& note, const TrustPolicy& policy);

// Verifies a checkpoint with the logs and witnesses of the policy. permission_denied: not signed by
// one of its logs, or a signature does not hold. A missing quorum is no error: see `quorum`.
Result<WitnessedCheckpoint> open_witnessed(std::string_view note_bytes, const TrustPolicy& policy);

// "2 of 3 cosigned: w1, w2; missing: w3", for people.
std::string describe_quorum(const TrustPolicy& policy, const std::vector<WitnessedBy>& witnesses);

}  // namespace gatehouse::ledger
