// How far what a session over MCP has seen can be trusted, over restarts too: an integrity that
// falls is on disk before what it came from leaves. Only integrity is kept, by the first 16 digits
// of the keyed name of the session. Thread-safe; join() may block for a disk sync.
//
// The file: a line of its version, then "NAME INTEGRITY SECONDS" lines, the last of a name holds.
// The name "*" is all sessions that were forgotten since there were too many.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "label/label.h"

namespace gatehouse::gateway {

class McpSessions {
 public:
  static constexpr std::size_t most = 200'000;
  // A session in which nothing untrusted was seen for so long begins anew.
  static constexpr std::chrono::days kept{30};

  // Call once, first. Without a file, what the ledger in `ledger_directory` says is taken.
  Result<void> open(std::filesystem::path file, const std::filesystem::path& ledger_directory,
                    WallTime now);

  Integrity of(std::string_view session, WallTime now) const;
  // Whether join() would find it written already.
  bool holds(std::string_view session, Integrity integrity, WallTime now) const;
  // It counts from here on in any case. Error: it may be forgotten at the next start.
  Result<void> join(std::string_view session, Integrity integrity, WallTime now);

 private:
  struct Seen {
    Integrity integrity = Integrity::trusted;
    WallTime last;
    WallTime written;  // `last` as it is on disk
  };
  void load(std::string_view text, WallTime now);
  Result<void> take_from_ledger(const std::filesystem::path& directory, WallTime now);
  void note(std::string_view name, Integrity integrity, WallTime time);
  void make_room();
  Result<void> rewrite();
  Result<void> append(std::string_view line);

  std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::map<std::string, Seen, std::less<>> seen_;
  std::mutex file_mutex_;
  std::size_t lines_ = 0;
};

}  // namespace gatehouse::gateway
