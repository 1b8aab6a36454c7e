// One round: a checkpoint goes to several witnesses at once, and what they answer is put together.
// As soon as the policy's quorum has cosigned, the cosigned checkpoint is stored beside the log; a
// second time at the end when more have. On one loop thread.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/trust_policy.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/task.h"
#include "witness/client.h"
#include "witness/log_view.h"

namespace gatehouse::witness {

// What does not change while a gateway runs.
struct Witnesses {
  std::string ledger_directory;
  ledger::VerifierKey log;
  std::shared_ptr<const ledger::TrustPolicy> policy;
  std::chrono::milliseconds timeout{5'000};  // for one witness in one round
  std::shared_ptr<net::TlsContext> tls;
};

// The witnesses of a policy that can be asked: they have a URL and a key that can be verified here.
// invalid_argument names a URL that is none; failed_precondition: they cannot be a quorum.
Result<std::vector<WitnessPeer>> peers_of(const ledger::TrustPolicy& policy);

struct Asked {
  WitnessPeer peer;
  std::uint64_t known = 0;  // the size it is believed to know
  Submission submission;    // the answer
};

struct RoundReport {
  std::vector<Asked> asked;
  bool quorum = false;  // the answers of this round satisfy the policy
  Result<void> stored;  // putting checkpoint.witnessed in place
};

net::Task<RoundReport> run_round(net::Loop& loop, net::ClientPool& pool, ledger::Disk& disk,
                                 const Witnesses& witnesses, const LogView& log,
                                 std::vector<Asked> asked);

// Limits for a pool that speaks to witnesses.
net::ClientLimits limits_for(const Witnesses& witnesses);

}  // namespace gatehouse::witness
