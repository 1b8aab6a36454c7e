// See mcp_desk.h.
#include "gateway/mcp_desk.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_own_sessions = 50'000;

}  // namespace

static_assert(mcp::withdrawn_mark == store::withdrawn_tool);

void McpDesk::take_pins(const std::vector<store::ToolRecord>& tools) {
  for (const auto& tool : tools)
    catalogue_.set_pin(tool.server, tool.tool, tool.digest, tool.changed);
}

std::optional<mcp::Era> McpDesk::era_of(std::string_view server) const {
  const std::lock_guard lock(mutex_);
  const auto found = eras_.find(server);
  return found == eras_.end() ? std::nullopt : std::optional(found->second);
}

void McpDesk::note_era(std::string_view server, std::optional<mcp::Era> era) {
  const std::lock_guard lock(mutex_);
  if (era) {
    eras_.insert_or_assign(std::string(server), *era);
  } else if (const auto found = eras_.find(server); found != eras_.end()) {
    eras_.erase(found);
  }
}

bool McpDesk::refuses_legacy(std::string_view server) const {
  const std::lock_guard lock(mutex_);
  return modern_only_.contains(server);
}

void McpDesk::note_refuses_legacy(std::string_view server) {
  const std::lock_guard lock(mutex_);
  modern_only_.emplace(server);
}

std::optional<McpDesk::OwnSession> McpDesk::own_session(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = own_sessions_.find(name);
  return found == own_sessions_.end() ? std::nullopt : std::optional(found->second);
}

void McpDesk::keep_own_session(const std::string& name, OwnSession session) {
  const std::lock_guard lock(mutex_);
  if (own_sessions_.size() >= most_own_sessions) own_sessions_.clear();
  own_sessions_.insert_or_assign(name, std::move(session));
}

void McpDesk::forget_own_session(const std::string& name) {
  const std::lock_guard lock(mutex_);
  own_sessions_.erase(name);
}

std::shared_ptr<mcp::StdioServer> McpDesk::process(
    const McpServerConfig& server, const std::vector<std::filesystem::path>& hidden) {
  const std::lock_guard lock(mutex_);
  auto& process = processes_[server.name];
  if (!process) {
    auto options = *server.command;
    options.hidden = hidden;
    process = std::make_shared<mcp::StdioServer>(server.name, std::move(options));
  }
  return process;
}

void McpDesk::stop() {
  std::map<std::string, std::shared_ptr<mcp::StdioServer>, std::less<>> ending;
  {
    const std::lock_guard lock(mutex_);
    ending.swap(processes_);
  }
  // Each ends with its last holder, here.
}

}  // namespace gatehouse::gateway
