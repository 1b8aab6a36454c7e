// See admin_vault.h.
#include "api/admin_vault.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace gatehouse::api {
namespace {

using gateway::VaultKeeper;
using nlohmann::json;

constexpr std::size_t most_listed = 10'000;

// The members of a body; one that is unknown, missing or of another type is an error.
class Call {
 public:
  static Result<Call> parse(std::string_view text, std::initializer_list<std::string_view> known) {
    auto parsed = json::parse(text.empty() ? "{}" : text, nullptr, false);
    if (!parsed.is_object())
      return fail(ErrorCode::invalid_argument, "the body must be a JSON object");
    for (const auto& [name, value] : parsed.items())
      if (std::ranges::count(known, name) == 0)
        return fail(ErrorCode::invalid_argument, "unknown member " + json(name).dump());
    return Call(std::move(parsed));
  }

  bool has(const char* name) const { return json_.contains(name); }
  Result<std::string> text(const char* name) const {
    if (has(name) && json_.at(name).is_string()) return json_.at(name).get<std::string>();
    return fail(ErrorCode::invalid_argument, std::string("expected a string \"") + name + "\"");
  }
  Result<bool> flag(const char* name) const {
    if (!has(name)) return false;
    if (json_.at(name).is_boolean()) return json_.at(name).get<bool>();
    return fail(ErrorCode::invalid_argument, std::string("expected a boolean \"") + name + "\"");
  }
  Result<std::size_t> count(const char* name, std::size_t fallback, std::size_t most) const {
    if (!has(name)) return fallback;
    if (json_.at(name).is_number_unsigned() && json_.at(name).get<std::uint64_t>() > 0 &&
        json_.at(name).get<std::uint64_t>() <= most)
      return json_.at(name).get<std::size_t>();
    return fail(ErrorCode::invalid_argument,
                std::string("\"") + name + "\" is a number from 1 to " + std::to_string(most));
  }
  Result<vault::RecordId> record() const {
    GH_ASSIGN(const auto uuid, text("record"));
    return vault::parse_record_id(uuid);
  }
  // Exactly one of the two.
  Result<bool> by_subject() const {
    if (has("record") != has("subject")) return has("subject");
    return fail(ErrorCode::invalid_argument, "give either \"record\" or \"subject\"");
  }

 private:
  explicit Call(json parsed) : json_(std::move(parsed)) {}
  json json_;
};

json to_json(const vault::RecordInfo& info) {
  return {{"record", vault::to_string(info.id)},
          {"which", vault::to_string(info.which)},
          {"time", format_time(info.time)},
          {"bytes", info.bytes},
          {"original_bytes", info.original_bytes},
          {"truncated", info.truncated},
          {"erased", info.erased},
          {"held", info.held},
          {"subjects", info.subjects}};
}

json to_json(const std::vector<vault::RecordId>& ids) {
  json list = json::array();
  for (const auto& id : ids) list.push_back(vault::to_string(id));
  return list;
}

json to_json(const vault::Hold& hold) {
  json object = {
      {"hold", hold.id}, {"since", hold.since}, {"actor", hold.actor}, {"reason", hold.reason}};
  if (hold.by_subject) {
    object["subject_hash"] = to_hex(hold.subject);
  } else {
    object["record"] = vault::to_string(hold.record);
  }
  return object;
}

json to_json(const VaultKeeper::Erased& erased) {
  return {{"erased", to_json(erased.erased)}, {"held", to_json(erased.held)}};
}

Result<std::string> get(VaultKeeper& keeper, std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto call, Call::parse(body, {"record", "which", "salt"}));
  GH_ASSIGN(const auto id, call.record());
  GH_ASSIGN(const auto name, call.text("which"));
  GH_ASSIGN(const auto which, vault::parse_which(name));
  GH_ASSIGN(const bool with_salt, call.flag("salt"));
  GH_ASSIGN(auto opened, keeper.read(id, which, with_salt, actor));
  json reply = {{"info", to_json(opened.info)}, {"content", to_base64(bytes_of(opened.content))}};
  if (with_salt) reply["salt"] = to_hex(opened.salt.bytes());
  vault::wipe(opened.content);
  return reply.dump();
}

Result<std::string> list(VaultKeeper& keeper, std::string_view body) {
  GH_ASSIGN(const auto call, Call::parse(body, {"record", "limit"}));
  json records = json::array();
  Result<std::vector<vault::RecordInfo>> infos;
  if (call.has("record")) {
    GH_ASSIGN(const auto id, call.record());
    infos = keeper.vault().look(id);
  } else {
    GH_ASSIGN(const auto limit, call.count("limit", 20, most_listed));
    infos = keeper.vault().list(limit);
  }
  if (!infos) return std::unexpected(infos.error());
  for (const auto& info : *infos) records.push_back(to_json(info));
  return json{{"records", std::move(records)}}.dump();
}

Result<std::string> find(VaultKeeper& keeper, std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto call, Call::parse(body, {"subject"}));
  GH_ASSIGN(const auto subject, call.text("subject"));
  GH_ASSIGN(const auto ids, keeper.find(subject, actor));
  return json{{"records", to_json(ids)}}.dump();
}

Result<std::string> erase(VaultKeeper& keeper, std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto call, Call::parse(body, {"record", "subject", "reason"}));
  GH_ASSIGN(const bool by_subject, call.by_subject());
  GH_ASSIGN(const auto reason, call.text("reason"));
  Result<VaultKeeper::Erased> erased;
  if (by_subject) {
    GH_ASSIGN(const auto subject, call.text("subject"));
    erased = keeper.erase_subject(subject, reason, actor);
  } else {
    GH_ASSIGN(const auto id, call.record());
    erased = keeper.erase({id}, reason, actor);
  }
  if (!erased) return std::unexpected(erased.error());
  return to_json(*erased).dump();
}

Result<std::string> holds(VaultKeeper& keeper, std::string_view body) {
  GH_TRY(Call::parse(body, {}));
  json list = json::array();
  for (const auto& hold : keeper.vault().holds()) list.push_back(to_json(hold));
  return json{{"holds", std::move(list)}}.dump();
}

Result<std::string> hold(VaultKeeper& keeper, std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto call, Call::parse(body, {"record", "subject", "reason"}));
  GH_ASSIGN(const bool by_subject, call.by_subject());
  GH_ASSIGN(const auto reason, call.text("reason"));
  Result<vault::Hold> made;
  if (by_subject) {
    GH_ASSIGN(const auto subject, call.text("subject"));
    made = keeper.hold_subject(subject, reason, actor);
  } else {
    GH_ASSIGN(const auto id, call.record());
    made = keeper.hold(id, reason, actor);
  }
  if (!made) return std::unexpected(made.error());
  return json{{"hold", to_json(*made)}}.dump();
}

Result<std::string> release(VaultKeeper& keeper, std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto call, Call::parse(body, {"hold", "reason"}));
  GH_ASSIGN(const auto id, call.text("hold"));
  GH_ASSIGN(const auto reason, call.text("reason"));
  GH_ASSIGN(const auto released, keeper.release(id, reason, actor));
  return json{{"hold", to_json(released)}}.dump();
}

// The file is read again: the new key and the old one stand there.
Result<std::string> rewrap(VaultKeeper& keeper, const gateway::Config& config,
                           std::string_view body, std::string_view actor) {
  GH_TRY(Call::parse(body, {}));
  GH_ASSIGN(const auto fresh, gateway::load_config(config.file));
  GH_ASSIGN(const auto count, keeper.rewrap(fresh, actor));
  return json{{"records", count}}.dump();
}

}  // namespace

Result<std::string> administer_vault(VaultKeeper& keeper, const gateway::Config& config,
                                     std::string_view call, std::string_view body,
                                     std::string_view actor) {
  if (call == "get") return get(keeper, body, actor);
  if (call == "list") return list(keeper, body);
  if (call == "find") return find(keeper, body, actor);
  if (call == "erase") return erase(keeper, body, actor);
  if (call == "holds") return holds(keeper, body);
  if (call == "hold") return hold(keeper, body, actor);
  if (call == "release") return release(keeper, body, actor);
  if (call == "rewrap") return rewrap(keeper, config, body, actor);
  return fail(ErrorCode::not_found, "no such administrative call");
}

}  // namespace gatehouse::api
