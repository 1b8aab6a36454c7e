#include "witness/guard.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace gatehouse::witness {

namespace {

net::Task<void> one_round(net::Loop& loop, net::ClientPool& pool, ledger::Disk& disk,
                          const Witnesses& witnesses, const LogView& log,
                          std::vector<WitnessPeer> peers, RoundReport& report) {
  std::vector<Asked> asked;
  asked.reserve(peers.size());
  for (WitnessPeer& peer : peers) {
    asked.push_back({.peer = std::move(peer), .known = 0, .submission = {}});
  }
  report = co_await run_round(loop, pool, disk, witnesses, log, std::move(asked));
  loop.stop();
}

// Proven by our own signature, or claimed by a witness on which the quorum depends.
bool must_stop(const Asked& asked, const ledger::TrustPolicy& policy) {
  const Outcome outcome = asked.submission.outcome;
  if (outcome != Outcome::rolled_back && outcome != Outcome::forked) return false;
  if (!asked.submission.evidence.empty()) return true;
  return std::ranges::count(ledger::quorum_witnesses(policy), asked.peer.position) > 0;
}

Error contradiction(const Asked& asked, const LogView& log) {
  const Submission& submission = asked.submission;
  const char* proven = submission.evidence.empty()
                           ? "It showed no checkpoint that proves it"
                           : "Its checkpoint carries the signature of this log's own key";
  return {ErrorCode::failed_precondition,
          fmt::format("the log is not gone on with: {} ({}). {}. Either the ledger was put back "
                      "from an older copy, or a second gateway signs with the same key. Bring back "
                      "the newest ledger folder, or begin a new log under another ledger.origin "
                      "and keep this one for the auditor: docs/witness.md, \"What an incident "
                      "means\"",
                      submission.detail, incident_kind(submission.outcome), proven),
          fmt::format("witness {} at {}, log {} with {} entries", asked.peer.name, asked.peer.url,
                      log.checkpoint().origin, log.checkpoint().size)};
}

}  // namespace

Result<GuardReport> check_before_start(ledger::Disk& disk, const Witnesses& witnesses,
                                       bool required) {
  GH_ASSIGN(auto peers, peers_of(*witnesses.policy));
  GH_ASSIGN(const LogView log, LogView::read(disk, witnesses.ledger_directory, witnesses.log));
  RoundReport round;
  {
    net::Loop loop;
    net::ClientPool pool(loop, limits_for(witnesses), witnesses.tls);
    loop.spawn(one_round(loop, pool, disk, witnesses, log, std::move(peers), round));
    loop.run();
  }
  GuardReport report{
      .asked = round.asked.size(), .answered = 0, .quorum = round.quorum, .problems = {}};
  for (const Asked& asked : round.asked) {
    if (must_stop(asked, *witnesses.policy)) return std::unexpected(contradiction(asked, log));
    if (asked.submission.outcome == Outcome::cosigned) {
      ++report.answered;
    } else {
      report.problems.push_back(asked.peer.name + ": " + asked.submission.detail);
    }
  }
  GH_TRY(round.stored);
  if (round.quorum || !required) return report;
  std::string problems;
  for (const std::string& problem : report.problems) {
    problems += (problems.empty() ? "" : "; ") + problem;
  }
  return fail(
      ErrorCode::unavailable,
      "ledger.witness_required is set, and the witnesses that answered are no quorum: " + problems);
}

}  // namespace gatehouse::witness
