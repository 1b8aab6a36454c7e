// See ocsf.h. The classes used, by uid: 0 Base Event, 2004 Detection Finding, 3004 Entity
// Management, 6003 API Activity. Only API Activity has the ai_operation profile in OCSF 1.8.0; a
// finding names model and provider in its resources instead.
#include "export/ocsf.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/text.h"
#include "export/facts.h"

namespace gatehouse::exporter {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t longest_list_text = 1'024;
constexpr std::string_view schema_version = "1.8.0";

struct Class {
  int category;
  int uid;
  const char* name;
  const char* category_name;
};
constexpr Class base_event{0, 0, "Base Event", "Uncategorized"};
constexpr Class detection_finding{2, 2004, "Detection Finding", "Findings"};
constexpr Class entity_management{3, 3004, "Entity Management", "Identity & Access Management"};
constexpr Class api_activity{6, 6003, "API Activity", "Application Activity"};

struct Activity {
  int id;
  const char* name;
};

std::int64_t milliseconds(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

// OCSF's integer_t has 32 bits.
bool fits(std::int64_t value) {
  return value >= 0 && value <= std::numeric_limits<std::int32_t>::max();
}

void set_text(ordered_json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

void set_number(ordered_json& object, const char* key, std::optional<std::int64_t> number) {
  if (number && fits(*number)) object[key] = *number;
}

// ---- what all classes share

const char* severity_name(int id) {
  constexpr const char* names[] = {"Unknown", "Informational", "Low", "Medium", "High", "Critical"};
  return names[id];
}

ordered_json metadata_of(const Record& record, const Source& source, const std::string& uid,
                         std::initializer_list<const char*> profiles) {
  ordered_json metadata;
  metadata["version"] = schema_version;
  metadata["uid"] = uid;
  metadata["original_event_uid"] = record.id;
  metadata["event_code"] = record.type;
  metadata["product"] = {
      {"name", "Gatehouse"}, {"vendor_name", "Gatehouse"}, {"version", source.version}};
  metadata["profiles"] = ordered_json::array();
  for (const char* profile : profiles) metadata["profiles"].push_back(profile);
  set_text(metadata, "log_name", source.origin);
  set_text(metadata, "log_provider", record.node);
  if (record.index <= static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
    metadata["sequence"] = record.index;
  return metadata;
}

ordered_json event_of(const Record& record, const Class& type, const Activity& activity) {
  ordered_json event;
  event["category_uid"] = type.category;
  event["category_name"] = type.category_name;
  event["class_uid"] = type.uid;
  event["class_name"] = type.name;
  event["activity_id"] = activity.id;
  event["activity_name"] = activity.name;
  event["type_uid"] = static_cast<std::int64_t>(type.uid) * 100 + activity.id;
  event["time"] = milliseconds(record.time);
  const int severity = static_cast<int>(grade_of(record)) + 1;
  event["severity_id"] = severity;
  event["severity"] = severity_name(severity);
  event["message"] = summary_of(record);
  return event;
}

void set_status(ordered_json& event, const Record& record) {
  const bool failed = is_failure(record);
  event["status_id"] = failed ? 2 : 1;
  event["status"] = failed ? "Failure" : "Success";
  if (const auto status = number_of(record.data, "status"))
    event["status_code"] = std::to_string(*status);
  std::string detail = text_of(record.data, "problem");
  if (detail.empty()) detail = text_of(record.data, "reason");
  set_text(event, "status_detail", detail);
}

ordered_json unmapped_of(const Record& record) {
  ordered_json rest;
  rest["ledger_index"] = record.index;
  set_text(rest, "snapshot", record.snapshot);
  if (!record.subject.empty()) rest["subject"] = record.subject;
  if (!record.label.empty()) rest["label"] = record.label;
  if (!record.data.empty()) rest["data"] = record.data;
  return rest;
}

// ---- who and where

ordered_json user_of(const Record& record) {
  ordered_json user;
  const std::string kind = text_of(record.actor, "kind");
  set_text(user, "name", text_of(record.actor, "id"));
  set_text(user, "uid", text_of(record.actor, "id"));
  if (kind == "user") {
    user["type_id"] = 1;
    user["type"] = "User";
  } else if (kind == "operator") {
    user["type_id"] = 2;
    user["type"] = "Admin";
  } else if (kind == "service") {
    user["type_id"] = 4;
    user["type"] = "Service";
  } else {
    user["type_id"] = 99;
    user["type"] = kind.empty() ? "unknown" : kind;
  }
  if (const std::string key = text_of(record.actor, "key"); !key.empty())
    user["programmatic_credentials"] = {{{"uid", key}, {"type", "API key"}}};
  return user;
}

ordered_json actor_of(const Record& record) {
  if (!text_of(record.actor, "id").empty()) return {{"user", user_of(record)}};
  const bool caller = is_call(record) || record.type == "message.refused";
  return {{"app_name", caller ? "unauthenticated caller" : "gatehouse"}};
}

ordered_json source_endpoint(const Record& record) {
  const std::string text = text_of(record.actor, "peer");
  const Peer peer = parse_peer(text);
  if (!peer.ip.empty()) return {{"ip", peer.ip}, {"port", peer.port}};
  if (!text.empty()) return {{"name", text}};
  return {{"name", record.node.empty() ? "gatehouse" : record.node}};
}

// ---- what it was about

std::string provider_of(const Record& record) {
  const std::string provider = text_of(record.subject, "provider");
  return provider.empty() ? "unknown" : provider;
}

void set_ai_model(ordered_json& event, const Record& record) {
  const std::string model = text_of(record.subject, "model");
  if (model.empty()) return;
  ordered_json ai_model = {{"name", model}, {"ai_provider", provider_of(record)}};
  set_text(ai_model, "uid", text_of(record.subject, "upstream_model"));
  event["ai_model"] = std::move(ai_model);
}

// Who speaks: the caller in what is decided, the model in what is completed.
void set_message_context(ordered_json& event, const Record& record) {
  ordered_json context;
  const bool answered = record.type == "request.completed";
  context["ai_role_id"] = answered ? 2 : 1;
  context["ai_role"] = answered ? "Assistant" : "User";
  context["service"] = {{"name", provider_of(record)}};
  const std::string decision = text_of(record.data, "decision");
  context["uid"] = decision.empty() ? record.id : decision;
  const auto prompt = number_of(record.data, "input_tokens");
  const auto completion = number_of(record.data, "output_tokens");
  set_number(context, "prompt_tokens", prompt);
  set_number(context, "completion_tokens", completion);
  if (prompt && completion && fits(*prompt) && fits(*completion))
    set_number(context, "total_tokens", *prompt + *completion);
  event["message_context"] = std::move(context);
}

ordered_json resources_of(const Record& record) {
  ordered_json resource;
  const std::string model = text_of(record.subject, "model");
  if (model.empty()) return ordered_json::array();
  resource["name"] = model;
  resource["type"] = "AI model";
  resource["role_id"] = 1;
  resource["role"] = "Target";
  set_text(resource, "uid", text_of(record.subject, "upstream_model"));
  set_text(resource, "namespace", text_of(record.subject, "provider"));
  return ordered_json::array({resource});
}

std::string operation_of(const Record& record) {
  for (const char* name : {"route", "path"}) {
    std::string operation = text_of(record.subject, name);
    if (!operation.empty()) return operation;
  }
  return record.type;
}

ordered_json api_of(const Record& record) {
  ordered_json api;
  api["operation"] = operation_of(record);
  const std::string decision = text_of(record.data, "decision");
  api["request"] = {{"uid", decision.empty() ? record.id : decision}};
  ordered_json response;
  set_number(response, "code", number_of(record.data, "status"));
  set_text(response, "error", text_of(record.data, "problem"));
  set_text(response, "error_message", text_of(record.data, "reason"));
  if (!response.empty()) api["response"] = std::move(response);
  set_text(api, "version", text_of(record.subject, "dialect"));
  return api;
}

// ---- API Activity

Activity activity_of(const Record& record) {
  if (is_call(record)) {
    const std::string route = text_of(record.subject, "route");
    if (route == "models") return {2, "Read"};
    return {1, "Create"};
  }
  const auto is = [&](std::initializer_list<std::string_view> verbs) {
    return std::ranges::any_of(verbs, [&](auto verb) { return record.type.ends_with(verb); });
  };
  if (is({".created", ".added", ".opened", ".placed"})) return {1, "Create"};
  if (is({".read", ".shown", ".fetched"})) return {2, "Read"};
  if (is({".changed", ".updated", ".rotated", ".rewrapped"})) return {3, "Update"};
  if (is({".erased", ".removed", ".deleted", ".revoked", ".pruned"})) return {4, "Delete"};
  return {99, "Other"};
}

void set_disposition(ordered_json& event, const Record& record) {
  const bool denied = record.type == "request.decided" && is_failure(record);
  const bool refused = record.type == "request.refused" || record.type == "message.refused";
  event["action_id"] = denied || refused ? 2 : 1;
  event["action"] = denied || refused ? "Denied" : "Allowed";
  event["disposition_id"] = denied || refused ? 2 : 1;
  event["disposition"] = denied || refused ? "Blocked" : "Allowed";
}

void set_policy(ordered_json& event, const Record& record) {
  const std::string policies = joined_texts(list_of(record.data, "policies"), longest_list_text);
  if (policies.empty()) return;
  ordered_json policy = {{"name", policies}, {"is_applied", true}};
  set_text(policy, "version", record.snapshot);
  event["policy"] = std::move(policy);
}

ordered_json api_activity_of(const Record& record, const Source& source) {
  ordered_json event = event_of(record, api_activity, activity_of(record));
  set_status(event, record);
  event["metadata"] =
      is_call(record) ? metadata_of(record, source, record.id, {"ai_operation", "security_control"})
                      : metadata_of(record, source, record.id, {"security_control"});
  event["actor"] = actor_of(record);
  event["src_endpoint"] = source_endpoint(record);
  event["api"] = api_of(record);
  set_disposition(event, record);
  set_policy(event, record);
  if (is_call(record)) {
    set_ai_model(event, record);
    set_message_context(event, record);
  }
  if (auto resources = resources_of(record); !resources.empty())
    event["resources"] = std::move(resources);
  if (const auto status = number_of(record.data, "status"); status && fits(*status))
    event["http_response"] = {{"code", *status}};
  event["unmapped"] = unmapped_of(record);
  return event;
}

// ---- Entity Management

bool is_entity_change(const Record& record) {
  return record.type.starts_with("key.") || record.type.starts_with("model.") ||
         record.type == "snapshot.activated";
}

ordered_json entity_of(const Record& record) {
  ordered_json entity;
  if (record.type == "snapshot.activated") {
    entity["name"] = "snapshot";
    entity["uid"] = record.snapshot.empty() ? record.id : record.snapshot;
    entity["type_id"] = 5;
    entity["type"] = "Policy";
    entity["policy"] = {{"name", "snapshot"}, {"uid", entity["uid"]}};
    return entity;
  }
  const std::string prefix = text_of(record.subject, "prefix");
  const std::string id = text_of(record.subject, "id");
  entity["name"] = !prefix.empty() ? prefix : (id.empty() ? record.type : id);
  set_text(entity, "uid", id);
  entity["type_id"] = 99;
  entity["type"] = record.type.starts_with("key.") ? "API key" : "AI model";
  return entity;
}

ordered_json entity_management_of(const Record& record, const Source& source) {
  Activity activity = activity_of(record);
  if (record.type == "snapshot.activated") activity = {10, "Activate"};
  ordered_json event = event_of(record, entity_management, activity);
  set_status(event, record);
  event["metadata"] = metadata_of(record, source, record.id, {});
  event["actor"] = actor_of(record);
  event["entity"] = entity_of(record);
  set_text(event, "comment", text_of(record.data, "reason"));
  event["unmapped"] = unmapped_of(record);
  return event;
}

// ---- Detection Finding

std::string finding_title(const Record& record) {
  if (is_incident(record)) return summary_of(record);
  const std::string categories = finding_names(record, "category", longest_list_text);
  const bool denied = is_failure(record);
  if (categories.empty()) return "A call was forbidden by policy";
  const char* where = record.type == "request.completed" ? " in an answer" : " in a request";
  return (denied ? "Blocked: " : "Found: ") + categories + where;
}

// One for each rule, as far as the event names them.
ordered_json related_analytics(const Record& record) {
  ordered_json analytics = ordered_json::array();
  for (const auto& finding : list_of(record.data, "findings")) {
    const std::string rule = text_of(finding, "rule");
    if (rule.empty()) continue;
    ordered_json analytic = {{"type_id", 1}, {"type", "Rule"}, {"uid", rule}, {"name", rule}};
    set_text(analytic, "category", text_of(finding, "category"));
    analytics.push_back(std::move(analytic));
  }
  return analytics;
}

ordered_json finding_info_of(const Record& record, const std::string& uid) {
  ordered_json info;
  info["uid"] = uid;
  info["title"] = finding_title(record);
  info["desc"] = summary_of(record);
  info["created_time"] = milliseconds(record.time);
  ordered_json analytics = related_analytics(record);
  if (const auto kind = text_of(record.data, "kind"); is_incident(record) && !kind.empty())
    analytics.push_back({{"type_id", 1}, {"type", "Rule"}, {"uid", kind}, {"name", kind}});
  info["analytic"] =
      analytics.empty()
          ? ordered_json{{"type_id", 1}, {"type", "Rule"}, {"name", "Gatehouse policy"}}
          : analytics[0];
  if (analytics.size() > 1) info["related_analytics"] = std::move(analytics);
  ordered_json types = ordered_json::array();
  for (const auto& finding : list_of(record.data, "findings")) {
    ordered_json category = text_of(finding, "category");
    if (category != "" && std::ranges::find(types, category) == types.end())
      types.push_back(std::move(category));
  }
  if (!types.empty()) info["types"] = std::move(types);
  info["data_sources"] = {"Gatehouse ledger"};
  return info;
}

ordered_json evidence_of(const Record& record) {
  ordered_json evidence;
  evidence["actor"] = actor_of(record);
  evidence["api"] = api_of(record);
  evidence["src_endpoint"] = source_endpoint(record);
  evidence["data"] = {{"findings", list_of(record.data, "findings")}};
  return evidence;
}

ordered_json finding_of(const Record& record, const Source& source) {
  // Of an incident it is the only event.
  const std::string uid = is_incident(record) ? record.id : record.id + ":finding";
  ordered_json event = event_of(record, detection_finding, {1, "Create"});
  event["status_id"] = 1;
  event["status"] = "New";
  event["metadata"] = metadata_of(record, source, uid, {"security_control"});
  event["finding_info"] = finding_info_of(record, uid);
  event["is_alert"] = grade_of(record) >= Grade::medium;
  set_disposition(event, record);
  set_policy(event, record);
  event["evidences"] = ordered_json::array({evidence_of(record)});
  if (auto resources = resources_of(record); !resources.empty())
    event["resources"] = std::move(resources);
  event["unmapped"] = unmapped_of(record);
  return event;
}

// ---- anything else

ordered_json base_event_of(const Record& record, const Source& source) {
  ordered_json event = event_of(record, base_event, {99, "Other"});
  event["metadata"] = metadata_of(record, source, record.id, {});
  event["raw_data_hash"] = {
      {"algorithm_id", 3}, {"algorithm", "SHA-256"}, {"value", to_hex(record.digest)}};
  event["unmapped"] = unmapped_of(record);
  return event;
}

void append_line(std::string& out, const ordered_json& event) {
  out += to_text(event);
  out += '\n';
}

}  // namespace

void append_ocsf(const Record& record, const Source& source, std::string& out) {
  if (!record.readable) return append_line(out, base_event_of(record, source));
  if (is_incident(record)) return append_line(out, finding_of(record, source));
  if (is_entity_change(record)) return append_line(out, entity_management_of(record, source));
  append_line(out, api_activity_of(record, source));
  const bool forbidden = record.type == "request.decided" && is_failure(record);
  if (forbidden || (is_call(record) && has_findings(record)))
    append_line(out, finding_of(record, source));
}

}  // namespace gatehouse::exporter
