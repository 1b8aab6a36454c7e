// What all workers share about servers of the Model Context Protocol: the catalogue of tools, what
// was found out about the servers, and the processes of those that are started here. Thread-safe;
// the control plane owns it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config_mcp.h"
#include "gateway/decided_calls.h"
#include "gateway/mcp_sessions.h"
#include "identity/identity.h"
#include "mcp/catalogue.h"
#include "mcp/stdio.h"

namespace gatehouse::gateway {

class McpDesk {
 public:
  mcp::Catalogue& catalogue() { return catalogue_; }
  DecidedCalls& decided() { return decided_; }

  // Takes the pins from the ledger's state, at start and after each review.
  void take_pins(const std::vector<store::ToolRecord>& tools);

  // Which era a server speaks, as far as it is known: found out once, forgotten when it stops
  // being true.
  std::optional<mcp::Era> era_of(std::string_view server) const;
  void note_era(std::string_view server, std::optional<mcp::Era> era);

  // Whether it has refused to speak the legacy era.
  bool refuses_legacy(std::string_view server) const;
  void note_refuses_legacy(std::string_view server);

  // Sessions of the gateway itself at servers of the legacy era (mcp_bridge.cc), by principal and
  // server.
  struct OwnSession {
    std::string id;
    std::string version;
    std::string initialized;  // the result of initialize, JSON
  };
  std::optional<OwnSession> own_session(const std::string& name) const;
  void keep_own_session(const std::string& name, OwnSession session);
  void forget_own_session(const std::string& name);

  // The process of a server with a command; made when it is first asked for. `hidden`: folders it
  // must not see.
  std::shared_ptr<mcp::StdioServer> process(const McpServerConfig& server,
                                            const std::vector<std::filesystem::path>& hidden);
  void stop();  // ends all processes

  // What sessions have seen, by their keyed names.
  McpSessions& sessions() { return sessions_; }

 private:
  mcp::Catalogue catalogue_;
  DecidedCalls decided_;
  McpSessions sessions_;
  mutable std::mutex mutex_;
  std::map<std::string, mcp::Era, std::less<>> eras_;
  std::set<std::string, std::less<>> modern_only_;
  std::map<std::string, std::shared_ptr<mcp::StdioServer>, std::less<>> processes_;
  std::map<std::string, OwnSession> own_sessions_;
};

}  // namespace gatehouse::gateway
