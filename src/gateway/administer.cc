// See administer.h.
#include "gateway/administer.h"

#include "base/id.h"
#include "base/text.h"
#include "gateway/administer_approvals.h"
#include "gateway/body_error.h"
#include "gateway/decision_event.h"
#include "identity/directory.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_roles_written = 24;
constexpr std::string_view approvals_prefix = "/admin/approvals/";

// Whoever reads such a body may go down into it.
constexpr int deepest_body = 32;
bool is_deep(std::string_view body) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < body.size(); ++at) {
    const char c = body[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > deepest_body) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

std::string subject_of(const Exchange& exchange, const AdministrationQuestion& question) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("route").string(to_string(*exchange.route));
  writer.key("method").string(exchange.head->method);
  // A link is as good as a key: what it is made of is nobody's to read.
  const auto path = exchange.head->path();
  writer.key("path").string(path.starts_with(approval_link_prefix)
                                ? std::string(approval_link_prefix)
                                : std::string(utf8_prefix(path, longest_text)));
  if (!question.matter->target.empty())
    writer.key("target").string(without_findings(*exchange.scanner, question.matter->target));
  writer.end_object();
  return json;
}

ledger::Event event_of(const Worker& worker, const Exchange& exchange, std::string_view type) {
  ledger::Event event;
  event.time = worker.control.clock().wall();
  event.type = type;
  event.node = exchange.snapshot->config->node;
  event.actor = exchange.actor_json;
  event.subject = exchange.subject_json;
  event.snapshot = exchange.snapshot->digest;
  return event;
}

std::expected<const AdministrationRoute*, ApiError> route_of(const Exchange& exchange) {
  const auto& head = *exchange.head;
  const auto* const route = find_administration(head.method, head.path());
  if (route == nullptr)
    return refuse(Problem::unknown_path, "there is no such administrative call");
  if (route->at_node_only)
    return refuse(Problem::unknown_path,
                  "this call is made at the node itself, by the command line there");
  if (!head.query().empty())
    return refuse(Problem::bad_request, "an administrative call has no query");
  return route;
}

// Whoever makes a credential that speaks for somebody gives away what that somebody has: a group of
// the directory that means a role here is one of the roles.
void add_roles_of_directory(const Snapshot& snapshot, AdministrationMatter& matter) {
  constexpr std::string_view principal = "principal:";
  if (!snapshot.directory || !matter.target.starts_with(principal)) return;
  const auto name = std::string_view(matter.target).substr(principal.size());
  for (const auto& group : snapshot.directory->groups_of(name))
    if (is_administrative_group(group)) matter.roles.push_back(group);
}

net::Task<Verdict> answer(Worker& worker, net::ServerStream& client, Exchange& exchange,
                          AdministrationReply reply) {
  exchange.status = reply.status;
  GH_STAGE(co_await record_administered(worker, exchange, reply.status));
  auto head = answer_head(exchange, reply.status, "application/json");
  head.fields.set("Cache-Control", "no-store");
  if (auto sent = co_await client.respond(std::move(head), std::move(reply.body)); !sent)
    exchange.client_left = true;
  co_return Verdict{};
}

}  // namespace

std::string_view surface_of(const Exchange& exchange) {
  return exchange.head->fields.find("gatehouse-surface").value_or("") == "cli" ? "cli" : "api";
}

AdministrationQuestion administration_question(const Exchange& exchange, std::string_view action,
                                               const AdministrationMatter& matter) {
  AdministrationQuestion question;
  question.principal = &exchange.principal;
  question.action = action;
  question.surface = surface_of(exchange);
  question.matter = &matter;
  question.node = exchange.snapshot->config->node;
  question.time = exchange.time;
  question.peer = exchange.peer;
  return question;
}

std::string actor_name(const identity::Principal& principal) {
  return std::string(identity::to_string(principal.kind)) + ':' + principal.id;
}

net::Task<std::expected<std::string, ApiError>> small_body(net::ServerStream& client,
                                                           std::size_t most) {
  auto body = co_await client.read_body(most);
  if (!body) co_return std::unexpected(body_error(body.error()));
  if (is_deep(*body)) co_return refuse(Problem::bad_request, "the body is nested too deeply");
  co_return std::move(*body);
}

net::Task<Verdict> record_administration(Worker& worker, Exchange& exchange,
                                         const AdministrationQuestion& question) {
  exchange.actor_json = describe_actor(exchange);
  exchange.subject_json = subject_of(exchange, question);
  auto event = event_of(worker, exchange, "administration.decided");
  event.id = exchange.id;
  JsonWriter writer(event.data);
  writer.begin_object().key("action").string(question.action);
  writer.key("surface").string(question.surface);
  const auto& roles = question.matter->roles;
  if (!roles.empty()) {
    writer.key("roles").begin_array();
    for (std::size_t at = 0; at < std::min(roles.size(), most_roles_written); ++at)
      writer.string(utf8_prefix(roles[at], longest_name));
    writer.end_array();
  }
  write_decision(writer, exchange.decision,
                 exchange.decision.permit ? std::nullopt : std::optional(Problem::blocked));
  writer.end_object();
  exchange.decision_recorded = true;
  co_return co_await append_event(worker, exchange, std::move(event));
}

net::Task<Verdict> record_administered(Worker& worker, Exchange& exchange, int status) {
  exchange.outcome_recorded = true;
  auto event = event_of(worker, exchange, "administration.completed");
  event.id = make_uuid7(worker.control.clock(), worker.control.random());
  JsonWriter writer(event.data);
  writer.begin_object().key("decision").string(exchange.id).key("status").number(status);
  writer.end_object();
  co_return co_await append_event(worker, exchange, std::move(event));
}

net::Task<Verdict> administer(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  const auto route = route_of(exchange);
  if (!route) co_return std::unexpected(route.error());
  auto body = co_await small_body(client, (*route)->most_body);
  if (!body) co_return std::unexpected(std::move(body).error());
  if ((*route)->path.starts_with(approvals_prefix))
    co_return co_await serve_approval_verb(
        worker, client, exchange, (*route)->path.substr(approvals_prefix.size()), std::move(*body));
  auto matter = matter_of(**route, *body);
  add_roles_of_directory(*exchange.snapshot, matter);
  const auto question = administration_question(exchange, (*route)->action, matter);
  exchange.decision = exchange.snapshot->policies->decide(policy_request(question));
  settle_administration(question, *exchange.snapshot->policies, exchange.decision);
  GH_STAGE(co_await record_administration(worker, exchange, question));
  if (!exchange.decision.permit)
    co_return refuse(Problem::blocked, blocked_by(exchange.decision) + " Entry " + exchange.id +
                                           " of the ledger has the decision.");
  // Beyond this point the decision stands in the ledger, and only an outcome may follow.
  auto reply =
      co_await worker.administration.carry_out(worker.loop, (*route)->method, (*route)->path,
                                               std::move(*body), actor_name(exchange.principal));
  if (!reply)
    reply = AdministrationReply{
        503, R"({"error":{"code":"unavailable","message":"too many administrative calls wait"}})"};
  co_return co_await answer(worker, client, exchange, std::move(*reply));
}

}  // namespace gatehouse::gateway
