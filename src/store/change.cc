// State events are read strictly: the ledger is ours, so anything odd in it is damage or a bug, and
// must not become state.
#include "store/change.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

namespace gatehouse::store {
namespace {

using Json = nlohmann::json;
using Attributes = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t max_data_bytes = 65'535;  // no ledger entry is longer
constexpr std::size_t max_member_bytes = 1024;
constexpr std::size_t max_attributes = 64;

// Reads members of one JSON object and keeps the first problem.
class MemberReader {
 public:
  explicit MemberReader(const Json& object) : object_(object) {}

  // Text that is there, of 1 to 1024 bytes.
  std::string text(const char* name) {
    std::string value = any_text(name);
    if (value.empty()) note(name, "must not be empty");
    return value;
  }
  std::string one_of(const char* name, std::initializer_list<std::string_view> allowed) {
    std::string value = text(name);
    if (std::ranges::count(allowed, value) == 0) note(name, "has an unknown value");
    return value;
  }
  std::string time(const char* name) {
    std::string value = text(name);
    if (!parse_time(value)) note(name, "must be a time");
    return value;
  }
  std::string time_or_empty(const char* name) {
    std::string value = any_text(name);
    if (!value.empty() && !parse_time(value)) note(name, "must be a time or empty");
    return value;
  }
  // Empty where it is absent: events of earlier versions do not have it.
  std::string one_of_or_absent(const char* name, std::initializer_list<std::string_view> allowed) {
    return object_.contains(name) ? one_of(name, allowed) : std::string();
  }
  std::string uuid(const char* name) {
    std::string value = text(name);
    if (!is_uuid(value)) note(name, "must be a UUID");
    return value;
  }
  std::string sha256_hex(const char* name) {
    std::string value = text(name);
    const Result<std::string> bytes = from_hex(value);
    if (!bytes || bytes->size() != 32) note(name, "must be 64 hexadecimal digits");
    return to_lower(value);
  }
  Attributes attributes(const char* name) {
    const auto member = object_.find(name);
    if (member == object_.end() || !member->is_object() || member->size() > max_attributes) {
      note(name, "must be an object of at most 64 members");
      return {};
    }
    Attributes out;
    for (const auto& [key, value] : member->items()) {
      if (!value.is_string()) {
        note(name, "must have only text as values");
        continue;
      }
      out.emplace_back(key, value.get<std::string>());
    }
    std::ranges::sort(out);
    return out;
  }

  bool has(const char* name) const { return object_.contains(name); }
  bool flag(const char* name) const {
    const auto member = object_.find(name);
    return member != object_.end() && member->is_boolean() && member->get<bool>();
  }
  std::string whole() const { return object_.dump(); }
  const std::string& problem() const { return problem_; }

 private:
  std::string any_text(const char* name) {
    const auto member = object_.find(name);
    if (member == object_.end() || !member->is_string()) {
      note(name, "must be text");
      return {};
    }
    std::string value = member->get<std::string>();
    if (value.size() > max_member_bytes) note(name, "is longer than 1024 bytes");
    return value;
  }
  void note(const char* name, const char* what) {
    if (problem_.empty()) problem_ = std::string("'") + name + "' " + what;
  }

  const Json& object_;
  std::string problem_;
};

Change read_key_created(MemberReader& read) {
  KeyRecord key;
  key.id = read.uuid("id");
  key.prefix = read.text("prefix");
  key.hash = read.sha256_hex("hash");
  key.principal_kind = read.one_of("principal_kind", {"user", "service", "agent"});
  key.principal_id = read.text("principal_id");
  key.attributes = read.attributes("attributes");
  key.created = read.time("created");
  key.expires = read.time_or_empty("expires");
  return KeyCreated{std::move(key)};
}

Change read_key_revoked(MemberReader& read) {
  return KeyRevoked{read.uuid("id"), read.time("revoked")};
}

Change read_model_added(MemberReader& read) {
  ModelRecord model;
  model.name = read.text("name");
  model.provider = read.text("provider");
  model.upstream_name = read.text("upstream_name");
  model.trust = read.one_of("trust", {"external", "internal"});
  model.created = read.time("created");
  model.clearance =
      read.one_of_or_absent("clearance", {"public", "internal", "confidential", "restricted"});
  return ModelAdded{std::move(model)};
}

Change read_model_removed(MemberReader& read) {
  return ModelRemoved{read.text("name"), read.time("removed")};
}

// The whole of the event is kept; nlohmann sorts the members.
Change put(std::string name, MemberReader& read) {
  return RecordPut{{std::move(name), read.whole()}};
}

Change read_token_revoked(MemberReader& read) {
  const std::string id = read.text("id");
  read.time("revoked");
  return put("revoked/token/" + id, read);
}

Change read_principal_revoked(MemberReader& read) {
  const std::string principal = read.text("principal");
  read.time("revoked");
  return put("revoked/principal/" + principal, read);
}

Change read_principal_restored(MemberReader& read) {
  const std::string principal = read.text("principal");
  read.time("restored");
  return RecordRemoved{"revoked/principal/" + principal};
}

// Events of approvals from before they were state say nothing of their version: what they let pass
// has passed long ago.
Change read_approval_kept(MemberReader& read) {
  if (!read.has("version")) return Unrelated{};
  return put("approval/" + read.text("approval"), read);
}

// A standing approval is used and goes on.
Change read_approval_over(MemberReader& read) {
  if (!read.has("version")) return Unrelated{};
  const std::string id = read.text("approval");
  if (read.flag("standing") && read.flag("used")) return Unrelated{};
  return RecordRemoved{"approval/" + id};
}

// Accounts and groups that a directory provisions.
Change read_account_provisioned(MemberReader& read) {
  return put("account/" + read.text("id"), read);
}

Change read_account_removed(MemberReader& read) {
  return RecordRemoved{"account/" + read.text("id")};
}

Change read_group_provisioned(MemberReader& read) {
  return put("group/" + read.text("id"), read);
}

Change read_group_removed(MemberReader& read) {
  return RecordRemoved{"group/" + read.text("id")};
}

ToolRecord read_tool(MemberReader& read) {
  ToolRecord tool;
  tool.server = read.text("server");
  tool.tool = read.text("tool");
  return tool;
}

Change read_tool_reviewed(MemberReader& read) {
  ToolRecord tool = read_tool(read);
  tool.digest = read.text("digest");
  tool.reviewed = read.time("reviewed");
  tool.reviewer = read.text("reviewer");
  return ToolReviewed{std::move(tool)};
}

Change read_tool_changed(MemberReader& read) {
  return ToolChanged{read_tool(read).key(), read.text("digest")};
}

// Events from before it was kept that a tool was withdrawn say nothing of it: the tool is as one
// that was never reviewed.
Change read_tool_withdrawn(MemberReader& read) {
  std::string key = read_tool(read).key();
  if (!read.has("kept")) return ToolWithdrawn{std::move(key)};
  return ToolChanged{std::move(key), std::string(withdrawn_tool)};
}

using Reader = Change (*)(MemberReader&);

Reader reader_for(std::string_view type) {
  if (type == "key.created") return read_key_created;
  if (type == "key.revoked") return read_key_revoked;
  if (type == "model.added") return read_model_added;
  if (type == "model.removed") return read_model_removed;
  if (type == "token.revoked") return read_token_revoked;
  if (type == "principal.revoked") return read_principal_revoked;
  if (type == "principal.restored") return read_principal_restored;
  if (type == "mcp.tool.reviewed") return read_tool_reviewed;
  if (type == "mcp.tool.changed") return read_tool_changed;
  if (type == "mcp.tool.withdrawn") return read_tool_withdrawn;
  if (type == "approval.requested" || type == "approval.granted" || type == "approval.denied" ||
      type == "approval.standing")
    return read_approval_kept;
  if (type == "approval.used" || type == "approval.expired" || type == "approval.withdrawn")
    return read_approval_over;
  if (type == "account.provisioned") return read_account_provisioned;
  if (type == "account.removed") return read_account_removed;
  if (type == "group.provisioned") return read_group_provisioned;
  if (type == "group.removed") return read_group_removed;
  return nullptr;
}

}  // namespace

Result<Change> parse_change(std::string_view type, std::string_view data_json) {
  const Reader reader = reader_for(type);
  if (reader == nullptr) return Unrelated{};
  const auto refuse = [type](const std::string& why) {
    return fail(ErrorCode::invalid_argument, why, "event " + std::string(type));
  };
  if (data_json.size() > max_data_bytes) return refuse("the data is longer than a ledger entry");
  const Json data = Json::parse(data_json, nullptr, false);
  if (!data.is_object()) return refuse("the data is not a JSON object");
  MemberReader members(data);
  Change change = reader(members);
  if (!members.problem().empty()) return refuse(members.problem());
  return change;
}

Result<Attributes> parse_attributes(std::string_view json) {
  const Json holder = {{"attributes", Json::parse(json, nullptr, false)}};
  MemberReader members(holder);
  Attributes attributes = members.attributes("attributes");
  if (!members.problem().empty()) return fail(ErrorCode::data_loss, members.problem());
  return attributes;
}

}  // namespace gatehouse::store
