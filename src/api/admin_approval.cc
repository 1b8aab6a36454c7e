// See admin_approval.h.
#include "api/admin_approval.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "approval/approval.h"
#include "approval/link.h"
#include "approval/record_text.h"
#include "base/clock.h"
#include "gateway/administer_approvals.h"
#include "identity/rules.h"

namespace gatehouse::api {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
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
  return dump({{"approval", approval::shown(record, false)}});
}

Result<std::string> link(gateway::ControlPlane& control, const json& body) {
  GH_ASSIGN(const auto id, member(body, "approval"));
  GH_ASSIGN(const auto person, member(body, "for"));
  GH_TRY(identity::parse_principal(person));
  GH_ASSIGN(const auto record, control.approvals().show(id));
  if (record.standing || record.state != approval::State::pending)
    return fail(ErrorCode::failed_precondition, "there is nothing to decide about this approval");
  approval::Link link{record.id, record.digest, person, {}, record.expires};
  const auto lifetime = body.find("lifetime_seconds");
  if (lifetime != body.end()) {
    if (!lifetime->is_number_unsigned() || lifetime->get<std::uint64_t>() > 366ull * 24 * 3'600)
      return fail(ErrorCode::invalid_argument, "\"lifetime_seconds\" is a number, within a year");
    link.expires = std::min(
        link.expires, control.clock().wall() + std::chrono::seconds(lifetime->get<std::int64_t>()));
  }
  const auto key = approval::link_key(control.keys().approvals);
  const auto expires = format_time(link.expires);
  const auto path = std::string(gateway::approval_link_prefix) +
                    approval::make_link(key, std::move(link), control.random());
  return json{{"path", path}, {"expires", expires}}.dump();
}

}  // namespace

Result<std::string> administer_approvals(gateway::ControlPlane& control, std::string_view verb,
                                         std::string_view body, std::string_view actor) {
  auto& desk = control.approvals();
  const auto parsed = json::parse(body.empty() ? "{}" : body, nullptr, false);
  if (!parsed.is_object())
    return fail(ErrorCode::invalid_argument, "the body must be a JSON object");
  // Whoever reaches this socket has the node's files.
  approval::Approver approver{std::string(actor), {}, {}, {}};
  if (parsed.contains("reason")) {
    GH_ASSIGN(approver.note, member(parsed, "reason"));
  }
  if (verb == "list") {
    json list = json::array();
    for (const auto& record : desk.list()) list.push_back(approval::shown(record, false));
    return dump({{"approvals", std::move(list)}});
  }
  if (verb == "grant") return grant(desk, parsed, approver);
  if (verb == "link") return link(control, parsed);
  GH_ASSIGN(const auto id, member(parsed, "approval"));
  Result<approval::Record> record = fail(ErrorCode::not_found, "no such administrative call");
  if (verb == "show") record = desk.show(id);
  if (verb == "approve") record = desk.approve(id, approver);
  if (verb == "deny") record = desk.deny(id, approver);
  if (verb == "withdraw") record = desk.withdraw(id, approver);
  if (!record) return std::unexpected(std::move(record).error());
  return dump({{"approval", approval::shown(*record, verb == "show")}});
}

}  // namespace gatehouse::api
