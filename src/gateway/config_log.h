// Settings of those who read the log from outside: `ledger.serve` and `ledger.receipts`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "net/server.h"

namespace gatehouse {
class ConfigReader;
}

namespace gatehouse::gateway {

struct Config;

// The log over HTTP, on a listener of its own.
struct LogServeConfig {
  std::optional<net::ListenAddress> listen;  // none: it is not served
  std::string prefix;                        // "" or "/log": before /checkpoint and /tile
  bool entries = false;                      // entry bundles too: they name people
  std::size_t connections = 256;
};

struct ReceiptConfig {
  // Principals ("service:audit") who may fetch receipts of everybody's calls; others get their own.
  std::vector<std::string> readers;
};

// "" or a path of plain segments that begins with '/' and does not end with one.
bool is_url_prefix(std::string_view text);

// Reads both from the map `ledger`.
void read_log_settings(ConfigReader& ledger, Config& config);

}  // namespace gatehouse::gateway
