// See admin_approval.h.
#include "api/admin_approval.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace gatehouse::api {
namespace {

using nlohmann::json;

json to_json(const approval::Record& record, bool with_content) {
  json quorums = json::array();
  for (const auto& one : record.quorums)
    quorums.push_back({{"role", one.role}, {"count", one.count}});
  json out = {{"id", record.id},
              {"standing", record.standing},
              {"state", std::string(to_string(record.state))},
              {"server", record.call.server},
              {"tool", record.call.tool},
              {"principal", record.call.principal},
              {"acts_for", record.call.acts_for},
              {"request", record.call.request},
              {"reason", record.call.reason},
              {"quorums", std::move(quorums)},
              {"requested", format_time(record.requested)},
              {"expires", format_time(record.expires)},
              {"granted_by", record.granted_by}};
  if (!record.digest.empty()) out["digest"] = record.digest;
  if (with_content && !record.standing) out["arguments"] = record.call.arguments;
  return out;
}

Result<std::string> member(const json& body, const char* name) {
  if (body.contains(name) && body.at(name).is_string()) return body.at(name).get<std::string>();
  return fail(ErrorCode::invalid_argument, std::string("expected a string \"") + name + "\"");
}

Result<std::string> grant(approval::Desk& desk, const json& body,
                          const approval::Approver& approver) {
  GH_ASSIGN(auto tool, member(body, "tool"));
  GH_ASSIGN(auto principal, member(body, "principal"));
  std::string server;
  if (body.contains("server")) {
    GH_ASSIGN(server, member(body, "server"));
  }
  const auto lifetime = body.find("lifetime_seconds");
  if (lifetime == body.end() || !lifetime->is_number_unsigned() ||
      lifetime->get<std::uint64_t>() > 366ull * 24 * 3'600)
    return fail(ErrorCode::invalid_argument, "\"lifetime_seconds\" is a number, within a year");
  GH_ASSIGN(const auto record,
            desk.grant(std::move(server), std::move(tool), std::move(principal),
                       std::chrono::seconds(lifetime->get<std::int64_t>()), approver));
  return json{{"approval", to_json(record, false)}}.dump();
}

}  // namespace

Result<std::string> administer_approvals(approval::Desk& desk, std::string_view verb,
                                         std::string_view body, std::string_view actor) {
  const auto parsed = json::parse(body.empty() ? "{}" : body, nullptr, false);
  if (!parsed.is_object())
    return fail(ErrorCode::invalid_argument, "the body must be a JSON object");
  // Whoever reaches this socket has the node's files.
  const approval::Approver approver{std::string(actor), {}};
  if (verb == "list") {
    json list = json::array();
    for (const auto& record : desk.list()) list.push_back(to_json(record, false));
    return json{{"approvals", std::move(list)}}.dump();
  }
  if (verb == "grant") return grant(desk, parsed, approver);
  GH_ASSIGN(const auto id, member(parsed, "approval"));
  Result<approval::Record> record = fail(ErrorCode::not_found, "no such administrative call");
  if (verb == "show") record = desk.show(id);
  if (verb == "approve") record = desk.approve(id, approver);
  if (verb == "deny") record = desk.deny(id, approver);
  if (!record) return std::unexpected(std::move(record).error());
  return json{{"approval", to_json(*record, verb == "show")}}.dump(-1, ' ', false,
                                                                   json::error_handler_t::replace);
}

}  // namespace gatehouse::api
