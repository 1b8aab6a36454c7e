// See config_tools.h.
#include "gateway/config_tools.h"

#include <algorithm>
#include <array>

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_tools = 4'096;
constexpr std::size_t most_members = 256;
constexpr std::size_t longest_name = 256;

struct RoleName {
  ArgumentRole role;
  std::string_view name;
};
constexpr std::array<RoleName, 12> role_names{{{ArgumentRole::other, "other"},
                                               {ArgumentRole::recipient, "recipient"},
                                               {ArgumentRole::destination, "destination"},
                                               {ArgumentRole::amount, "amount"},
                                               {ArgumentRole::command, "command"},
                                               {ArgumentRole::file, "file"},
                                               {ArgumentRole::identifier, "identifier"},
                                               {ArgumentRole::time, "time"},
                                               {ArgumentRole::secret, "secret"},
                                               {ArgumentRole::choice, "choice"},
                                               {ArgumentRole::text, "text"},
                                               {ArgumentRole::detail, "detail"}}};

Result<ArgumentRole> parse_role(std::string_view text) {
  const auto* found = std::ranges::find(role_names, text, &RoleName::name);
  if (found != role_names.end()) return found->role;
  return fail(ErrorCode::invalid_argument,
              "an argument is one of: recipient, destination, amount, command, file, identifier, "
              "time, secret, choice, other, text, detail");
}

void read_effects(ConfigReader& reader, const ConfigNode& node, ToolDeclaration& tool) {
  const auto effects = reader.strings("effects");
  tool.declared_effects = node.find("effects").has_value();
  for (const auto& effect : effects) {
    if (effect == "read") {
      tool.effects.reads = true;
    } else if (effect == "write") {
      tool.effects.writes = true;
    } else if (effect == "external") {
      tool.effects.external = true;
    } else if (effect == "irreversible") {
      tool.effects.irreversible = true;
    } else {
      reader.note(node.error("effects are of: read, write, external, irreversible"));
    }
  }
}

template <class Value, class Parse>
void read_members(ConfigReader& reader, std::string_view key,
                  std::map<std::string, Value, std::less<>>& into, Parse parse) {
  const auto node = reader.child(key);
  if (!node) return;
  if (!node->is_map() || node->members().size() > most_members)
    return reader.note(node->error("this is a map of at most 256 names"));
  for (const auto& [name, value] : node->members()) {
    const auto text = value.as_string();
    auto parsed = text ? parse(*text) : std::unexpected(text.error());
    if (parsed) {
      into.emplace(name, *parsed);
    } else {
      reader.note(value.error(parsed.error().message));
    }
  }
}

void read_results(ConfigReader& reader, ToolDeclaration& tool) {
  const auto node = reader.child("results");
  if (!node) return;
  ConfigReader results(*node);
  const auto level = parse_confidentiality(results.string("confidentiality", "public"));
  if (level) {
    tool.results.confidentiality = *level;
  } else {
    results.note(node->error(level.error().message));
  }
  for (auto& category : results.strings("categories"))
    tool.results.categories.insert(std::move(category));
  if (auto finished = results.finish(); !finished) reader.note(finished.error());
}

void read_tool(ConfigReader& root, const ConfigNode& node, ToolDeclarations& tools) {
  ConfigReader reader(node);
  ToolDeclaration tool;
  tool.server = reader.string("server", "");
  tool.name = reader.required_string("name");
  if (tool.name.size() > longest_name || tool.server.size() > longest_name)
    reader.note(node.error("a name has at most 256 bytes"));
  if (tool.name == "*" && tool.server.empty())
    reader.note(node.error("\"*\" is for the tools of a server; name the server"));
  read_effects(reader, node, tool);
  if (const auto trust = parse_integrity(reader.string("trust", "untrusted"))) {
    tool.trust = *trust;
  } else {
    reader.note(node.error(trust.error().message));
  }
  if (const auto clearance = parse_confidentiality(reader.string("clearance", "public"))) {
    tool.clearance = *clearance;
  } else {
    reader.note(node.error(clearance.error().message));
  }
  read_results(reader, tool);
  read_members(reader, "fields", tool.fields, parse_integrity);
  read_members(reader, "arguments", tool.arguments, parse_role);
  if (auto finished = reader.finish(); !finished) return root.note(finished.error());
  if (tools.all().size() == most_tools)
    return root.note(node.error("there can be at most 4096 tools"));
  const std::string name = tool.name;
  if (!tools.add(std::move(tool)))
    root.note(node.error("the tool \"" + name + "\" is declared twice"));
}

}  // namespace

std::string_view to_string(ArgumentRole role) {
  return role_names[static_cast<std::size_t>(role)].name;
}

bool is_consequential(ArgumentRole role) {
  return role != ArgumentRole::text && role != ArgumentRole::detail && role != ArgumentRole::time;
}

bool ToolDeclaration::consequential() const {
  return !declared_effects || effects.writes || effects.external || effects.irreversible;
}

ArgumentRole ToolDeclaration::role_of(std::string_view argument) const {
  const auto found = arguments.find(argument);
  return found == arguments.end() ? ArgumentRole::other : found->second;
}

bool ToolDeclarations::add(ToolDeclaration declaration) {
  const auto same = [&](const ToolDeclaration& one) {
    return one.server == declaration.server && one.name == declaration.name;
  };
  if (std::ranges::any_of(all_, same)) return false;
  all_.push_back(std::move(declaration));
  return true;
}

const ToolDeclaration* ToolDeclarations::find(std::string_view server,
                                              std::string_view name) const {
  const ToolDeclaration* any = nullptr;
  for (const auto& one : all_) {
    if (one.server != server) continue;
    if (one.name == name) return &one;
    if (one.name == "*") any = &one;
  }
  if (any != nullptr || !server.empty()) return any;
  constexpr std::string_view separator = "__";
  const auto split = name.find(separator);
  if (split == 0 || split == std::string_view::npos) return nullptr;
  return find(name.substr(0, split), name.substr(split + separator.size()));
}

ToolDeclarations read_tools(ConfigReader& root) {
  ToolDeclarations tools;
  for (const auto& node : root.list("tools")) read_tool(root, node, tools);
  return tools;
}

}  // namespace gatehouse::gateway
