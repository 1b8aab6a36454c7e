// See config_mcp.h.
#include "gateway/config_mcp.h"

#include <algorithm>

#include "base/config.h"
#include "base/text.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_servers = 128;

bool is_server_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  // "__" parts the server's name from the tool's.
  return !name.empty() && name.size() <= 40 && std::ranges::all_of(name, fits) &&
         !name.contains("__") && name.front() != '_' && name.back() != '_';
}

bool is_token(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

// A whole endpoint: what follows the authority is the path of the server.
void read_url(ConfigReader& reader, const ConfigNode& node, McpServerConfig& server) {
  auto endpoint = net::Endpoint::parse(server.url.substr(0, server.url.find('?')));
  if (!endpoint) {
    reader.note(node.find("url")->error(endpoint.error().message));
    return;
  }
  server.endpoint = std::move(*endpoint);
  server.target =
      server.endpoint.base_path.empty() ? "/" : std::exchange(server.endpoint.base_path, "");
  if (const auto query = server.url.find('?'); query != std::string::npos)
    server.target += server.url.substr(query);
}

void read_credential(ConfigReader& reader, McpServerConfig& server) {
  server.credential_header = reader.string("credential_header", "Authorization");
  if (!is_token(server.credential_header))
    reader.note(Error{ErrorCode::invalid_argument, "credential_header is no name of a header", {}});
  const auto node = reader.child("credential");
  if (!node) return;
  if (auto secret = load_secret(*node)) {
    server.credential = std::move(*secret);
  } else {
    reader.note(secret.error());
  }
}

void read_environment(ConfigReader& reader, mcp::StdioOptions& options) {
  const auto node = reader.child("environment");
  if (!node) return;
  for (const auto& [name, value] : node->members()) {
    const auto text =
        value.is_map() ? std::optional<std::string>() : value.as_string().value_or("");
    if (text) {
      options.environment.emplace_back(name, Secret(*text));
    } else if (auto secret = load_secret(value)) {
      options.environment.emplace_back(name, std::move(*secret));
    } else {
      reader.note(secret.error());
    }
  }
}

void read_command(ConfigReader& reader, const ConfigNode& node, const std::filesystem::path& file,
                  McpServerConfig& server) {
  using std::chrono::milliseconds;
  mcp::StdioOptions options;
  options.command = reader.strings("command");
  read_environment(reader, options);
  options.network = reader.boolean("network", false);
  for (const auto& path : reader.strings("read"))
    options.readable.push_back(file.parent_path() / path);
  for (const auto& path : reader.strings("write"))
    options.writable.push_back(file.parent_path() / path);
  options.memory_bytes = reader.size("memory", 2'147'483'648, 16u << 20, 64ull << 30);
  options.processes = static_cast<std::size_t>(reader.integer("processes", 64, 1, 10'000));
  options.sandbox = reader.boolean("sandbox", true);
  if (options.command.empty()) return;
  if (!std::filesystem::path(options.command.front()).is_absolute())
    reader.note(node.error("command: the program needs an absolute path; no PATH is searched"));
  server.command = std::move(options);
}

void read_server(ConfigReader& section, const ConfigNode& node, const std::filesystem::path& file,
                 McpConfig& config) {
  ConfigReader reader(node);
  McpServerConfig server;
  server.name = reader.required_string("name");
  server.url = reader.string("url", "");
  if (!server.url.empty()) read_url(reader, node, server);
  read_credential(reader, server);
  read_command(reader, node, file, server);
  server.eras = static_cast<McpEras>(reader.choice("eras", 0, {"automatic", "legacy", "modern"}));
  server.in_all = reader.boolean("in_all", true);
  if (!is_server_name(server.name))
    reader.note(node.error("the name of a server has 1 to 40 of A-Z a-z 0-9 - and single _"));
  if (server.url.empty() == !server.command.has_value())
    reader.note(node.error("a server has either a \"url\" or a \"command\""));
  if (auto finished = reader.finish(); !finished) {
    section.note(finished.error());
  } else if (config.servers.size() == most_servers) {
    section.note(node.error("there can be at most 128 servers"));
  } else if (std::string name = server.name;
             !config.servers.emplace(std::move(name), std::move(server)).second) {
    section.note(node.error("a server of this name is defined twice"));
  }
}

}  // namespace

const McpServerConfig* McpConfig::find(std::string_view name) const {
  const auto found = servers.find(name);
  return found == servers.end() ? nullptr : &found->second;
}

void read_mcp(ConfigReader& root, const std::filesystem::path& file, McpConfig& config) {
  using std::chrono::milliseconds;
  const auto node = root.child("mcp");
  if (!node) return;
  ConfigReader mcp(*node);
  for (const auto& server : mcp.list("servers")) read_server(mcp, server, file, config);
  config.trust_on_first_use = mcp.boolean("trust_on_first_use", config.trust_on_first_use);
  config.allowed_origins = mcp.strings("allowed_origins");
  config.message_bytes = mcp.size("message", config.message_bytes, 64u << 10, 64u << 20);
  config.stream_idle = mcp.duration("stream_idle", config.stream_idle, milliseconds(1'000),
                                    milliseconds(24 * 3'600'000));
  config.scopes = mcp.strings("scopes");
  if (auto finished = mcp.finish(); !finished) root.note(finished.error());
}

}  // namespace gatehouse::gateway
