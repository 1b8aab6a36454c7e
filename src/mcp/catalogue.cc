// See catalogue.h.
#include "mcp/catalogue.h"

#include <set>

#include "base/text.h"
#include "crypto/crypto.h"
#include "mcp/canonical.h"

namespace gatehouse::mcp {
namespace {

bool can_be_served(const JsonView& definition, const std::string& name) {
  const auto schema = definition.find("inputSchema");
  return is_tool_name(name) && schema && schema->is_object();
}

}  // namespace

// A server that writes its objects in another order each time has not changed its tools.
std::string definition_digest(const JsonView& definition) {
  std::string canonical;
  append_canonical(canonical, definition, Commas::behind_each);
  return "sha256:" + to_hex(crypto::sha256(bytes_of(canonical)));
}

Result<ToolPage> read_tools(const JsonView& result) {
  const auto list = result.find("tools");
  if (!list || !list->is_array())
    return fail(ErrorCode::invalid_argument, "the list of tools has no array \"tools\"");
  const auto items = list->items();
  if (items.size() > most_tools)
    return fail(ErrorCode::resource_exhausted, "the list has more than 10,000 tools");
  ToolPage page;
  std::set<std::string, std::less<>> names;
  for (const auto& item : items) {
    auto name = item.find_text("name").value_or("");
    if (!can_be_served(item, name) || !names.insert(name).second) {
      ++page.unusable;
      continue;
    }
    page.tools.push_back({std::move(name), definition_digest(item), item});
  }
  return page;
}

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::in_service:
      return "in service";
    case Standing::unreviewed:
      return "not reviewed";
    case Standing::changed:
      return "changed since its review";
    case Standing::unknown:
      return "unknown";
    case Standing::withdrawn:
      return "withdrawn";
  }
  return "not reviewed";
}

Standing Catalogue::standing(const Tool& tool) {
  if (tool.changed == withdrawn_mark) return Standing::withdrawn;
  if (tool.pinned.empty()) return Standing::unreviewed;
  return tool.changed.empty() ? Standing::in_service : Standing::changed;
}

void Catalogue::set_pin(std::string_view server, std::string_view tool, std::string_view digest,
                        std::string_view changed) {
  const std::lock_guard lock(mutex_);
  auto& entry = servers_[std::string(server)][std::string(tool)];
  entry.pinned = digest;
  entry.changed = changed;
  entry.told.clear();
}

std::vector<Catalogue::News> Catalogue::note_list(std::string_view server,
                                                  const std::vector<ToolDefinition>& tools) {
  std::vector<News> news;
  const std::lock_guard lock(mutex_);
  auto& known = servers_[std::string(server)];
  for (const auto& definition : tools) {
    if (known.size() >= most_tools && !known.contains(definition.name)) continue;
    auto& tool = known[definition.name];
    if (!tool.listed || tool.listed->digest != definition.digest) {
      const auto schema = definition.json.find("inputSchema");
      tool.listed = std::make_shared<const Listed>(
          Listed{definition.digest, std::string(definition.json.raw()),
                 schema ? parameter_headers(*schema) : std::vector<ParameterHeader>()});
    }
    if (tool.pinned == definition.digest || tool.changed == withdrawn_mark) continue;
    // From here on, whatever the ledger takes to hear of it.
    if (!tool.pinned.empty()) tool.changed = definition.digest;
    if (tool.told == definition.digest) continue;
    news.push_back({definition.name, definition.digest, standing(tool)});
  }
  return news;
}

void Catalogue::note_told(std::string_view server, const News& news) {
  const std::lock_guard lock(mutex_);
  const auto tools = servers_.find(server);
  if (tools == servers_.end()) return;
  if (const auto found = tools->second.find(news.tool); found != tools->second.end())
    found->second.told = news.digest;
}

Standing Catalogue::standing_of(std::string_view server, std::string_view tool) const {
  const std::lock_guard lock(mutex_);
  const auto tools = servers_.find(server);
  if (tools == servers_.end()) return Standing::unknown;
  const auto found = tools->second.find(tool);
  return found == tools->second.end() ? Standing::unknown : standing(found->second);
}

Standing Catalogue::standing_of(std::string_view server, std::string_view tool,
                                std::string_view digest) const {
  const std::lock_guard lock(mutex_);
  const auto tools = servers_.find(server);
  if (tools == servers_.end()) return Standing::unreviewed;
  const auto found = tools->second.find(tool);
  if (found == tools->second.end()) return Standing::unreviewed;
  const Standing now = standing(found->second);
  if (now == Standing::in_service && found->second.pinned != digest) return Standing::changed;
  return now;
}

std::shared_ptr<const Catalogue::Listed> Catalogue::listed(std::string_view server,
                                                           std::string_view tool) const {
  const std::lock_guard lock(mutex_);
  const auto tools = servers_.find(server);
  if (tools == servers_.end()) return nullptr;
  const auto found = tools->second.find(tool);
  return found == tools->second.end() ? nullptr : found->second.listed;
}

std::vector<Catalogue::Entry> Catalogue::entries(std::string_view server) const {
  std::vector<Entry> found;
  const std::lock_guard lock(mutex_);
  const auto tools = servers_.find(server);
  if (tools == servers_.end()) return found;
  for (const auto& [name, tool] : tools->second)
    found.push_back({name, standing(tool), tool.pinned, tool.listed});
  return found;
}

}  // namespace gatehouse::mcp
