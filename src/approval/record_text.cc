// See record_text.h.
#include "approval/record_text.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace gatehouse::approval {
namespace {

using nlohmann::json;

constexpr int version = 1;
constexpr std::size_t longest_reason = 2'048;
constexpr std::size_t longest_label = 512;

std::string bounded(std::string_view text, std::size_t most) {
  return std::string(utf8_prefix(text, most));
}

json quorums_of(const Record& record) {
  json quorums = json::array();
  for (const auto& one : record.quorums)
    quorums.push_back({{"role", one.role}, {"count", one.count}});
  return quorums;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

State state_of(std::string_view text) {
  for (const auto state : {State::pending, State::granted, State::denied})
    if (to_string(state) == text) return state;
  return State::expired;  // none of those that are kept: it lets nothing pass
}

}  // namespace

std::string event_data(const Record& record, std::string_view request) {
  json data = {{"version", version},
               {"approval", record.id},
               {"standing", record.standing},
               {"server", record.call.server},
               {"tool", record.call.tool},
               {"principal", record.call.principal},
               {"acts_for", record.call.acts_for},
               {"session", record.call.session},
               {"request", request.empty() ? record.call.request : std::string(request)},
               {"reason", bounded(record.call.reason, longest_reason)},
               {"label", bounded(record.call.label, longest_label)},
               {"quorums", quorums_of(record)},
               {"requested", format_time(record.requested)},
               {"expires", format_time(record.expires)},
               {"state", std::string(to_string(record.state))},
               {"granted_by", record.granted_by}};
  if (!record.digest.empty()) data["digest"] = record.digest;
  if (!record.denied_by.empty()) data["denied_by"] = record.denied_by;
  if (!record.note.empty()) data["note"] = record.note;
  if (!record.links.empty()) data["links"] = record.links;
  if (!request.empty()) data["used"] = true;
  return dump(data);
}

Result<Record> record_from(std::string_view event_data) {
  const auto parsed = json::parse(event_data, nullptr, false);
  if (!parsed.is_object()) return fail(ErrorCode::data_loss, "not JSON");
  try {
    Record record;
    record.id = parsed.at("approval");
    record.standing = parsed.at("standing");
    record.digest = parsed.value("digest", "");
    record.call.server = parsed.at("server");
    record.call.tool = parsed.at("tool");
    record.call.principal = parsed.at("principal");
    record.call.acts_for = parsed.at("acts_for").get<std::vector<std::string>>();
    record.call.session = parsed.at("session");
    record.call.request = parsed.at("request");
    record.call.reason = parsed.at("reason");
    record.call.label = parsed.at("label");
    for (const auto& one : parsed.at("quorums"))
      record.quorums.push_back({one.at("role"), one.at("count")});
    GH_ASSIGN(record.requested, parse_time(parsed.at("requested").get<std::string>()));
    GH_ASSIGN(record.expires, parse_time(parsed.at("expires").get<std::string>()));
    record.state = state_of(parsed.at("state").get<std::string>());
    record.granted_by = parsed.at("granted_by").get<std::map<std::string, std::set<std::string>>>();
    record.denied_by = parsed.value("denied_by", "");
    record.note = parsed.value("note", "");
    record.links = parsed.value("links", std::set<std::string>());
    return record;
  } catch (const json::exception& error) {
    return fail(ErrorCode::data_loss, error.what());
  }
}

json shown(const Record& record, bool with_arguments) {
  json granted = json::array();
  for (const auto& [who, roles] : record.granted_by) granted.push_back(who);
  json out = {{"id", record.id},
              {"standing", record.standing},
              {"state", std::string(to_string(record.state))},
              {"server", record.call.server},
              {"tool", record.call.tool},
              {"principal", record.call.principal},
              {"acts_for", record.call.acts_for},
              {"request", record.call.request},
              {"reason", record.call.reason},
              {"label", record.call.label},
              {"quorums", quorums_of(record)},
              {"requested", format_time(record.requested)},
              {"expires", format_time(record.expires)},
              {"granted_by", std::move(granted)}};
  if (!record.digest.empty()) out["digest"] = record.digest;
  if (!record.denied_by.empty()) out["denied_by"] = record.denied_by;
  if (!record.note.empty()) out["note"] = record.note;
  if (with_arguments && record.shown) out["arguments"] = record.call.arguments;
  return out;
}

}  // namespace gatehouse::approval
