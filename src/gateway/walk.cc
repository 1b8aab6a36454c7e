// The walk of a request. What must hold whatever happens:
//   1. Nothing goes upstream before the decision is recorded; nothing ends before the outcome is.
//   2. Every call that was answered is recorded, refused ones included.
//   3. A caller gets errors in its own dialect.
//   4. An exception, which is a bug, ends the request that met it and no other.
#include "gateway/walk.h"

#include "base/exception.h"
#include "base/id.h"
#include "base/log.h"
#include "gateway/administer.h"
#include "gateway/administer_approvals.h"
#include "gateway/administer_directory.h"
#include "gateway/admit.h"
#include "gateway/identity_endpoints.h"
#include "gateway/mcp_call.h"
#include "gateway/provenance_find.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

Exchange begin_exchange(Worker& worker, net::ServerStream& client) {
  Exchange exchange;
  exchange.time = worker.control.clock().wall();
  // The same time in both: the decision can be derived again from the id.
  exchange.id = make_uuid7(exchange.time, worker.control.random());
  exchange.started = worker.control.clock().steady();
  exchange.head = &client.request();
  exchange.peer = client.peer();
  exchange.snapshot = worker.snapshot;
  exchange.scanner = worker.scanner;
  exchange.decisions = worker.decisions;
  return exchange;
}

net::Task<Verdict> list_models(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  std::vector<const store::ModelRecord*> models;
  for (const auto& [name, model] : exchange.snapshot->models) {
    const auto* provider = exchange.snapshot->provider_of(model);
    if (provider && provider->dialect == exchange.dialect->kind()) models.push_back(&model);
  }
  exchange.status = 200;
  auto body = exchange.dialect->models_body(models);
  note_answer(worker, exchange, body);
  GH_STAGE(co_await record_outcome(worker, exchange));
  auto head = answer_head(exchange, 200, "application/json");
  add_limit_headers(worker, exchange, head);
  auto sent = co_await client.respond(std::move(head), std::move(body));
  exchange.client_left = !sent;
  co_return Verdict{};
}

net::Task<Verdict> stages(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  GH_STAGE(accept(worker, client, exchange));
  if (exchange.head->path().starts_with(approval_link_prefix))
    co_return co_await serve_approval_link(worker, client, exchange);
  GH_STAGE(co_await identify(worker, client, exchange));
  if (exchange.route == Route::approvals)
    co_return co_await serve_approvals(worker, client, exchange);
  if (exchange.route == Route::directory)
    co_return co_await serve_directory(worker, client, exchange);
  if (exchange.route == Route::administration)
    co_return co_await administer(worker, client, exchange);
  if (exchange.route == Route::receipts) co_return co_await receipt(worker, client, exchange);
  if (exchange.route == Route::provenance)
    co_return co_await find_provenance(worker, client, exchange);
  if (exchange.route != Route::list_models) {
    GH_STAGE(co_await decode(worker, client, exchange));
    GH_STAGE(co_await inspect_request(worker, exchange));
  }
  auto decided = decide(worker, exchange);
  if (decided) decided = admit(worker, exchange);
  if (decided) decided = co_await consult(worker, client, exchange);
  if (!decided) {
    release(worker, exchange);
    exchange.problem = decided.error().problem;
    exchange.status = status_of(decided.error().problem);
  }
  GH_STAGE(co_await record_decision(worker, exchange));
  GH_STAGE(decided);
  // Beyond this point the decision stands in the ledger, and only an outcome may follow.
  if (exchange.route == Route::list_models) {
    co_return co_await list_models(worker, client, exchange);
  }
  GH_STAGE(co_await transform(worker, exchange));
  auto upstream = co_await forward(worker, client, exchange);
  if (!upstream) co_return std::unexpected(std::move(upstream).error());
  co_return co_await screen(worker, client, exchange, std::move(*upstream));
}

// What throws all the same is a bug that this request has found: it fails, recorded as any other.
net::Task<Verdict> governed(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  std::exception_ptr thrown;
  try {
    co_return co_await stages(worker, client, exchange);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return std::unexpected(internal_error(exchange, thrown));
}

// Answers with the error, in the caller's dialect, once it is recorded.
net::Task<void> answer_error(Worker& worker, net::ServerStream& client, Exchange& exchange,
                             ApiError error) {
  if (!exchange.client_left) {  // else nobody hears of it: the outcome is that the caller left
    exchange.problem = error.problem;
    exchange.status = status_of(error.problem);
  }
  if (error.problem == Problem::ledger_unavailable) {
    worker.metrics.count_ledger_failure();
  } else if (auto recorded = co_await record_refusal(worker, exchange, error); !recorded) {
    worker.metrics.count_ledger_failure();
    error = recorded.error();
    exchange.problem = error.problem;
    exchange.status = status_of(error.problem);
  }
  if (client.disconnected().cancelled() || client.responded()) {
    exchange.client_left = client.disconnected().cancelled();
    client.abort();
    co_return;
  }
  auto head = answer_head(exchange, exchange.status, "application/json");
  if (error.problem == Problem::unauthenticated && !exchange.challenge.empty())
    head.fields.set("WWW-Authenticate", exchange.challenge);
  if (!exchange.proof_nonce.empty()) head.fields.set("DPoP-Nonce", exchange.proof_nonce);
  if (error.problem == Problem::blocked || !error.may_retry)
    head.fields.set("x-should-retry", "false");
  if (error.problem == Problem::ledger_unavailable || error.problem == Problem::vault_unavailable)
    head.fields.set("Retry-After", "1");
  if (error.retry_after) head.fields.set("Retry-After", std::to_string(error.retry_after->count()));
  add_limit_headers(worker, exchange, head);
  auto body = exchange.dialect->error_body(error, exchange.id);
  if (auto sent = co_await client.respond(std::move(head), std::move(body)); !sent)
    exchange.client_left = true;
}

}  // namespace

net::Task<void> walk(Worker& worker, net::ServerStream& client) {
  if (is_operations_path(client.request().path())) {
    co_await answer_operations(worker, client);
    co_return;
  }
  if (is_identity_path(client.request().path())) {
    co_await answer_identity(worker, client);
    co_return;
  }
  Exchange exchange = begin_exchange(worker, client);
  if (is_mcp_path(exchange.head->path())) {
    co_await walk_mcp(worker, client, exchange);
    worker.metrics.count_request(exchange);
    co_return;
  }
  auto verdict = co_await governed(worker, client, exchange);
  if (!verdict) co_await answer_error(worker, client, exchange, std::move(verdict).error());
  settle_limits(worker, exchange);  // of a walk that could not record its outcome
  worker.metrics.count_request(exchange);
}

ApiError internal_error(const Exchange& exchange, const std::exception_ptr& thrown) {
  log_error("a request ended with an exception",
            {{"entry", exchange.id}, {"exception", describe(thrown)}});
  return {Problem::internal,
          "The gateway has a fault that this request met. Its log says more: " + exchange.id + ".",
          false};
}

net::Task<Verdict> beside_the_loop(Worker& worker, std::move_only_function<void()> work) {
  if (co_await worker.loop.run_blocking(std::move(work))) co_return Verdict{};
  co_return refuse(Problem::internal,
                   "This gateway is too busy to look into a text this large. Try again later.");
}

net::ResponseHead answer_head(const Exchange& exchange, int status, std::string_view content_type) {
  net::ResponseHead head;
  head.status = status;
  head.fields.add("Content-Type", std::string(content_type));
  head.fields.add("Gatehouse-Entry", exchange.id);
  if (exchange.snapshot->config->audit == AuditMode::relaxed)
    head.fields.add("Gatehouse-Audit", "relaxed");
  head.fields.add(std::string(exchange.dialect->request_id_header()), exchange.id);
  return head;
}

}  // namespace gatehouse::gateway
