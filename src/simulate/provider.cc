// Lives on the thread of its loop. Owns no connection: each handle() call is one request.
#include "simulate/provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/text.h"
#include "simulate/render.h"
#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

using net::ResponseHead;
using net::ServerStream;
using net::Task;
using std::chrono::milliseconds;

constexpr std::size_t kMaxBody = 32u << 20;
constexpr milliseconds kWaitSlice{20};  // how soon a caller's leaving is noticed while waiting
constexpr std::string_view kResponsesPath = "/v1/responses";
constexpr std::string_view kModelsPath = "/v1/models";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kEvents = "text/event-stream; charset=utf-8";

// One request in the counts from its first to its last moment.
class Counted {
 public:
  explicit Counted(Counts& counts) : counts_(counts) {
    ++counts_.received;
    ++counts_.active;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --counts_.active; }

 private:
  Counts& counts_;
};

Dialect dialect_of(const net::RequestHead& head) {
  const bool anthropic =
      head.path().starts_with("/v1/messages") || head.fields.contains("anthropic-version");
  return anthropic ? Dialect::anthropic : Dialect::openai;
}

std::string next_request_id() {
  static std::atomic<std::uint64_t> next{1};
  return fmt::format("req_sim{:012}", next.fetch_add(1, std::memory_order_relaxed));
}

ResponseHead head_for(Dialect dialect, int status, std::string_view content_type) {
  ResponseHead head{.status = status, .fields = {}};
  head.fields.add("Content-Type", std::string(content_type));
  if (dialect == Dialect::openai) {
    head.fields.add("x-request-id", next_request_id());
    head.fields.add("openai-processing-ms", "1");
    head.fields.add("openai-version", "2020-10-01");
    head.fields.add("x-ratelimit-limit-requests", "10000");
    head.fields.add("x-ratelimit-remaining-requests", "9999");
    head.fields.add("x-ratelimit-reset-requests", "6ms");
  } else {
    head.fields.add("request-id", next_request_id());
    head.fields.add("anthropic-ratelimit-requests-limit", "10000");
    head.fields.add("anthropic-ratelimit-requests-remaining", "9999");
    head.fields.add("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z");
  }
  return head;
}

Reflection reflect(const net::RequestHead& head, std::string_view body) {
  Reflection reflection{.method = head.method, .target = head.target, .headers = {}, .body = body};
  for (const net::Field& field : head.fields.all())
    reflection.headers.emplace_back(field.name, field.value);
  return reflection;
}

Fault unknown_model(Dialect dialect, const std::string& model) {
  Fault fault{.status = 404, .type = "", .message = "", .code = "model_not_found", .param = ""};
  fault.message = dialect == Dialect::openai
                      ? "The model `" + model + "` does not exist or you do not have access to it."
                      : "model: " + model;
  return fault;
}

Fault bad_key(Dialect dialect) {
  const bool openai = dialect == Dialect::openai;
  return {.status = 401,
          .type = openai ? "invalid_request_error" : "",
          .message = openai ? "Incorrect API key provided." : "invalid x-api-key",
          .code = "invalid_api_key",
          .param = ""};
}

Fault unknown_path(const net::RequestHead& head) {
  return {.status = 404,
          .type = "",
          .message = fmt::format("Invalid URL ({} {})", head.method, head.path()),
          .code = "",
          .param = ""};
}

}  // namespace

// What of a stream is sent, and how it ends.
struct Provider::Delivery {
  std::vector<std::string> writes;
  milliseconds pace{0};
  bool drop = false;  // the connection, instead of ending the message

  static Delivery of(const Ask& ask, Plan& plan, milliseconds default_pace);

 private:
  void end_early(const Ask& ask, const Plan& plan);
};

// Cut or failed after some events, as the script says; the earlier of both wins.
void Provider::Delivery::end_early(const Ask& ask, const Plan& plan) {
  const std::size_t error_at = plan.error_after.value_or(writes.size());
  const std::size_t cut_at = plan.cut_after.value_or(writes.size());
  if (plan.cut_after && cut_at <= error_at) {
    writes.resize(std::min(cut_at, writes.size()));
    drop = true;
  } else if (plan.error_after) {
    writes.resize(std::min(error_at, writes.size()));
    writes.push_back(ask.dialect == Dialect::openai
                         ? openai_fault_event(plan.stream_error)
                         : anthropic_fault_event(plan.stream_error, next_request_id()));
  }
}

Provider::Delivery Provider::Delivery::of(const Ask& ask, Plan& plan, milliseconds default_pace) {
  Delivery delivery;
  delivery.pace = plan.pace.value_or(default_pace);
  if (!plan.raw.empty())
    delivery.writes = std::move(plan.raw);
  else if (ask.stream)
    delivery.writes = answer_events(ask, plan);
  else  // only to be cut: the body, byte by byte
    delivery.writes = split_bytes(whole_answer(ask, plan), 1);
  delivery.end_early(ask, plan);
  if (plan.rewrite > 0) delivery.writes = split_bytes(join(delivery.writes), plan.rewrite);
  return delivery;
}

bool Provider::has_key(const net::RequestHead& head) const {
  if (options_.require_key.empty()) return true;
  const auto key = head.fields.find("x-api-key");
  if (key && *key == options_.require_key) return true;
  const auto bearer = head.fields.find("authorization");
  return bearer && *bearer == "Bearer " + options_.require_key;
}

Task<bool> Provider::wait(ServerStream& stream, milliseconds duration) {
  while (duration > milliseconds(0) && !stream.disconnected().cancelled()) {
    const milliseconds slice = std::min(duration, kWaitSlice);
    co_await loop_.sleep(slice);
    duration -= slice;
  }
  co_return !stream.disconnected().cancelled();
}

Task<void> Provider::handle(ServerStream& stream) {
  if (stream.request().path().starts_with("/_simulator/")) {
    co_await control(stream);
    co_return;
  }
  const Counted counted(recorder_.counts);
  Result<std::string> body = co_await stream.read_body(kMaxBody);
  const Dialect dialect = dialect_of(stream.request());
  if (!body && body.error().code == ErrorCode::cancelled) {
    ++recorder_.counts.cancelled;
  } else if (!body) {
    const bool large = body.error().code == ErrorCode::resource_exhausted;
    Fault fault{large ? 413 : 400, "", body.error().message, "", ""};
    co_await send_fault(stream, dialect, std::move(fault), {});
  } else {
    co_await route(stream, dialect, std::move(*body));
  }
}

Task<void> Provider::control(ServerStream& stream) {
  const net::RequestHead& request = stream.request();
  ResponseHead head{.status = 200, .fields = {}};
  head.fields.add("Content-Type", std::string(kJson));
  std::string body;
  if (request.path() == "/_simulator/requests" && request.method == "GET") {
    body = recorder_.requests_json();
  } else if (request.path() == "/_simulator/requests" && request.method == "DELETE") {
    recorder_.clear();
    body = "{}";
  } else if (request.path() == "/_simulator/last" && request.method == "GET") {
    body = recorder_.last_body();
  } else if (request.path() == "/_simulator/count" && request.method == "GET") {
    body = recorder_.counts_json();
  } else {
    head.status = 404;
    body = R"({"error":"GET or DELETE /_simulator/requests, GET /_simulator/last or count"})";
  }
  (void)co_await stream.respond(std::move(head), std::move(body));
}

Task<void> Provider::route(ServerStream& stream, Dialect dialect, std::string body) {
  const net::RequestHead& request = stream.request();
  const std::string_view path = request.path();
  const bool post = request.method == "POST";
  const bool to_chat =
      path == (dialect == Dialect::openai ? "/v1/chat/completions" : "/v1/messages");
  const bool known_caller = has_key(request);
  const BenchAnswer* bench = known_caller && to_chat ? bench_.find(dialect, body) : nullptr;
  if (bench == nullptr) recorder_.note(request, body);

  if (!known_caller)
    co_await send_fault(stream, dialect, bad_key(dialect), {});
  else if (bench != nullptr)
    co_await send_bench(stream, dialect, *bench, asks_to_stream(body), asks_for_usage(body));
  else if (post && (to_chat || path == kResponsesPath))
    co_await chat(stream, dialect, std::move(body));
  else if (post && path == "/v1/messages/count_tokens")
    co_await count(stream, std::move(body));
  else if (post && path == "/v1/embeddings")
    co_await embed(stream, std::move(body));
  else if (request.method == "GET" && path.starts_with(kModelsPath))
    co_await list_models(stream, dialect);
  else
    co_await send_fault(stream, dialect, unknown_path(request), {});
}

Task<void> Provider::chat(ServerStream& stream, Dialect dialect, std::string body) {
  const bool responses = stream.request().path() == kResponsesPath;
  Reading<Ask> read = responses ? read_responses_ask(body) : read_ask(dialect, body);
  if (Fault* fault = std::get_if<Fault>(&read)) {
    co_await send_fault(stream, dialect, std::move(*fault), {});
    co_return;
  }
  Ask ask = std::get<Ask>(std::move(read));
  Plan plan;
  if (!is_known_model(ask.model))
    plan.fault = unknown_model(dialect, ask.model);
  else if (dialect == Dialect::anthropic && !ask.max_tokens)
    plan.fault = Fault{400, "", "max_tokens: Field required", "", ""};
  else
    plan = make_plan(ask, reflect(stream.request(), body));
  co_await play(stream, std::move(ask), std::move(plan));
}

Task<void> Provider::count(ServerStream& stream, std::string body) {
  Reading<Ask> read = read_ask(Dialect::anthropic, body);
  const Ask* ask = std::get_if<Ask>(&read);
  if (ask == nullptr)
    co_await send_fault(stream, Dialect::anthropic, std::get<Fault>(std::move(read)), {});
  else if (!is_known_model(ask->model))
    co_await send_fault(stream, Dialect::anthropic, unknown_model(Dialect::anthropic, ask->model),
                        {});
  else
    co_await send_json(stream, head_for(Dialect::anthropic, 200, kJson), anthropic_count(*ask));
}

Task<void> Provider::embed(ServerStream& stream, std::string body) {
  Reading<EmbeddingAsk> read = read_embedding_ask(body);
  const EmbeddingAsk* ask = std::get_if<EmbeddingAsk>(&read);
  if (ask == nullptr)
    co_await send_fault(stream, Dialect::openai, std::get<Fault>(std::move(read)), {});
  else if (!is_known_model(ask->model))
    co_await send_fault(stream, Dialect::openai, unknown_model(Dialect::openai, ask->model), {});
  else
    co_await send_json(stream, head_for(Dialect::openai, 200, kJson), openai_embeddings(*ask));
}

Task<void> Provider::list_models(ServerStream& stream, Dialect dialect) {
  const std::string_view rest = stream.request().path().substr(kModelsPath.size());
  const bool openai = dialect == Dialect::openai;
  if (rest.empty()) {
    co_await send_json(stream, head_for(dialect, 200, kJson),
                       openai ? openai_models() : anthropic_models());
  } else if (rest.starts_with("/") && is_known_model(rest.substr(1))) {
    co_await send_json(stream, head_for(dialect, 200, kJson),
                       openai ? openai_model(rest.substr(1)) : anthropic_model(rest.substr(1)));
  } else {
    co_await send_fault(stream, dialect, unknown_path(stream.request()), {});
  }
}

Task<void> Provider::play(ServerStream& stream, Ask ask, Plan plan) {
  if (!co_await wait(stream, plan.hang)) {
    ++recorder_.counts.cancelled;
    co_return;
  }
  const bool fails =
      plan.fault && (plan.fail_times == 0 || recorder_.shall_fail(ask.digest, plan.fail_times));
  if (fails) {
    co_await send_fault(stream, ask.dialect, std::move(*plan.fault), std::move(plan.headers));
    co_return;
  }
  const bool whole = !ask.stream && plan.raw.empty();
  ResponseHead head = head_for(ask.dialect, 200, whole ? kJson : kEvents);
  if (!plan.raw.empty()) head.fields.set("Content-Type", plan.raw_type);
  for (auto& [name, value] : plan.headers) head.fields.set(std::move(name), std::move(value));

  if (whole && !plan.cut_after) {
    co_await send_json(stream, std::move(head), whole_answer(ask, plan));
    co_return;
  }
  Delivery delivery = Delivery::of(ask, plan, options_.pace);
  co_await deliver(stream, std::move(head), std::move(delivery));
}

Task<void> Provider::send_bench(ServerStream& stream, Dialect dialect, const BenchAnswer& answer,
                                bool streamed, bool usage) {
  if (!streamed) {
    co_await send_json(stream, head_for(dialect, 200, kJson), answer.body);
    co_return;
  }
  const bool paced = options_.pace > milliseconds(0);
  Delivery delivery{.writes = paced ? (usage ? answer.events_with_usage : answer.events)
                                    : (usage ? answer.writes_with_usage : answer.writes),
                    .pace = options_.pace};
  co_await deliver(stream, head_for(dialect, 200, kEvents), std::move(delivery));
}

Task<void> Provider::send_fault(ServerStream& stream, Dialect dialect, Fault fault,
                                Headers headers) {
  ResponseHead head = head_for(dialect, fault.status, kJson);
  for (auto& [name, value] : headers) head.fields.set(std::move(name), std::move(value));
  const std::string id(head.fields.find("request-id").value_or(""));
  co_await send_json(stream, std::move(head),
                     dialect == Dialect::openai ? openai_fault(fault) : anthropic_fault(fault, id));
}

Task<void> Provider::send_json(ServerStream& stream, ResponseHead head, std::string body) {
  const Result<void> sent = co_await stream.respond(std::move(head), std::move(body));
  ++(sent ? recorder_.counts.answered : recorder_.counts.cancelled);
}

Task<void> Provider::deliver(ServerStream& stream, ResponseHead head, Delivery delivery) {
  stream.begin(std::move(head));
  for (std::size_t i = 0; i < delivery.writes.size(); ++i) {
    const bool here = i == 0 || co_await wait(stream, delivery.pace);
    if (!here || !co_await stream.write(std::move(delivery.writes[i]))) {
      ++recorder_.counts.cancelled;
      co_return;
    }
  }
  if (delivery.drop) {
    stream.abort();
  } else {
    const Result<void> ended = co_await stream.end();
    ++(ended ? recorder_.counts.answered : recorder_.counts.cancelled);
  }
}

}  // namespace gatehouse::simulate
