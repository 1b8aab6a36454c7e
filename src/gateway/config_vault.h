// Settings of the vault: what content is kept, for how long, under which key.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace gatehouse {
class ConfigReader;
}

namespace gatehouse::gateway {

// How much of the content of calls is kept.
enum class LogContent : std::uint8_t {
  none,
  flagged,  // where inspection found something, or the decision forbids
  all,
};
std::string_view to_string(LogContent level);
std::optional<LogContent> parse_log_content(std::string_view text);

struct VaultConfig {
  Secret key;      // empty: derived from the deployment secret
  Secret old_key;  // the one before, while records are still under it
  LogContent log_content = LogContent::none;
  std::map<std::string, LogContent, std::less<>> routes;  // instead, for these
  std::chrono::milliseconds retention{std::chrono::hours(24 * 184)};
  std::uint64_t max_bytes = 16ull << 30;
  std::uint64_t segment_bytes = 64ull << 20;

  // Where no policy says something.
  LogContent level_of(std::string_view route) const;
};

void read_vault(ConfigReader& root, VaultConfig& settings);

}  // namespace gatehouse::gateway
