#include "witness/round.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ledger/witnessed.h"

namespace gatehouse::witness {

namespace {

// What the conversations of one round share; they all run on one loop.
struct Shared {
  Shared(net::Loop& loop, ledger::Disk& given_disk, const Witnesses& given_witnesses,
         const LogView& given_log)
      : disk(given_disk),
        witnesses(given_witnesses),
        log(given_log),
        done(std::make_shared<net::Completion<bool>>(loop)) {}

  void settle(std::size_t at, Submission submission);
  void store();

  ledger::Disk& disk;
  const Witnesses& witnesses;
  const LogView& log;
  std::shared_ptr<net::Completion<bool>> done;
  RoundReport report;
  std::size_t open = 0;
  std::size_t cosigned = 0;
  std::size_t stored = 0;  // cosignatures in the stored checkpoint
};

std::vector<std::size_t> cosigners(const RoundReport& report) {
  std::vector<std::size_t> out;
  for (const Asked& asked : report.asked) {
    if (asked.submission.outcome == Outcome::cosigned) out.push_back(asked.peer.position);
  }
  return out;
}

// Our own signature, then those of the witnesses in the order of the policy.
void Shared::store() {
  auto note = ledger::parse_note(log.note());
  if (!note) {
    report.stored = std::unexpected(note.error());
    return;
  }
  for (const Asked& asked : report.asked) {
    if (asked.submission.outcome != Outcome::cosigned) continue;
    note->signatures.push_back(asked.submission.cosignature);
  }
  report.stored =
      ledger::store_witnessed(disk, ledger::LogPaths(witnesses.ledger_directory), to_string(*note));
  stored = cosigned;
}

void Shared::settle(std::size_t at, Submission submission) {
  if (submission.outcome == Outcome::cosigned) ++cosigned;
  report.asked[at].submission = std::move(submission);
  --open;
  report.quorum = ledger::is_quorum(*witnesses.policy, cosigners(report));
  const bool first = report.quorum && stored == 0 && witnesses.policy->quorum;
  const bool last = open == 0 && report.quorum && cosigned > stored;
  if (first || last) store();
  if (open == 0) done->complete_here(true);
}

struct Deadline {
  net::CancelSource cancel;
  bool settled = false;
};

net::Task<void> cancel_later(net::Loop& loop, std::chrono::milliseconds after,
                             std::shared_ptr<Deadline> deadline) {
  co_await loop.sleep(after);
  if (!deadline->settled) deadline->cancel.cancel();
}

net::Task<void> converse(net::ClientPool& pool, std::shared_ptr<Shared> shared, std::size_t at,
                         std::shared_ptr<Deadline> deadline) {
  const Asked& asked = shared->report.asked[at];
  auto submission = co_await submit(pool, asked.peer, shared->log, asked.known, deadline->cancel);
  deadline->settled = true;
  if (deadline->cancel.cancelled() && submission.outcome == Outcome::unreachable) {
    submission.detail =
        fmt::format("no whole answer within {} ms", shared->witnesses.timeout.count());
  }
  shared->settle(at, std::move(submission));
}

}  // namespace

net::ClientLimits limits_for(const Witnesses& witnesses) {
  net::ClientLimits limits;
  limits.idle_connections = 2;
  limits.connections = 8;
  limits.connect_timeout = limits.first_byte_timeout = limits.read_timeout = witnesses.timeout;
  return limits;
}

Result<std::vector<WitnessPeer>> peers_of(const ledger::TrustPolicy& policy) {
  std::vector<WitnessPeer> peers;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < policy.witnesses.size(); ++i) {
    const ledger::PolicyWitness& witness = policy.witnesses[i];
    if (!witness.key || witness.url.empty()) continue;
    auto endpoint = net::Endpoint::parse(witness.url);
    if (!endpoint) {
      return fail(ErrorCode::invalid_argument, endpoint.error().message,
                  "the URL of witness " + printable(witness.name));
    }
    peers.push_back({.position = i,
                     .name = printable(witness.name),
                     .key = *witness.key,
                     .url = witness.url,
                     .endpoint = std::move(*endpoint)});
    positions.push_back(i);
  }
  if (ledger::is_quorum(policy, positions)) return peers;
  return fail(ErrorCode::failed_precondition,
              "the witnesses that can be asked are no quorum: each needs a URL and a key of type "
              "0x04 (Ed25519)");
}

// `log` and `witnesses` live in the caller's frame, which waits for all conversations.
net::Task<RoundReport> run_round(net::Loop& loop, net::ClientPool& pool, ledger::Disk& disk,
                                 const Witnesses& witnesses, const LogView& log,
                                 std::vector<Asked> asked) {
  const auto shared = std::make_shared<Shared>(loop, disk, witnesses, log);
  shared->report.asked = std::move(asked);
  shared->open = shared->report.asked.size();
  if (shared->open == 0) {
    shared->report.quorum = ledger::is_quorum(*witnesses.policy, {});
    co_return std::move(shared->report);
  }
  for (std::size_t at = 0; at < shared->report.asked.size(); ++at) {
    const auto deadline = std::make_shared<Deadline>();
    loop.spawn(converse(pool, shared, at, deadline));
    loop.spawn(cancel_later(loop, witnesses.timeout, deadline));
  }
  (void)co_await shared->done->wait();
  co_return std::move(shared->report);
}

}  // namespace gatehouse::witness
