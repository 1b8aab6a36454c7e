// See case_request.h. What the gateway would say of such a call is made by what the gateway makes
// it with (context.h), from what the case says.
#include "policy/case_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"
#include "label/label.h"
#include "policy/context.h"

namespace gatehouse::policy {
namespace {

constexpr std::int64_t max_count = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view default_principal = "someone";

const std::vector<std::string_view> confidentiality_names = {"public", "internal", "confidential",
                                                             "restricted"};
const std::vector<std::string_view> integrity_names = {"trusted", "unverified", "untrusted"};

// Passes the errors of a nested map on to the reader of the map around it.
void close(ConfigReader& inner, ConfigReader& outer) {
  if (auto finished = inner.finish(); !finished) outer.note(std::move(finished).error());
}

// An absent map reads as an empty one: every key has its default.
ConfigNode map_or_empty(const std::optional<ConfigNode>& node) {
  if (node) return *node;
  auto empty = ConfigNode::parse("{}", "");
  GH_CHECK(empty.has_value());
  return std::move(*empty);
}

std::string read_text(const ConfigNode& node, ConfigReader& reader) {
  auto text = node.as_string();
  if (text) return std::move(*text);
  reader.note(std::move(text).error());
  return {};
}

std::vector<std::pair<std::string, std::string>> read_parents(const std::vector<std::string>& names,
                                                              ConfigReader& reader,
                                                              const ConfigNode& node) {
  std::vector<std::pair<std::string, std::string>> parents;
  for (const std::string& name : names) {
    const std::size_t separator = name.find("::");
    if (separator == std::string::npos) {
      reader.note(node.error(fmt::format("expected a parent as Type::id, got {}", name)));
      continue;
    }
    parents.emplace_back(name.substr(0, separator), name.substr(separator + 2));
  }
  return parents;
}

// A level by name or number.
std::int64_t read_level(ConfigReader& reader, std::string_view key, std::size_t fallback,
                        const std::vector<std::string_view>& names, const ConfigNode& map) {
  const auto node = map.find(key);
  if (node && node->as_int())
    return reader.integer(key, 0, 0, static_cast<std::int64_t>(names.size()) - 1);
  return static_cast<std::int64_t>(reader.choice(key, fallback, names));
}

// What the case leaves out is what the gateway would say of a call with these findings.
Record read_label(const std::optional<ConfigNode>& node, const Record& findings,
                  ConfigReader& outer) {
  const auto count = [&](std::size_t at) {
    return static_cast<std::uint64_t>(std::get<std::int64_t>(findings.members[at].value));
  };
  const Label usual = label_of_call(count(0), count(1) + count(2));
  const ConfigNode map = map_or_empty(node);
  ConfigReader reader(map);
  Record label = {
      {"confidentiality",
       read_level(reader, "confidentiality", static_cast<std::size_t>(usual.confidentiality),
                  confidentiality_names, map)},
      {"categories",
       reader.strings("categories", {usual.categories.begin(), usual.categories.end()})},
      {"integrity", read_level(reader, "integrity", static_cast<std::size_t>(usual.integrity),
                               integrity_names, map)}};
  close(reader, outer);
  return label;
}

Record read_findings(const std::optional<ConfigNode>& node, ConfigReader& outer) {
  const ConfigNode map = map_or_empty(node);
  ConfigReader reader(map);
  FindingCounts counts{};
  for (std::size_t at = 0; at < counts.size(); ++at)
    counts[at] =
        static_cast<std::uint64_t>(reader.integer(finding_categories[at], 0, 0, max_count));
  close(reader, outer);
  return findings_record(counts);
}

double read_p(ConfigReader& reader, std::string_view key) {
  const auto node = reader.child(key);
  if (!node) return 1;
  const auto p = node->as_double();
  if (!p) {
    reader.note(p.error());
  } else if (!(*p >= 0 && *p <= 1)) {
    reader.note(node->error("a p-value is between 0 and 1"));
  }
  return p.value_or(1);
}

// The p-values of the classifier's heads: {jailbreak: 0.0002}.
Record read_risk(const std::optional<ConfigNode>& node, ConfigReader& outer) {
  const ConfigNode map = map_or_empty(node);
  ConfigReader reader(map);
  const RiskValues risk{read_p(reader, "jailbreak"), read_p(reader, "injection")};
  close(reader, outer);
  return risk_record(risk);
}

// ---- what is asked --------------------------------------------------------------------------

// An attribute of a resource: its type is that of its default.
struct Field {
  std::string_view name;
  Value fallback;
};

std::int64_t read_clearance(ConfigReader& reader, std::string_view name, std::int64_t fallback,
                            const ConfigNode& map) {
  return read_level(reader, name, static_cast<std::size_t>(fallback), confidentiality_names, map);
}

Value read_field(ConfigReader& reader, const Field& field, const ConfigNode& map) {
  if (const auto* flag = std::get_if<bool>(&field.fallback))
    return reader.boolean(field.name, *flag);
  if (const auto* level = std::get_if<std::int64_t>(&field.fallback))
    return read_clearance(reader, field.name, *level, map);
  if (const auto* list = std::get_if<std::vector<std::string>>(&field.fallback))
    return reader.strings(field.name, *list);
  return reader.string(field.name, std::get<std::string>(field.fallback));
}

struct ResourceType {
  std::string_view name;
  std::string_view id;
  std::vector<Field> fields;  // besides name, which is the id unless given
  std::string_view parent_type = {};
  std::string_view parent_field = {};  // whose value is the id of the parent
};

const std::vector<ResourceType>& resource_types() {
  static const std::vector<ResourceType> types = {
      {"Model",
       "some-model",
       {{"provider", std::string("some-provider")},
        {"trust", std::string("external")},
        {"registered", true},
        {"clearance", std::int64_t{0}},
        {"clearance_level", std::int64_t{0}}},
       "Provider",
       "provider"},
      {"Tool",
       "some-server/some-tool",
       {{"server", std::string("some-server")},
        {"reads", true},
        {"writes", false},
        {"external", false},
        {"irreversible", false},
        {"reviewed", true},
        {"trusted", false},
        {"clearance", std::int64_t{0}}},
       "Server",
       "server"},
      {"Dataset",
       "some-dataset",
       {{"confidentiality", std::int64_t{1}},
        {"categories", std::vector<std::string>{}},
        {"trusted", false},
        {"reviewed", true},
        {"clearance", std::int64_t{0}}}},
      {"Gateway", "gateway", {}},
  };
  return types;
}

// The last part of "SERVER/TOOL"; else all of it.
std::string name_in(const std::string& id) {
  return id.substr(id.rfind('/') == std::string::npos ? 0 : id.rfind('/') + 1);
}

Entity read_resource_of(const ResourceType& type, ConfigReader& reader, const ConfigNode& map) {
  Entity entity{.type = std::string(type.name),
                .id = reader.string("id", std::string(type.id)),
                .attributes = {},
                .parents = read_parents(reader.strings("parents"), reader, map)};
  if (type.fields.empty()) return entity;
  entity.attributes.emplace_back(
      "name", reader.string("name", type.name == "Tool" ? name_in(entity.id) : entity.id));
  for (const Field& field : type.fields) {
    entity.attributes.emplace_back(std::string(field.name), read_field(reader, field, map));
    if (field.name == type.parent_field)
      entity.parents.emplace_back(std::string(type.parent_type),
                                  std::get<std::string>(entity.attributes.back().second));
  }
  return entity;
}

std::string_view resource_type_of(std::string_view action) {
  if (action == "infer" || action == "embed") return "Model";
  if (action == "call_tool" || action == "list_tools") return "Tool";
  if (action == "retrieve" || action == "train") return "Dataset";
  return "Gateway";
}

// `resource: gpt-4o`, or a map.
Entity read_resource(const std::optional<ConfigNode>& node, std::string_view action,
                     ConfigReader& outer) {
  ConfigNode map = map_or_empty(node && node->is_scalar() ? std::nullopt : node);
  ConfigReader reader(map);
  const std::string type_name = reader.string("type", std::string(resource_type_of(action)));
  const auto& types = resource_types();
  const auto type = std::ranges::find(types, type_name, &ResourceType::name);
  if (type == types.end()) {
    reader.note(map.error(fmt::format("there is no resource of type {} to ask of", type_name)));
    close(reader, outer);
    return {};
  }
  if (node && node->is_scalar()) {
    ResourceType named = *type;
    const std::string id = read_text(*node, outer);
    named.id = id;
    return read_resource_of(named, reader, map);
  }
  Entity entity = read_resource_of(*type, reader, map);
  close(reader, outer);
  return entity;
}

// ---- who asks -------------------------------------------------------------------------------

std::string kind_of(std::string_view type) {
  return to_lower(type);
}

// For whom it acts, nearest first, as the case says it: acts_for: ["agent:planner", "user:ada"].
Delegation read_chain(const Entity& principal, const std::vector<std::string>& acts_for,
                      ConfigReader& reader, const ConfigNode& node) {
  Delegation delegation;
  delegation.root_kind = kind_of(principal.type);
  delegation.root_id = principal.id;
  delegation.actors = {delegation.root_kind + ":" + delegation.root_id};
  for (const std::string& actor : acts_for) {
    const std::size_t colon = actor.find(':');
    if (colon == std::string::npos) {
      reader.note(node.error(fmt::format("expected kind:id in acts_for, got {}", actor)));
      continue;
    }
    ++delegation.depth;
    delegation.actors.push_back(actor);
    delegation.root_kind = actor.substr(0, colon);
    delegation.root_id = actor.substr(colon + 1);
  }
  return delegation;
}

constexpr std::array<std::string_view, 6> principal_keys = {
    "type", "id", "parents", "groups", "acts_for", "clearance_level"};

struct Asker {
  Entity entity;
  Delegation delegation;
};

Asker read_asking_model(ConfigReader& reader, const ConfigNode& node, ConfigReader& outer) {
  Entity entity = read_resource_of(resource_types().front(), reader, node);
  Delegation delegation = read_chain(entity, reader.strings("acts_for"), reader, node);
  close(reader, outer);
  return {std::move(entity), std::move(delegation)};
}

Asker read_principal_map(const ConfigNode& node, ConfigReader& outer) {
  ConfigReader reader(node);
  Entity entity{.type = reader.string("type", "User"),
                .id = reader.string("id", std::string(default_principal)),
                .attributes = {},
                .parents = {}};
  if (entity.type == "Model") return read_asking_model(reader, node, outer);
  entity.parents = read_parents(reader.strings("parents"), reader, node);
  for (std::string& group : reader.strings("groups"))
    entity.parents.emplace_back("Group", std::move(group));
  std::int64_t level = 0;
  for (const auto& [name, value] : node.members()) {
    if (std::ranges::find(principal_keys, name) != principal_keys.end()) continue;
    std::string text = reader.string(name, {});
    if (name == "clearance") level = clearance_level(text);
    entity.attributes.emplace_back(name, std::move(text));
  }
  entity.attributes.emplace_back("clearance_level", reader.integer("clearance_level", level, 0, 3));
  Delegation delegation = read_chain(entity, reader.strings("acts_for"), reader, node);
  close(reader, outer);
  return {std::move(entity), std::move(delegation)};
}

// `principal: ada`, or a map whose other keys are attributes.
Asker read_principal(const std::optional<ConfigNode>& node, ConfigReader& outer) {
  if (node && !node->is_scalar()) return read_principal_map(*node, outer);
  Entity entity{.type = "User",
                .id = node ? read_text(*node, outer) : std::string(default_principal),
                .attributes = {{"clearance_level", std::int64_t{0}}},
                .parents = {}};
  Delegation delegation = read_chain(entity, {}, outer, map_or_empty(std::nullopt));
  return {std::move(entity), std::move(delegation)};
}

// ---- what else is known ---------------------------------------------------------------------

Record read_delegation(const std::optional<ConfigNode>& node, Delegation delegation,
                       ConfigReader& outer) {
  const ConfigNode map = map_or_empty(node);
  ConfigReader reader(map);
  delegation.depth = reader.integer("depth", delegation.depth, 0, max_count);
  delegation.actors = reader.strings("actors", delegation.actors);
  delegation.root_kind = reader.string("root_kind", delegation.root_kind);
  delegation.root_id = reader.string("root_id", delegation.root_id);
  close(reader, outer);
  return delegation_record(delegation);
}

Record read_arguments(const std::optional<ConfigNode>& node, ConfigReader& outer) {
  const ConfigNode map = map_or_empty(node);
  ConfigReader reader(map);
  Arguments arguments;
  arguments.integrity =
      static_cast<Integrity>(read_level(reader, "integrity", 0, integrity_names, map));
  arguments.confidentiality = static_cast<Confidentiality>(
      read_level(reader, "confidentiality", 0, confidentiality_names, map));
  arguments.untrusted = reader.strings("untrusted");
  arguments.derived = reader.strings("derived");
  close(reader, outer);
  return arguments_record(arguments);
}

void add_text(Attributes& context, ConfigReader& reader, std::string name, std::string fallback) {
  std::string value = reader.string(name, std::move(fallback));
  context.emplace_back(std::move(name), std::move(value));
}

void add_flag(Attributes& context, ConfigReader& reader, std::string name) {
  const bool value = reader.boolean(name, false);
  context.emplace_back(std::move(name), value);
}

// What every context has.
Attributes read_common(ConfigReader& reader, const Delegation& delegation) {
  Attributes context = {{"hour", reader.integer("hour", 12, 0, 23)},
                        {"weekday", reader.integer("weekday", 3, 1, 7)}};
  add_text(context, reader, "peer", "192.0.2.1");
  context.emplace_back("delegation",
                       read_delegation(reader.child("delegation"), delegation, reader));
  return context;
}

void add_inspected(Attributes& context, ConfigReader& reader) {
  const Record findings = read_findings(reader.child("findings"), reader);
  context.emplace_back("label", read_label(reader.child("label"), findings, reader));
  context.emplace_back("findings", findings);
  context.emplace_back("risk", read_risk(reader.child("risk"), reader));
}

void read_call(Attributes& context, ConfigReader& reader) {
  add_text(context, reader, "dialect", "openai");
  add_text(context, reader, "route", "chat.completions");
  add_flag(context, reader, "stream");
  add_text(context, reader, "purpose", "");
  add_inspected(context, reader);
  add_flag(context, reader, "uninspectable");
  context.emplace_back("tools", reader.strings("tools"));
}

void read_listing(Attributes& context, ConfigReader& reader) {
  add_text(context, reader, "dialect", "openai");
  add_text(context, reader, "purpose", "");
}

void read_tool_call(Attributes& context, ConfigReader& reader) {
  add_text(context, reader, "surface", "chat");
  add_text(context, reader, "purpose", "");
  add_inspected(context, reader);
  add_flag(context, reader, "approved");
  context.emplace_back("arguments", read_arguments(reader.child("arguments"), reader));
}

void read_retrieval(Attributes& context, ConfigReader& reader) {
  add_text(context, reader, "purpose", "");
  context.emplace_back("findings", read_findings(reader.child("findings"), reader));
}

void read_training(Attributes& context, ConfigReader& reader) {
  add_text(context, reader, "purpose", "");
  add_text(context, reader, "environment", "sandbox");
  add_text(context, reader, "model", "some-model");
}

void read_administration(Attributes& context, ConfigReader& reader) {
  add_text(context, reader, "surface", "api");
  add_text(context, reader, "target", "");
  context.emplace_back("roles", reader.strings("roles"));
}

void read_approval(Attributes& context, ConfigReader& reader) {
  add_text(context, reader, "surface", "api");
  add_text(context, reader, "target", "");
  add_text(context, reader, "role", "approver");
  add_text(context, reader, "requester", "agent:some-agent");
  add_flag(context, reader, "own");
}

using ContextReader = void (*)(Attributes&, ConfigReader&);

ContextReader context_reader_of(std::string_view action) {
  if (action == "infer" || action == "embed") return read_call;
  if (action == "list_models" || action == "list_tools") return read_listing;
  if (action == "call_tool") return read_tool_call;
  if (action == "retrieve") return read_retrieval;
  if (action == "train") return read_training;
  return action == "approve" ? read_approval : read_administration;
}

}  // namespace

Request read_case_request(ConfigReader& reader) {
  Request request;
  Asker asker = read_principal(reader.child("principal"), reader);
  request.principal = std::move(asker.entity);
  request.action = reader.string("action", "infer");
  request.resource = read_resource(reader.child("resource"), request.action, reader);
  ConfigReader context(map_or_empty(reader.child("context")));
  request.context = read_common(context, asker.delegation);
  context_reader_of(request.action)(request.context, context);
  close(context, reader);
  return request;
}

}  // namespace gatehouse::policy
