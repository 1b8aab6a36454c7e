// Makes receipts for callers, from the files of the log, on threads of its own: a flood of them
// delays other receipts and nothing else. Thread-safe; fetch() on the loop it is given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gateway/recent_entries.h"
#include "ledger/disk.h"
#include "net/blocking_pool.h"
#include "net/loop.h"
#include "net/task.h"

namespace gatehouse::gateway {

enum class ReceiptForm : std::uint8_t {
  proof,  // C2SP tlog-proof
  json,   // entry, proof and outcome in one object
};

struct WantedReceipt {
  EntryKey id{};
  ReceiptForm form = ReceiptForm::proof;
  std::string principal;    // "user:ada": whose calls they may be
  bool of_anybody = false;  // everybody's
  // Where they stand, if that is known.
  std::optional<std::uint64_t> index;
  std::optional<RecentEntries::Place> outcome;
};

enum class ReceiptState : std::uint8_t {
  made,
  unknown,  // no such entry under the checkpoint, or somebody else's
  pending,  // no checkpoint covers it yet
  busy,     // too many are being made
  broken,   // the log cannot be read; logged
};

struct MadeReceipt {
  ReceiptState state = ReceiptState::unknown;
  std::string body;
};

class ReceiptDesk {
 public:
  explicit ReceiptDesk(const std::filesystem::path& ledger_directory);
  ~ReceiptDesk();

  RecentEntries& recent() { return recent_; }
  net::Task<MadeReceipt> fetch(net::Loop& loop, WantedReceipt wanted);
  // Finishes what is being made and drops the rest; before the loops end.
  void stop() { pool_.reset(); }

  // The work itself. Blocks on the disk.
  MadeReceipt make(const WantedReceipt& wanted);

 private:
  const std::string directory_;
  ledger::RealDisk disk_;
  RecentEntries recent_;
  std::unique_ptr<net::BlockingPool> pool_;
};

}  // namespace gatehouse::gateway
