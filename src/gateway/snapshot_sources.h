// What a snapshot was made of, kept so that its decisions can be derived again: the texts of the
// policies and of the rules, and a description that did not fit into its event. Each is a file
// <data>/snapshots/<sha256 of its bytes, hex>, durable before the snapshot is in force. The digest
// stands in the ledger, so nothing here is trusted: what does not have its digest is not used.
//
// A policy set or a rule set is "<bytes>:<name>:<bytes>:<text>" for each file, the form its digest
// is taken of. Nothing is ever removed: a file is evidence, and one comes only with a change of
// policies or rules.
#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gatehouse::gateway {

inline constexpr std::size_t max_source_bytes = 64u << 20;

// Blocking; thread-safe.
class SnapshotSources {
 public:
  explicit SnapshotSources(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Makes sure that a file with these bytes is on stable storage; one that was changed is written
  // again. resource_exhausted: more than max_source_bytes.
  Result<void> keep(std::string_view bytes);

  // By "sha256:<hex>" or the hex alone. data_loss: the file is not what it is named after.
  static Result<std::string> read(const std::filesystem::path& folder, std::string_view digest);

 private:
  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::set<std::string> kept_;  // digests this process has seen on the disk
};

// The files of a policy set or rule set. data_loss: not of that form.
Result<std::vector<std::pair<std::string, std::string>>> parse_sources(std::string_view text);

}  // namespace gatehouse::gateway
