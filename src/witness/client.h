// One conversation of the log with one witness (C2SP tlog-witness, the client's side): submit a
// checkpoint, prove again from the size the witness names, and find out what a refusal means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/cosignature.h"
#include "ledger/note.h"
#include "net/client.h"
#include "net/task.h"
#include "witness/log_view.h"

namespace gatehouse::witness {

struct WitnessPeer {
  std::size_t position = 0;  // in the policy
  std::string name;
  ledger::CosignerKey key;
  std::string url;  // the submission prefix, and the monitoring prefix as well
  net::Endpoint endpoint;
};

enum class Outcome : std::uint8_t {
  cosigned,
  rolled_back,  // the witness knows more entries than the log has
  forked,       // the witness cosigned another root for a size the log has
  refused,      // it says no, and not because of the log's contents
  unreachable,  // no answer, or one that says "later"
};
// "log.rolled_back", "log.forked", "witness.refused", as events name them; empty for the others.
std::string_view incident_kind(Outcome outcome);

struct Submission {
  Outcome outcome = Outcome::unreachable;
  ledger::NoteSignature cosignature;  // when cosigned
  std::uint64_t time = 0;             // of the cosignature
  int status = 0;                     // the last HTTP status; 0: none came
  std::string detail;                 // for people: what went wrong
  std::optional<std::uint64_t> their_size;
  std::optional<ledger::Digest> their_root;
  std::optional<ledger::Digest> our_root_there;  // ours for `their_size`, when we have as many
  // The witness' own checkpoint of this log, when it gave one that the log's key has signed: with
  // it the contradiction is proven, whoever runs the witness.
  std::string evidence;
};

// `known` is the size the witness is believed to know. At most four requests; each phase of each is
// bounded by the pool's limits, all of them by `cancel`. What is referred to must stay.
net::Task<Submission> submit(net::ClientPool& pool, const WitnessPeer& peer, const LogView& log,
                             std::uint64_t known, net::CancelSource& cancel);

}  // namespace gatehouse::witness
