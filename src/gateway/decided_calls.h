// Calls of tools that left in the answers of a named conversation, with what was found out about
// their values. When the same call then comes over MCP, in that conversation, it is judged by what
// is known of it, not by all that the conversation has seen; and what a person approved is not
// asked again. Each counts once, for a quarter of an hour. Of a call only a digest is kept.
//
// Thread-safe; memory only: what is forgotten is judged by its session, which is never milder.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "gateway/tool_question.h"

namespace gatehouse::gateway {

class DecidedCalls {
 public:
  static constexpr std::size_t most = 50'000;
  static constexpr std::chrono::minutes lifetime{15};

  struct Known {
    ArgumentLabels arguments;
    bool approved = false;  // by a person
  };

  // `conversation`: its keyed name. `server` is empty where nobody declared the tool; then `tool`
  // is the name the client uses for it. `arguments`: JSON.
  void note(std::string_view conversation, std::string_view server, std::string_view tool,
            std::string_view arguments, Known known, WallTime now);
  // Uses the oldest of them up.
  std::optional<Known> take(std::string_view conversation, std::string_view server,
                            std::string_view tool, std::string_view arguments, WallTime now);

 private:
  struct Entry {
    crypto::Digest digest;
    Known known;
    WallTime expires;
  };
  std::optional<Known> take(const crypto::Digest& digest, WallTime now);
  void forget_oldest();

  std::mutex mutex_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Entry> entries_;  // in the order they came, which is that of their end
  std::multimap<crypto::Digest, std::uint64_t> by_digest_;
};

}  // namespace gatehouse::gateway
