// See reconcile.h.
#include "identity/reconcile.h"

#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/ledger.h"
#include "ledger/log_files.h"
#include "ledger/proof.h"
#include "store/contents.h"

namespace gatehouse::identity {
namespace {

// Shows of single entries that they stand under the log's checkpoint.
class Prover {
 public:
  static Result<Prover> open(const std::filesystem::path& directory,
                             const std::optional<ledger::VerifierKey>& key) {
    Prover prover(directory.string());
    const ledger::LogPaths paths(prover.directory_);
    if (key) {
      prover.key_ = *key;
    } else {
      GH_ASSIGN(prover.key_, ledger::read_verifier_key(prover.disk_, paths.verifier_key));
    }
    GH_ASSIGN(const auto signed_one,
              ledger::read_checkpoint(prover.disk_, paths.checkpoint, prover.key_));
    prover.size_ = signed_one.checkpoint.size;
    return prover;
  }

  std::uint64_t size() const { return size_; }
  Result<void> prove(std::uint64_t index, std::string_view entry) {
    GH_ASSIGN(const auto receipt, ledger::make_receipt(disk_, directory_, index));
    if (auto checked = ledger::check_receipt(receipt, key_, entry); !checked)
      return fail(ErrorCode::data_loss, std::move(checked).error().message,
                  directory_ + ": entry " + std::to_string(index));
    return {};
  }

 private:
  explicit Prover(std::string directory) : directory_(std::move(directory)) {}
  std::string directory_;
  ledger::RealDisk disk_;
  ledger::VerifierKey key_;
  std::uint64_t size_ = 0;
};

}  // namespace

Result<void> LedgerFold::advance(std::uint64_t end) {
  if (state_.next_index() >= end) return {};
  GH_ASSIGN(auto reader, ledger::EntryReader::open(directory_, state_.next_index()));
  std::uint64_t index = 0;
  std::string entry;
  for (std::uint64_t next = state_.next_index(); next < end; next = index + 1) {
    GH_ASSIGN(const bool found, reader.next(index, entry));
    if (!found) return {};
    const auto apply = [&]() -> Result<void> {
      GH_ASSIGN(const auto event, store::state_event_in(entry));
      if (!event) return {};
      if (on_event) GH_TRY(on_event(index, entry));
      ++events_;
      return state_.apply(index, event->type, event->data);
    };
    if (auto applied = apply(); !applied)
      return std::unexpected(std::move(applied).error().within("entry " + std::to_string(index)));
    state_.seen_up_to(index + 1);
  }
  return {};
}

Result<ReconcileReport> reconcile(const std::filesystem::path& ledger_directory,
                                  const std::filesystem::path& database,
                                  const std::optional<ledger::VerifierKey>& key) {
  // The database first: what it has applied is then in the ledger.
  GH_ASSIGN(const store::Contents contents, store::read_contents(database));
  GH_ASSIGN(Prover prover, Prover::open(ledger_directory, key));
  const auto applied = store::applied_index(contents);

  ReconcileReport report;
  LedgerFold fold(ledger_directory);
  fold.on_event = [&](std::uint64_t index, std::string_view entry) -> Result<void> {
    const bool covered = index < prover.size();
    ++(covered ? report.proven : report.unsigned_);
    return covered ? prover.prove(index, entry) : Result<void>();
  };
  GH_TRY(fold.advance(applied.value_or(to_the_end)));
  report.applied = fold.state().next_index();
  report.events = fold.events();
  report.keys = fold.state().all_keys().size();
  report.models = fold.state().models().size();
  report.sessions = contents.sessions;
  report.checkpoint_size = prover.size();
  // An index beyond the ledger is a difference; one that is behind is compared as of then.
  report.differences = store::compare(contents, fold.state(), report.applied);
  GH_TRY(fold.advance());
  report.ledger_size = fold.state().next_index();
  report.events_after = fold.events() - report.events;
  return report;
}

}  // namespace gatehouse::identity
