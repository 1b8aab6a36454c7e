// See administer_directory.h.
#include "gateway/administer_directory.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/form.h"
#include "base/text.h"
#include "gateway/administer.h"
#include "gateway/decision_event.h"
#include "identity/directory.h"

namespace gatehouse::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t most_body = 1u << 20;

// Every name of a role that stands in the body anywhere: who writes such a group, gives the role.
void add_roles_in(const json& value, std::vector<std::string>& roles) {
  if (value.is_string() && is_administrative_group(value.get<std::string>()))
    roles.push_back(value.get<std::string>());
  if (!value.is_structured()) return;
  for (const auto& one : value) add_roles_in(one, roles);
}

// Whoever changes such a group, or takes it away, changes who has the role.
void add_role_of_group(const identity::Directory& directory, std::string_view id,
                       std::vector<std::string>& roles) {
  const auto* const known = directory.find_group(id);
  if (known != nullptr && is_administrative_group(known->display_name))
    roles.push_back(known->display_name);
}

// A member who comes back has the role again.
void add_roles_of_suspended(const identity::Directory& directory, std::string_view id,
                            std::vector<std::string>& roles) {
  const auto* const known = directory.find_account(id);
  if (known == nullptr || known->active) return;
  for (const auto& group : directory.groups_of(known->principal))
    if (is_administrative_group(group)) roles.push_back(group);
}

AdministrationMatter matter_of(const Exchange& exchange, const DirectoryResource& resource,
                               std::string_view body) {
  AdministrationMatter matter;
  const auto& [kind, id] = resource;
  const auto& method = exchange.head->method;
  const auto shown_id = std::string(utf8_prefix(id, 64));
  if (kind == "Users" && !id.empty()) matter.target = "account:" + shown_id;
  if (kind == "Groups" && !id.empty()) matter.target = "group:" + shown_id;
  if (method == "GET") return matter;
  const auto* const directory = exchange.snapshot->directory.get();
  if (kind == "Groups") {
    if (directory != nullptr) add_role_of_group(*directory, id, matter.roles);
    add_roles_in(json::parse(body, nullptr, false), matter.roles);
  }
  if (kind == "Users" && method != "DELETE" && directory != nullptr)
    add_roles_of_suspended(*directory, id, matter.roles);
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

std::optional<DirectoryResource> directory_resource(std::string_view path) {
  path.remove_prefix(std::min(path.size(), directory_path.size() + 1));
  const auto slash = path.find('/');
  DirectoryResource resource;
  resource.kind = path.substr(0, slash);
  if (slash == std::string_view::npos) return resource;
  auto id = decode_form_text(path.substr(slash + 1));
  if (!id) return std::nullopt;
  resource.id = std::move(*id);
  return resource;
}

net::Task<Verdict> serve_directory(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  auto body = co_await small_body(client, most_body);
  if (!body) co_return std::unexpected(std::move(body).error());
  const auto resource = directory_resource(exchange.head->path());
  if (!resource) co_return refuse(Problem::bad_request, "the URL is malformed");
  const auto matter = matter_of(exchange, *resource, *body);
  const auto question = administration_question(exchange, "manage_identities", matter);
  exchange.decision = exchange.snapshot->policies->decide(policy_request(question));
  settle_administration(question, *exchange.snapshot->policies, exchange.decision);
  GH_STAGE(co_await record_administration(worker, exchange, question));
  if (!exchange.decision.permit)
    co_return refuse(Problem::blocked, blocked_by(exchange.decision) + " Entry " + exchange.id +
                                           " of the ledger has the decision.");
  // Beyond this point the decision stands in the ledger, and only an outcome may follow.
  auto reply = co_await worker.administration.carry_out(
      worker.loop, exchange.head->method, exchange.head->target, std::move(*body),
      actor_name(exchange.principal), matter.roles);
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
