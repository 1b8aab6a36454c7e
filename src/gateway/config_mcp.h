// The part of gatehouse.yaml under `mcp:`: servers of the Model Context Protocol behind this
// gateway, and how it meets clients. See config.h; docs/mcp.md is for operators.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "mcp/stdio.h"
#include "net/client.h"

namespace gatehouse {
class ConfigReader;
}

namespace gatehouse::gateway {

// Which revisions a server is spoken to in. `automatic`: found out.
enum class McpEras : std::uint8_t { automatic, legacy, modern };

struct McpServerConfig {
  std::string name;  // in paths (/mcp/NAME) and in front of tools: a-z A-Z 0-9 - and single _
  std::string url;   // Streamable HTTP; empty: a command
  net::Endpoint endpoint;
  std::string target;             // of the URL: path and query
  std::string credential_header;  // "Authorization"
  Secret credential;              // empty: none is sent
  std::optional<mcp::StdioOptions> command;
  McpEras eras = McpEras::automatic;
  bool in_all = true;  // part of /mcp
};

struct McpConfig {
  std::map<std::string, McpServerConfig, std::less<>> servers;
  bool trust_on_first_use = false;
  std::vector<std::string>
      allowed_origins;  // besides those of this machine: "https://app.example.com"
  std::size_t message_bytes = 4u << 20;
  std::chrono::milliseconds stream_idle{3'600'000};
  std::vector<std::string> scopes;  // in OAuth metadata

  const McpServerConfig* find(std::string_view name) const;
};

void read_mcp(ConfigReader& root, const std::filesystem::path& file, McpConfig& config);

}  // namespace gatehouse::gateway
