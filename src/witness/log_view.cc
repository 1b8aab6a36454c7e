#include "witness/log_view.h"

namespace gatehouse::witness {

Result<LogView> LogView::read(ledger::Disk& disk, const std::string& directory,
                              const ledger::VerifierKey& log) {
  const ledger::LogPaths paths(directory);
  GH_ASSIGN(auto note, ledger::read_whole(disk, paths.checkpoint, ledger::max_checkpoint_bytes));
  auto opened = ledger::open_checkpoint(note, log);
  if (!opened) return fail(ErrorCode::data_loss, opened.error().message, paths.checkpoint);
  auto subtrees = ledger::stored_subtrees(disk, paths, opened->checkpoint.size);
  return LogView(log, std::move(note), std::move(opened->checkpoint), std::move(subtrees));
}

Result<std::vector<ledger::Digest>> LogView::prove(std::uint64_t from) const {
  if (from == 0 || from == checkpoint_.size) return std::vector<ledger::Digest>();
  return ledger::consistency_proof(from, checkpoint_.size, subtrees_);
}

Result<ledger::Digest> LogView::root_at(std::uint64_t size) const {
  return ledger::tree_root(size, subtrees_);
}

}  // namespace gatehouse::witness
