// Accept: which route and dialect a request is for; the paths the gateway serves itself.
#include <algorithm>
#include <initializer_list>

#include "base/text.h"
#include "gateway/administer_approvals.h"
#include "gateway/administer_directory.h"
#include "gateway/administration.h"
#include "gateway/provenance_find.h"
#include "gateway/receipts.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

struct RouteEntry {
  std::string_view path;
  std::string_view method;
  Route route;
  DialectKind dialect;
};

constexpr RouteEntry routes[] = {
    {"/v1/chat/completions", "POST", Route::chat_completions, DialectKind::openai},
    {"/v1/responses", "POST", Route::responses, DialectKind::openai},
    {"/v1/embeddings", "POST", Route::embeddings, DialectKind::openai},
    {"/v1/models", "GET", Route::list_models, DialectKind::openai},
    {"/v1/messages", "POST", Route::messages, DialectKind::anthropic},
    {"/v1/messages/count_tokens", "POST", Route::count_tokens, DialectKind::anthropic},
};

// The two providers share some paths; their SDKs always send one of these headers.
bool speaks_anthropic(const net::RequestHead& head) {
  return head.fields.contains("anthropic-version") || head.fields.contains("x-api-key");
}

bool is_json(std::string_view content_type, std::string_view wanted = "application/json") {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  return equals_ignoring_case(type, wanted);
}

// Bodies are JSON, so that no form of a page elsewhere can be one of these calls: a browser that
// shows a client certificate would send it along.
Verdict accept_form(const net::RequestHead& head, std::initializer_list<std::string_view> methods) {
  if (std::ranges::find(methods, head.method) == methods.end())
    return refuse(Problem::method_not_allowed, "this path does not take " + head.method);
  const bool has_body = head.method != "GET" && head.method != "DELETE";
  const auto type = head.fields.find("content-type").value_or("");
  if (has_body && !is_json(type) && !is_json(type, "application/scim+json"))
    return refuse(Problem::bad_request, "send the header Content-Type: application/json");
  if (head.fields.contains("content-encoding"))
    return refuse(Problem::bad_request, "send the body without Content-Encoding");
  return {};
}

}  // namespace

bool is_operations_path(std::string_view path) {
  return path == "/healthz" || path == "/readyz" || path == "/metrics";
}

net::Task<void> answer_operations(Worker& worker, net::ServerStream& client) {
  net::ResponseHead head;
  std::string body;
  const auto path = client.request().path();
  if (client.request().method != "GET" && client.request().method != "HEAD") {
    head.status = 405;
    body = "only GET\n";
  } else if (path == "/metrics") {
    head.fields.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    body = worker.metrics.text();
  } else if (path == "/readyz") {
    const bool ledger_works = !worker.control.ledger().stats().failed;
    const bool ready = worker.ready.load(std::memory_order_relaxed) && ledger_works;
    head.status = ready ? 200 : 503;
    body = ready ? "ready\n" : ledger_works ? "draining\n" : "the ledger cannot be written\n";
  } else {
    body = "ok\n";
  }
  if (!head.fields.contains("Content-Type")) head.fields.add("Content-Type", "text/plain");
  // Whoever asked may have gone; there is nothing left to do about it.
  (void)co_await client.respond(std::move(head), std::move(body));
}

Verdict accept(Worker&, net::ServerStream& client, Exchange& exchange) {
  const auto& head = client.request();
  const auto path = head.path();
  exchange.dialect =
      &dialect_of(speaks_anthropic(head) ? DialectKind::anthropic : DialectKind::openai);
  if (path.starts_with(receipts_path)) {
    exchange.route = Route::receipts;
    if (head.method == "GET") return {};
    return refuse(Problem::method_not_allowed, "use GET for a receipt");
  }
  if (path == provenance_path) {
    exchange.route = Route::provenance;
    if (head.method == "POST") return {};
    return refuse(Problem::method_not_allowed, "use POST to find a text");
  }
  if (path.starts_with(administration_prefix)) {
    exchange.route = Route::administration;
    return accept_form(head, {"GET", "POST"});
  }
  if (is_approvals_path(path)) {
    exchange.route = Route::approvals;
    return accept_form(head, {"GET", "POST"});
  }
  if (path.starts_with(approval_link_prefix)) {
    exchange.route = Route::approvals;
    return {};
  }
  if (is_directory_path(path)) {
    exchange.route = Route::directory;
    return accept_form(head, {"GET", "POST", "PUT", "PATCH", "DELETE"});
  }
  const RouteEntry* found = nullptr;
  for (const auto& entry : routes)
    if (entry.path == path) found = &entry;
  if (!found) {
    return refuse(
        Problem::unknown_path,
        "no such path; Gatehouse serves /v1/chat/completions, /v1/responses, "
        "/v1/embeddings, /v1/models, /v1/messages, /v1/messages/count_tokens, /v1/receipts/ID, "
        "/v1/provenance/find and /v1/approvals");
  }
  exchange.route = found->route;
  if (found->route != Route::list_models) exchange.dialect = &dialect_of(found->dialect);
  if (found->route == Route::responses) exchange.dialect = &responses_dialect();
  if (head.method != found->method) {
    return refuse(Problem::method_not_allowed,
                  "use " + std::string(found->method) + " for " + std::string(found->path));
  }
  if (found->method == "POST" &&
      !is_json(head.fields.find("content-type").value_or("application/json"))) {
    return refuse(Problem::bad_request, "send the header Content-Type: application/json");
  }
  if (head.fields.contains("content-encoding")) {
    return refuse(Problem::bad_request,
                  "send the body without Content-Encoding; a compressed body cannot be inspected");
  }
  return {};
}

}  // namespace gatehouse::gateway
