// Signed links of approvals (administer_approvals.h). GET shows, only POST decides, so that
// whatever follows links in mails decides nothing. Who a link is for is known by what Gatehouse
// knows of them anyway: the attributes of their keys.
#include <algorithm>

#include "approval/approval.h"
#include "approval/link.h"
#include "base/text.h"
#include "gateway/administer.h"
#include "gateway/administer_approvals.h"
#include "gateway/approval_asking.h"
#include "gateway/approval_page.h"
#include "identity/directory.h"
#include "identity/rules.h"

namespace gatehouse::gateway {
namespace {

// What a link leads to.
struct Opened {
  approval::Link link;
  approval::Record record;
  std::vector<identity::Principal> known_as;  // one for each key that is good
};

struct Page {
  int status = 200;
  std::string html;
};

Page notice(int status, std::string_view title, std::string_view text) {
  return {status, notice_page(title, text)};
}

net::Task<Verdict> respond(net::ServerStream& client, Exchange& exchange, Page page) {
  exchange.status = page.status;
  auto head = answer_head(exchange, page.status, "text/html; charset=utf-8");
  head.fields.set("Content-Security-Policy", std::string(page_policy));
  head.fields.set("Cache-Control", "private, no-store");
  head.fields.set("Referrer-Policy", "no-referrer");
  head.fields.set("X-Content-Type-Options", "nosniff");
  head.fields.set("X-Robots-Tag", "noindex");
  if (auto sent = co_await client.respond(std::move(head), std::move(page.html)); !sent)
    exchange.client_left = true;
  co_return Verdict{};
}

identity::Principal bare(const std::pair<identity::PrincipalKind, std::string>& who) {
  identity::Principal principal;
  principal.kind = who.first;
  principal.id = who.second;
  principal.key_prefix = "link";
  principal.described = true;
  return principal;
}

// Every way in which this person is known here. Blocking.
Result<std::vector<identity::Principal>> known_as(Worker& worker, const Exchange& exchange,
                                                  std::string_view name) {
  GH_ASSIGN(const auto who, identity::parse_principal(name));
  GH_ASSIGN(const auto keys, worker.control.registry().list_keys());
  std::vector<identity::Principal> known{bare(who)};
  for (const auto& key : keys) {
    const bool theirs =
        key.principal_kind == identity::to_string(who.first) && key.principal_id == who.second;
    if (!theirs || !key.revoked.empty()) continue;
    if (!key.expires.empty()) {
      GH_ASSIGN(const auto end, parse_time(key.expires));
      if (exchange.time >= end) continue;
    }
    known.push_back(bare(who));
    known.back().attributes = key.attributes;
  }
  if (exchange.snapshot->directory)
    for (auto& one : known) exchange.snapshot->directory->describe(one);
  return known;
}

Result<Opened> open_link(Worker& worker, const Exchange& exchange, std::string_view text) {
  Opened opened;
  const auto key = approval::link_key(worker.control.keys().approvals);
  GH_ASSIGN(opened.link, approval::read_link(key, text, exchange.time));
  GH_ASSIGN(opened.record, worker.control.approvals().show(opened.link.approval));
  if (opened.record.digest != opened.link.digest)
    return fail(ErrorCode::failed_precondition, "the link is for another call");
  if (opened.record.links.contains(opened.link.id))
    return fail(ErrorCode::failed_precondition, "this link was used already");
  if (opened.record.state != approval::State::pending)
    return fail(ErrorCode::failed_precondition,
                "this approval is " + std::string(to_string(opened.record.state)) + " already");
  GH_ASSIGN(opened.known_as, known_as(worker, exchange, opened.link.principal));
  const auto& anyone = opened.known_as.front();
  GH_TRY(exchange.snapshot->standing.check(anyone, {}, exchange.time));
  GH_TRY(worker.identities.peers().check(anyone, {}, exchange.time));
  return opened;
}

Page page_of(const Error& error) {
  if (error.code == ErrorCode::unauthenticated)
    return notice(404, "Nothing here", "This link is not good, or no longer.");
  if (error.code == ErrorCode::not_found)
    return notice(410, "Over", "This approval was used, or it is over.");
  if (error.code == ErrorCode::permission_denied)
    return notice(403, "Not yours to decide", error.message + ".");
  return notice(409, "Nothing to decide", error.message + ".");
}

// As which of these they may decide; the exchange's principal is then that one.
ApprovalAsking::Answer ask(Exchange& exchange, const Opened& opened) {
  ApprovalAsking::Answer answer;
  for (const auto& principal : opened.known_as) {
    exchange.principal = principal;
    answer = ApprovalAsking(exchange, "link").ask(opened.record);
    if (!answer.roles.empty()) break;
  }
  return answer;
}

net::Task<Verdict> decide(Worker& worker, net::ServerStream& client, Exchange& exchange,
                          const Opened& opened, ApprovalAsking::Answer answer) {
  const auto type = exchange.head->fields.find("content-type").value_or("");
  if (!type.starts_with("application/x-www-form-urlencoded"))
    co_return co_await respond(client, exchange, notice(400, "No", "This is not the form."));
  auto body = co_await small_body(client, longest_form);
  const auto form = body ? read_decision(*body) : std::nullopt;
  if (!form)
    co_return co_await respond(client, exchange, notice(400, "No", "This is not the form."));
  const ApprovalAsking asking(exchange, "link");
  const AdministrationMatter matter{"approval:" + opened.record.id, {}};
  exchange.decision = std::move(answer.decision);
  GH_STAGE(co_await record_administration(worker, exchange, asking.question(matter)));
  if (!exchange.decision.permit)
    co_return co_await respond(
        client, exchange,
        notice(403, "Not yours to decide", "Policy does not let you decide this approval."));
  const approval::Approver approver{asking.name(), answer.roles, form->reason, opened.link.id};
  Result<approval::Record> record;
  GH_STAGE(co_await beside_the_loop(worker, [&] {
    auto& desk = worker.control.approvals();
    record = form->approve ? desk.approve(opened.record.id, approver)
                           : desk.deny(opened.record.id, approver);
  }));
  Page page = record ? notice(200, form->approve ? "Approved" : "Denied",
                              record->state == approval::State::pending
                                  ? "It still waits for somebody else."
                                  : "This is recorded. You can close this page.")
                     : page_of(record.error());
  GH_STAGE(co_await record_administered(worker, exchange, page.status));
  co_return co_await respond(client, exchange, std::move(page));
}

}  // namespace

net::Task<Verdict> serve_approval_link(Worker& worker, net::ServerStream& client,
                                       Exchange& exchange) {
  const auto& method = exchange.head->method;
  if (method != "GET" && method != "HEAD" && method != "POST")
    co_return refuse(Problem::method_not_allowed, "use GET or POST for a link");
  const auto text = exchange.head->path().substr(approval_link_prefix.size());
  Result<Opened> opened = fail(ErrorCode::internal, "");
  GH_STAGE(co_await beside_the_loop(worker, [&] { opened = open_link(worker, exchange, text); }));
  if (!opened) {
    auto page = page_of(opened.error());
    exchange.status = page.status;
    exchange.problem = Problem::unauthenticated;
    GH_STAGE(co_await record_refusal(
        worker, exchange, ApiError{Problem::unauthenticated, "a link: " + opened.error().message}));
    co_return co_await respond(client, exchange, std::move(page));
  }
  auto answer = ask(exchange, *opened);
  if (method == "POST")
    co_return co_await decide(worker, client, exchange, *opened, std::move(answer));
  if (answer.roles.empty())
    co_return co_await respond(
        client, exchange,
        notice(403, "Not yours to decide", "Policy does not let you decide this approval."));
  co_return co_await respond(client, exchange,
                             {200, approval_page(opened->record, opened->link.principal)});
}

}  // namespace gatehouse::gateway
