// See administer_directory.h.
#include "gateway/administer_directory.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "gateway/administer.h"
#include "gateway/decision_event.h"
#include "identity/directory.h"

namespace gatehouse::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t most_body = 1u << 20;
constexpr std::string_view users = "/scim/v2/Users/";
constexpr std::string_view groups = "/scim/v2/Groups/";

// Every name of a role that stands in the body anywhere: who writes such a group, gives the role.
void add_roles_in(const json& value, std::vector<std::string>& roles) {
  if (value.is_string() && to_lower(value.get<std::string>()).starts_with(administrative_groups))
    roles.push_back(value.get<std::string>());
  if (!value.is_structured()) return;
  for (const auto& one : value) add_roles_in(one, roles);
}

AdministrationMatter matter_of(const Exchange& exchange, std::string_view body) {
  AdministrationMatter matter;
  const auto path = exchange.head->path();
  const auto& method = exchange.head->method;
  if (path.starts_with(users))
    matter.target = "account:" + std::string(utf8_prefix(path.substr(users.size()), 64));
  if (path.starts_with(groups))
    matter.target = "group:" + std::string(utf8_prefix(path.substr(groups.size()), 64));
  const bool writes_group = path.starts_with(groups.substr(0, groups.size() - 1)) &&
                            (method == "POST" || method == "PUT" || method == "PATCH");
  if (!writes_group) return matter;
  if (path.starts_with(groups) && exchange.snapshot->directory) {
    const auto* const known = exchange.snapshot->directory->find_group(path.substr(groups.size()));
    if (known != nullptr && to_lower(known->display_name).starts_with(administrative_groups))
      matter.roles.push_back(known->display_name);
  }
  add_roles_in(json::parse(body, nullptr, false), matter.roles);
  std::ranges::sort(matter.roles);
  const auto again = std::ranges::unique(matter.roles);
  matter.roles.erase(again.begin(), again.end());
  return matter;
}

std::string location_in(const std::string& body) {
  const auto parsed = json::parse(body, nullptr, false);
  const auto pointer = json::json_pointer("/meta/location");
  return parsed.is_object() && parsed.contains(pointer) && parsed[pointer].is_string()
             ? parsed[pointer].get<std::string>()
             : std::string();
}

}  // namespace

bool is_directory_path(std::string_view path) {
  return path.starts_with(directory_path) && path.size() > directory_path.size() &&
         path[directory_path.size()] == '/';
}

net::Task<Verdict> serve_directory(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  auto body = co_await small_body(client, most_body);
  if (!body) co_return std::unexpected(std::move(body).error());
  const auto matter = matter_of(exchange, *body);
  const auto question = administration_question(exchange, "manage_identities", matter);
  exchange.decision = exchange.snapshot->policies->decide(policy_request(question));
  settle_administration(question, *exchange.snapshot->policies, exchange.decision);
  GH_STAGE(co_await record_administration(worker, exchange, question));
  if (!exchange.decision.permit)
    co_return refuse(Problem::blocked, blocked_by(exchange.decision) + " Entry " + exchange.id +
                                           " of the ledger has the decision.");
  // Beyond this point the decision stands in the ledger, and only an outcome may follow.
  auto reply = co_await worker.administration.carry_out(worker.loop, exchange.head->method,
                                                        exchange.head->target, std::move(*body),
                                                        actor_name(exchange.principal));
  if (!reply) reply = reply_of({ErrorCode::unavailable, "too many administrative calls wait", ""});
  exchange.status = reply->status;
  GH_STAGE(co_await record_administered(worker, exchange, reply->status));
  auto head = answer_head(exchange, reply->status, "application/scim+json");
  head.fields.set("Cache-Control", "no-store");
  if (reply->status == 201)
    if (const auto location = location_in(reply->body); !location.empty())
      head.fields.set("Location", location);
  if (auto sent = co_await client.respond(std::move(head), std::move(reply->body)); !sent)
    exchange.client_left = true;
  co_return Verdict{};
}

}  // namespace gatehouse::gateway
