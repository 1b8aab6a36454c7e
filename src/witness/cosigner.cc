#include "witness/cosigner.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/log.h"
#include "ledger/witnessed.h"

namespace gatehouse::witness {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_pause{1'000};
constexpr milliseconds longest_pause{300'000};

struct PeerState {
  WitnessPeer peer;
  std::uint64_t known = 0;  // size of the checkpoint it cosigned last
  SteadyTime cosigned_at;
  SteadyTime not_before;  // of the next attempt
  milliseconds pause{0};  // 0: the last attempt went well
  std::string raised;     // kind of the last incident, until it cosigns again
};

std::string_view action_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::rolled_back:
      return "stop this gateway: its ledger is older than what was signed, or another gateway "
             "signs with the same key; see docs/witness.md";
    case Outcome::forked:
      return "keep both checkpoints and find out who signs with this log's key; see "
             "docs/witness.md";
    default:
      return "ask the operator of the witness whether it knows this log and its key; see "
             "docs/witness.md";
  }
}

void give_way_to_traffic() {
  constexpr int nice = 10;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);
}

}  // namespace

struct Cosigner::Impl {
  Impl(CosignerSettings given, CosignerHooks given_hooks, const Clock& given_clock)
      : settings(std::move(given)),
        hooks(std::move(given_hooks)),
        clock(given_clock),
        pool(loop, limits_for(settings.witnesses), settings.witnesses.tls) {}

  net::Task<void> run();
  net::Task<void> look();
  bool is_due(const PeerState& peer, std::uint64_t size) const;
  void settle(const LogView& log, const RoundReport& report);
  void settle_one(PeerState& peer, const LogView& log, const Submission& submission);
  void raise(PeerState& peer, const LogView& log, const Submission& submission);

  const CosignerSettings settings;
  const CosignerHooks hooks;
  const Clock& clock;
  ledger::RealDisk disk;
  std::vector<PeerState> peers;
  std::atomic<std::uint64_t> witnessed = 0;
  std::atomic<std::uint64_t> cosignatures = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<std::uint64_t> incidents = 0;
  std::atomic<std::uint64_t> failing = 0;
  std::atomic<bool> quorum = false;
  net::Loop loop;
  net::ClientPool pool;
  std::thread thread;
};

net::Task<void> Cosigner::Impl::run() {
  while (true) {
    co_await look();
    co_await loop.sleep(settings.interval);
  }
}

bool Cosigner::Impl::is_due(const PeerState& peer, std::uint64_t size) const {
  const SteadyTime now = clock.steady();
  if (now < peer.not_before) return false;
  return peer.known != size || peer.pause.count() > 0 || now >= peer.cosigned_at + settings.refresh;
}

// Everybody who can be asked is asked about the same checkpoint, so that a quorum comes together.
net::Task<void> Cosigner::Impl::look() {
  const std::uint64_t published = hooks.published();
  const bool any_due =
      std::ranges::any_of(peers, [&](const PeerState& peer) { return is_due(peer, published); });
  if (!any_due) co_return;
  auto log = LogView::read(disk, settings.witnesses.ledger_directory, settings.witnesses.log);
  if (!log) {
    log_error("witnesses: the log's checkpoint cannot be read",
              {{"error", log.error().describe()}});
    co_return;
  }
  // The file may be ahead of its name's sync for an instant; only what is durable is shown.
  if (log->checkpoint().size > published) co_return;
  std::vector<Asked> asked;
  for (const PeerState& peer : peers) {
    if (clock.steady() < peer.not_before) continue;
    asked.push_back({.peer = peer.peer, .known = peer.known, .submission = {}});
  }
  const RoundReport report =
      co_await run_round(loop, pool, disk, settings.witnesses, *log, std::move(asked));
  settle(*log, report);
}

void Cosigner::Impl::settle(const LogView& log, const RoundReport& report) {
  for (const Asked& asked : report.asked) {
    const auto peer = std::ranges::find_if(peers, [&](const PeerState& candidate) {
      return candidate.peer.position == asked.peer.position;
    });
    settle_one(*peer, log, asked.submission);
  }
  failing = static_cast<std::uint64_t>(
      std::ranges::count_if(peers, [](const PeerState& peer) { return peer.pause.count() > 0; }));
  if (!report.stored) {
    log_error("witnesses: the cosigned checkpoint cannot be stored",
              {{"error", report.stored.error().describe()}});
  }
  const bool had_quorum = quorum.exchange(report.quorum);
  if (report.quorum && report.stored) {
    witnessed = log.checkpoint().size;
    if (!had_quorum) {
      log_info("witnesses: a quorum cosigns again", {{"size", log.checkpoint().size}});
    }
  } else if (had_quorum && !report.quorum) {
    log_warning("witnesses: no quorum; the cosigned checkpoint falls behind",
                {{"size", log.checkpoint().size}});
  }
}

void Cosigner::Impl::settle_one(PeerState& peer, const LogView& log, const Submission& submission) {
  if (submission.outcome == Outcome::cosigned) {
    ++cosignatures;
    peer.known = log.checkpoint().size;
    peer.cosigned_at = clock.steady();
    peer.pause = milliseconds(0);
    peer.not_before = {};
    peer.raised.clear();
    return;
  }
  ++failures;
  const bool first = peer.pause.count() == 0;
  peer.pause = std::clamp(peer.pause * 2, first_pause, longest_pause);
  peer.not_before = clock.steady() + peer.pause;
  if (first) {
    log_warning("witnesses: one did not cosign",
                {{"witness", peer.peer.name}, {"detail", submission.detail}});
  }
  if (!incident_kind(submission.outcome).empty()) raise(peer, log, submission);
}

void Cosigner::Impl::raise(PeerState& peer, const LogView& log, const Submission& submission) {
  const std::string kind(incident_kind(submission.outcome));
  if (peer.raised == kind) return;
  peer.raised = kind;
  ++incidents;
  hooks.incident({.kind = kind,
                  .witness = peer.peer.name,
                  .url = peer.peer.url,
                  .our_size = log.checkpoint().size,
                  .our_root = log.checkpoint().root,
                  .submission = submission,
                  .action = std::string(action_for(submission.outcome))});
}

Cosigner::Cosigner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Cosigner>> Cosigner::start(CosignerSettings settings, CosignerHooks hooks,
                                                  const Clock& clock) {
  GH_ASSIGN(auto peers, peers_of(*settings.witnesses.policy));
  auto impl = std::make_unique<Impl>(std::move(settings), std::move(hooks), clock);
  for (WitnessPeer& peer : peers) {
    PeerState state;
    state.peer = std::move(peer);
    impl->peers.push_back(std::move(state));
  }
  const ledger::LogPaths paths(impl->settings.witnesses.ledger_directory);
  GH_ASSIGN(const auto stored,
            ledger::read_witnessed(impl->disk, paths, impl->settings.witnesses.log));
  if (stored) {
    GH_ASSIGN(const auto opened, ledger::open_checkpoint(*stored, impl->settings.witnesses.log));
    impl->witnessed = opened.checkpoint.size;
  }
  impl->loop.spawn(impl->run());
  impl->thread = std::thread([&self = *impl] {
    give_way_to_traffic();
    self.loop.run();
  });
  return std::unique_ptr<Cosigner>(new Cosigner(std::move(impl)));
}

Cosigner::~Cosigner() {
  impl_->loop.stop();
  impl_->thread.join();
}

CosignerStats Cosigner::stats() const {
  return {.witnessed = impl_->witnessed,
          .cosignatures = impl_->cosignatures,
          .failures = impl_->failures,
          .incidents = impl_->incidents,
          .failing = impl_->failing,
          .quorum = impl_->quorum};
}

}  // namespace gatehouse::witness
