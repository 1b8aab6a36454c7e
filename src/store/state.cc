// See state.h. The rules are those of the tables: ids, prefixes and hashes of keys differ, and a
// model's name is in service once.
#include "store/state.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <variant>

#include "base/json.h"
#include "store/change.h"

namespace gatehouse::store {
namespace {

constexpr std::string_view state_types[] = {
    "key.created",        "key.revoked",         "model.added",        "model.removed",
    "token.revoked",      "principal.revoked",   "principal.restored", "mcp.tool.reviewed",
    "mcp.tool.changed",   "mcp.tool.withdrawn",  "approval.requested", "approval.granted",
    "approval.denied",    "approval.standing",   "approval.used",      "approval.expired",
    "approval.withdrawn", "account.provisioned", "account.removed",    "group.provisioned",
    "group.removed"};

// An event that makes a record of this name again.
std::string_view type_of_record(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> types[] = {
      {"revoked/token/", "token.revoked"},
      {"revoked/principal/", "principal.revoked"},
      {"approval/", "approval.requested"},
      {"account/", "account.provisioned"},
      {"group/", "group.provisioned"}};
  for (const auto& [prefix, type] : types)
    if (name.starts_with(prefix)) return type;
  return "principal.revoked";
}

void write_attributes(JsonWriter& json, const KeyRecord& key) {
  json.begin_object();
  for (const auto& [name, value] : key.attributes) json.key(name).string(value);
  json.end_object();
}

void write_key(JsonWriter& json, const KeyRecord& key) {
  json.begin_object().key("id").string(key.id).key("prefix").string(key.prefix);
  json.key("hash").string(key.hash).key("principal_kind").string(key.principal_kind);
  json.key("principal_id").string(key.principal_id).key("attributes");
  write_attributes(json, key);
  json.key("created").string(key.created).key("expires").string(key.expires);
}

void write_model(JsonWriter& json, const ModelRecord& model) {
  json.begin_object().key("name").string(model.name).key("provider").string(model.provider);
  json.key("upstream_name").string(model.upstream_name).key("trust").string(model.trust);
  json.key("created").string(model.created);
  if (!model.clearance.empty()) json.key("clearance").string(model.clearance);
}

void write_tool(JsonWriter& json, const ToolRecord& tool) {
  json.begin_object().key("server").string(tool.server).key("tool").string(tool.tool);
  json.key("digest").string(tool.digest).key("reviewed").string(tool.reviewed);
  json.key("reviewer").string(tool.reviewer);
}

StateEvent two_texts(std::string_view type, std::string_view name, std::string_view value,
                     std::string_view other_name, std::string_view other) {
  StateEvent event{std::string(type), {}};
  JsonWriter json(event.data);
  json.begin_object().key(name).string(value).key(other_name).string(other).end_object();
  return event;
}

}  // namespace

Result<State> State::from_records(std::vector<KeyRecord> keys, std::vector<ModelRecord> models,
                                  std::vector<Record> records, std::vector<ToolRecord> tools,
                                  std::uint64_t next_index) {
  State state;
  for (KeyRecord& key : keys) {
    if (auto added = state.add(std::move(key)); !added)
      return fail(ErrorCode::data_loss, std::move(added).error().message);
  }
  for (ModelRecord& model : models) {
    std::string name = model.name;
    if (!state.models_.emplace(std::move(name), std::move(model)).second)
      return fail(ErrorCode::data_loss, "two models have the same name");
  }
  for (Record& record : records)
    if (!state.records_.emplace(std::move(record.name), std::move(record.data)).second)
      return fail(ErrorCode::data_loss, "two records have the same name");
  for (ToolRecord& tool : tools) {
    std::string key = tool.key();
    if (!state.tools_.emplace(std::move(key), std::move(tool)).second)
      return fail(ErrorCode::data_loss, "two tools of a server have the same name");
  }
  state.next_index_ = next_index;
  return state;
}

Result<void> State::add(KeyRecord key) {
  if (keys_.contains(key.id) || id_of_prefix_.contains(key.prefix) || hashes_.contains(key.hash))
    return fail(ErrorCode::already_exists,
                "two keys have the same id, prefix or hash; one is '" + key.id + "'");
  id_of_prefix_.emplace(key.prefix, key.id);
  hashes_.insert(key.hash);
  std::string id = key.id;
  keys_.emplace(std::move(id), std::move(key));
  return {};
}

Result<void> State::apply(std::uint64_t index, std::string_view type, std::string_view data_json) {
  GH_ASSIGN(Change change, parse_change(type, data_json));
  if (index < next_index_) return {};
  if (auto* created = std::get_if<KeyCreated>(&change)) {
    GH_TRY(add(std::move(created->key)));
  } else if (const auto* revoked = std::get_if<KeyRevoked>(&change)) {
    const auto key = keys_.find(revoked->id);
    if (key == keys_.end())
      return fail(ErrorCode::not_found, "no key has the id '" + revoked->id + "'");
    if (key->second.revoked.empty()) key->second.revoked = revoked->time;
  } else if (auto* added = std::get_if<ModelAdded>(&change)) {
    const auto known = models_.find(added->model.name);
    if (known != models_.end() && known->second.removed.empty())
      return fail(ErrorCode::already_exists,
                  "the model '" + added->model.name + "' is already in service");
    std::string name = added->model.name;
    models_.insert_or_assign(std::move(name), std::move(added->model));
  } else if (const auto* removed = std::get_if<ModelRemoved>(&change)) {
    const auto known = models_.find(removed->name);
    if (known == models_.end() || !known->second.removed.empty())
      return fail(ErrorCode::not_found, "no model '" + removed->name + "' is in service");
    known->second.removed = removed->time;
  } else if (auto* put = std::get_if<RecordPut>(&change)) {
    records_.insert_or_assign(std::move(put->record.name), std::move(put->record.data));
  } else if (const auto* gone = std::get_if<RecordRemoved>(&change)) {
    if (records_.erase(gone->name) == 0)
      return fail(ErrorCode::not_found, "there is no '" + gone->name + "'");
  } else if (auto* reviewed = std::get_if<ToolReviewed>(&change)) {
    std::string key = reviewed->tool.key();
    tools_.insert_or_assign(std::move(key), std::move(reviewed->tool));
  } else if (const auto* changed = std::get_if<ToolChanged>(&change)) {
    const auto known = tools_.find(changed->key);
    if (known == tools_.end())
      return fail(ErrorCode::not_found, "the tool '" + changed->key + "' was never reviewed");
    known->second.changed = changed->digest;
  } else if (const auto* withdrawn = std::get_if<ToolWithdrawn>(&change)) {
    if (tools_.erase(withdrawn->key) == 0)
      return fail(ErrorCode::not_found, "the tool '" + withdrawn->key + "' was never reviewed");
  }
  next_index_ = index + 1;
  return {};
}

void State::seen_up_to(std::uint64_t next) {
  next_index_ = std::max(next_index_, next);
}

std::vector<KeyRecord> State::keys() const {
  std::vector<KeyRecord> keys;
  keys.reserve(keys_.size());
  for (const auto& [id, key] : keys_) keys.push_back(key);
  std::ranges::sort(keys, {}, [](const KeyRecord& key) { return std::tie(key.created, key.id); });
  return keys;
}

std::vector<ModelRecord> State::models() const {
  std::vector<ModelRecord> models;
  for (const auto& [name, model] : models_)
    if (model.removed.empty()) models.push_back(model);
  return models;
}

const KeyRecord* State::find_key_by_prefix(std::string_view prefix) const {
  const auto id = id_of_prefix_.find(prefix);
  return id == id_of_prefix_.end() ? nullptr : &keys_.find(id->second)->second;
}

std::string State::canonical() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("keys").begin_array();
  for (const auto& [id, key] : keys_) {
    write_key(json, key);
    json.key("revoked").string(key.revoked).end_object();
  }
  json.end_array().key("models").begin_array();
  for (const auto& [name, model] : models_) {
    write_model(json, model);
    json.key("removed").string(model.removed).end_object();
  }
  json.end_array();
  // Left out where there are none: seals of databases from before there were any still hold.
  if (!records_.empty()) {
    json.key("records").begin_array();
    for (const auto& [name, data] : records_)
      json.begin_object().key("name").string(name).key("data").string(data).end_object();
    json.end_array();
  }
  // Where there are none, the text is what it was before tools were state: old seals hold.
  if (!tools_.empty()) {
    json.key("tools").begin_array();
    for (const auto& [key, tool] : tools_) {
      write_tool(json, tool);
      json.key("changed").string(tool.changed).end_object();
    }
    json.end_array();
  }
  json.end_object();
  return out;
}

std::string attributes_json(const KeyRecord& key) {
  std::string out;
  JsonWriter json(out);
  write_attributes(json, key);
  return out;
}

bool is_state_event(std::string_view type) {
  return std::ranges::count(state_types, type) > 0;
}

bool may_change_state(std::string_view entry) {
  return std::ranges::any_of(state_types, [entry](std::string_view type) {
    return entry.find(type) != std::string_view::npos;
  });
}

Result<std::optional<StateEvent>> state_event_in(std::string_view entry) {
  if (!may_change_state(entry)) return std::nullopt;
  const auto json = nlohmann::json::parse(entry, nullptr, false);
  const auto type = json.is_object() ? json.find("type") : json.end();
  if (!json.is_object() || type == json.end() || !type->is_string())
    return fail(ErrorCode::data_loss, "the entry is not an event");
  const auto name = type->get<std::string>();
  if (!is_state_event(name)) return std::nullopt;
  const auto data = json.find("data");
  if (data == json.end()) return fail(ErrorCode::data_loss, "the event has no data");
  return StateEvent{name, data->dump()};
}

std::vector<StateEvent> events_of(const State& state) {
  std::vector<StateEvent> events;
  for (const KeyRecord& key : state.keys()) {
    StateEvent created{"key.created", {}};
    JsonWriter json(created.data);
    write_key(json, key);
    json.end_object();
    events.push_back(std::move(created));
    if (!key.revoked.empty())
      events.push_back(two_texts("key.revoked", "id", key.id, "revoked", key.revoked));
  }
  for (const auto& [name, model] : state.all_models()) {
    StateEvent added{"model.added", {}};
    JsonWriter json(added.data);
    write_model(json, model);
    json.end_object();
    events.push_back(std::move(added));
    if (!model.removed.empty())
      events.push_back(two_texts("model.removed", "name", name, "removed", model.removed));
  }
  for (const auto& [name, data] : state.records())
    events.push_back({std::string(type_of_record(name)), data});
  for (const auto& [key, tool] : state.all_tools()) {
    StateEvent reviewed{"mcp.tool.reviewed", {}};
    JsonWriter json(reviewed.data);
    write_tool(json, tool);
    json.end_object();
    events.push_back(std::move(reviewed));
    if (tool.changed.empty()) continue;
    StateEvent changed{"mcp.tool.changed", {}};
    JsonWriter change(changed.data);
    change.begin_object().key("server").string(tool.server).key("tool").string(tool.tool);
    change.key("digest").string(tool.changed).end_object();
    events.push_back(std::move(changed));
  }
  return events;
}

}  // namespace gatehouse::store
