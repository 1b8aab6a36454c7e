// See administer_approvals.h.
#include "gateway/administer_approvals.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "approval/approval.h"
#include "approval/record_text.h"
#include "base/text.h"
#include "gateway/administer.h"
#include "gateway/approval_asking.h"
#include "gateway/decision_event.h"

namespace gatehouse::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t most_body = 16u << 10;
constexpr std::size_t most_listed = 1'000;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// What is asked for: {reason} for all, more for a standing one.
struct Wanted {
  std::string id;
  std::string reason;
  std::string server;
  std::string tool;
  std::string principal;
  std::string role = "approver";
  std::chrono::seconds lifetime{0};
};

std::expected<Wanted, ApiError> read_wanted(std::string_view body, std::string_view verb) {
  Wanted wanted;
  const auto parsed = json::parse(body.empty() ? "{}" : body, nullptr, false);
  if (!parsed.is_object()) return refuse(Problem::bad_request, "the body must be a JSON object");
  for (const auto& [name, value] : parsed.items()) {
    std::string* text = nullptr;
    if (name == "approval") text = &wanted.id;
    if (name == "reason") text = &wanted.reason;
    if (verb == "grant" && name == "server") text = &wanted.server;
    if (verb == "grant" && name == "tool") text = &wanted.tool;
    if (verb == "grant" && name == "principal") text = &wanted.principal;
    if (verb == "grant" && name == "role") text = &wanted.role;
    if (text != nullptr && value.is_string()) {
      *text = value.get<std::string>();
    } else if (verb == "grant" && name == "lifetime_seconds" && value.is_number_unsigned() &&
               value.get<std::uint64_t>() <= 366ull * 24 * 3'600) {
      wanted.lifetime = std::chrono::seconds(value.get<std::int64_t>());
    } else {
      return refuse(Problem::bad_request,
                    "the member " + json(name).dump() + " is not known here, or not of its type");
    }
  }
  return wanted;
}

net::Task<Verdict> respond(Worker& worker, net::ServerStream& client, Exchange& exchange,
                           AdministrationReply reply) {
  exchange.status = reply.status;
  if (exchange.decision_recorded)
    GH_STAGE(co_await record_administered(worker, exchange, reply.status));
  auto head = answer_head(exchange, reply.status, "application/json");
  head.fields.set("Cache-Control", "private, no-store");
  if (auto sent = co_await client.respond(std::move(head), std::move(reply.body)); !sent)
    exchange.client_left = true;
  co_return Verdict{};
}

AdministrationReply reply_of_record(const Result<approval::Record>& record, bool with_arguments) {
  if (!record) return reply_of(record.error());
  return {200, dump({{"approval", approval::shown(*record, with_arguments)}})};
}

// What the caller may decide or asked for. Looks at each with the policies, so beside the loop.
std::string list_for(const ApprovalAsking& asking, approval::Desk& desk) {
  json list = json::array();
  for (const auto& record : desk.list()) {
    if (list.size() == most_listed) break;
    const bool own = asking.is_own(record);
    const auto answer = asking.ask(record);
    if (!own && answer.roles.empty()) continue;
    auto shown = approval::shown(record, false);
    shown["own"] = own;
    shown["may_decide"] = !answer.roles.empty();
    list.push_back(std::move(shown));
  }
  return dump({{"approvals", std::move(list)}});
}

net::Task<Verdict> list(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  std::string body;
  const ApprovalAsking asking(exchange);
  GH_STAGE(co_await beside_the_loop(worker,
                                    [&] { body = list_for(asking, worker.control.approvals()); }));
  co_return co_await respond(worker, client, exchange, {200, std::move(body)});
}

// Puts the decision into the ledger; a deny ends the call.
net::Task<Verdict> settle(Worker& worker, Exchange& exchange, const ApprovalAsking& asking,
                          const AdministrationMatter& matter, policy::Decision decision) {
  exchange.decision = std::move(decision);
  GH_STAGE(co_await record_administration(worker, exchange, asking.question(matter)));
  if (exchange.decision.permit) co_return Verdict{};
  co_return refuse(Problem::blocked, blocked_by(exchange.decision) + " Entry " + exchange.id +
                                         " of the ledger has the decision.");
}

net::Task<Verdict> grant(Worker& worker, net::ServerStream& client, Exchange& exchange,
                         Wanted wanted) {
  const ApprovalAsking asking(exchange);
  approval::Record standing;
  standing.standing = true;
  standing.call.principal = wanted.principal;
  standing.quorums = {{wanted.role, 1}};
  auto answer = asking.ask(standing);
  const AdministrationMatter matter{"tool:" + std::string(utf8_prefix(wanted.tool, 200)), {}};
  GH_STAGE(co_await settle(worker, exchange, asking, matter, std::move(answer.decision)));
  Result<approval::Record> record;
  GH_STAGE(co_await beside_the_loop(worker, [&] {
    record = worker.control.approvals().grant(wanted.server, wanted.tool, wanted.principal,
                                              wanted.lifetime,
                                              {asking.name(), answer.roles, wanted.reason, {}});
  }));
  co_return co_await respond(worker, client, exchange, reply_of_record(record, false));
}

net::Task<Verdict> one(Worker& worker, net::ServerStream& client, Exchange& exchange,
                       std::string_view verb, Wanted wanted) {
  auto& desk = worker.control.approvals();
  Result<approval::Record> record;
  GH_STAGE(co_await beside_the_loop(worker, [&] { record = desk.show(wanted.id); }));
  if (!record) co_return co_await respond(worker, client, exchange, reply_of(record.error()));
  const ApprovalAsking asking(exchange);
  // Who asked may look at what they asked for.
  if (verb == "show" && asking.is_own(*record))
    co_return co_await respond(worker, client, exchange, reply_of_record(record, true));
  auto answer = asking.ask(*record);
  const AdministrationMatter matter{"approval:" + record->id, {}};
  GH_STAGE(co_await settle(worker, exchange, asking, matter, std::move(answer.decision)));
  const approval::Approver approver{asking.name(), answer.roles, wanted.reason, {}};
  GH_STAGE(co_await beside_the_loop(worker, [&] {
    if (verb == "approve") record = desk.approve(wanted.id, approver);
    if (verb == "deny") record = desk.deny(wanted.id, approver);
    if (verb == "withdraw") record = desk.withdraw(wanted.id, approver);
  }));
  co_return co_await respond(worker, client, exchange, reply_of_record(record, verb == "show"));
}

bool is_verb_of_one(std::string_view verb) {
  return verb == "show" || verb == "approve" || verb == "deny" || verb == "withdraw";
}

}  // namespace

bool is_approvals_path(std::string_view path) {
  return path == approvals_path ||
         (path.starts_with(approvals_path) && path[approvals_path.size()] == '/');
}

net::Task<Verdict> serve_approval_verb(Worker& worker, net::ServerStream& client,
                                       Exchange& exchange, std::string_view verb,
                                       std::string body) {
  auto wanted = read_wanted(body, verb);
  if (!wanted) co_return std::unexpected(std::move(wanted).error());
  if (verb == "list") co_return co_await list(worker, client, exchange);
  if (verb == "grant") co_return co_await grant(worker, client, exchange, std::move(*wanted));
  if (is_verb_of_one(verb))
    co_return co_await one(worker, client, exchange, verb, std::move(*wanted));
  co_return refuse(Problem::unknown_path, "there is no such call of approvals");
}

net::Task<Verdict> serve_approvals(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  const auto path = exchange.head->path();
  const auto rest = path.substr(std::min(path.size(), approvals_path.size() + 1));
  const bool reads = exchange.head->method == "GET";
  if (rest.empty() || (reads && rest.find('/') == std::string_view::npos)) {
    if (!reads) co_return refuse(Problem::method_not_allowed, "use GET for the list of approvals");
    if (rest.empty()) co_return co_await list(worker, client, exchange);
    Wanted wanted;
    wanted.id = rest;
    co_return co_await one(worker, client, exchange, "show", std::move(wanted));
  }
  if (reads) co_return refuse(Problem::method_not_allowed, "use POST to decide");
  auto body = co_await small_body(client, most_body);
  if (!body) co_return std::unexpected(std::move(body).error());
  const auto slash = rest.find('/');
  const auto verb = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
  auto wanted = read_wanted(*body, verb);
  if (!wanted) co_return std::unexpected(std::move(wanted).error());
  if (rest == "grant") co_return co_await grant(worker, client, exchange, std::move(*wanted));
  if (slash == std::string_view::npos || verb == "show" || !is_verb_of_one(verb))
    co_return refuse(Problem::unknown_path, "there is no such call of approvals");
  wanted->id = rest.substr(0, slash);
  co_return co_await one(worker, client, exchange, verb, std::move(*wanted));
}

}  // namespace gatehouse::gateway
