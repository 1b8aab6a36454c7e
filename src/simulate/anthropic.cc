// The Anthropic dialect: messages and their events, token counts, the models list, errors.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "simulate/render.h"
#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

constexpr std::string_view kModelCreated = "2026-01-01T00:00:00Z";

std::string_view stop_reason(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "max_tokens";
    case Finish::tool_calls:
      return "tool_use";
    case Finish::refusal:
    case Finish::content_filter:
      return "refusal";
    case Finish::stop:
      break;
  }
  return "end_turn";
}

// What the provider would check before it believes a thinking block that comes back.
std::string signature(const Plan& plan) {
  const std::string first = fingerprint_hex(join(plan.thinking));
  return to_base64(bytes_of("simulator-signature-" + first + fingerprint_hex(first)));
}

std::string tool_id(const Ask& ask, std::size_t index) {
  return fmt::format("toolu_sim{}{:02}", ask.digest.substr(0, 16), index);
}

// Text of a refusal is plain text in this dialect; stop_reason says what it is.
std::vector<std::string> text_pieces(const Plan& plan) {
  std::vector<std::string> pieces = plan.pieces;
  pieces.insert(pieces.end(), plan.refusal.begin(), plan.refusal.end());
  return pieces;
}

void write_usage(JsonWriter& json, const Ask& ask, std::size_t output_tokens) {
  json.begin_object().key("input_tokens").number(ask.prompt_tokens);
  json.key("cache_creation_input_tokens").number(0).key("cache_read_input_tokens").number(0);
  json.key("output_tokens").number(output_tokens).key("service_tier").string("standard");
  json.end_object();
}

void write_message_head(JsonWriter& json, const Ask& ask) {
  json.key("id").string("msg_sim" + ask.digest).key("type").string("message");
  json.key("role").string("assistant").key("model").string(ask.model);
}

void write_content(JsonWriter& json, const Ask& ask, const Plan& plan) {
  json.begin_array();
  if (!plan.thinking.empty()) {
    json.begin_object().key("type").string("thinking");
    json.key("thinking").string(join(plan.thinking)).key("signature").string(signature(plan));
    json.end_object();
  }
  if (const std::string text = join(text_pieces(plan)); !text.empty())
    json.begin_object().key("type").string("text").key("text").string(text).end_object();
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const std::string arguments = join(plan.calls[i].pieces);
    json.begin_object().key("type").string("tool_use").key("id").string(tool_id(ask, i));
    json.key("name").string(plan.calls[i].name);
    json.key("input").raw(arguments.empty() ? "{}" : arguments).end_object();
  }
  json.end_array();
}

// Renders the events of one stream. Indices of blocks are dense from 0.
class Events {
 public:
  Events(const Ask& ask, const Plan& plan) : ask_(ask), plan_(plan) {}

  std::vector<std::string> render() {
    message_start();
    thinking_block();
    text_block();
    for (std::size_t i = 0; i < plan_.calls.size(); ++i) tool_block(i);
    message_delta();
    event("message_stop", R"({"type":"message_stop"})");
    return std::move(events_);
  }

 private:
  void event(std::string_view name, std::string_view data) {
    events_.push_back(fmt::format("event: {}\ndata: {}\n\n", name, data));
  }

  void message_start() {
    std::string data;
    JsonWriter json(data);
    json.begin_object().key("type").string("message_start").key("message").begin_object();
    write_message_head(json, ask_);
    json.key("content").raw("[]").key("stop_reason").null().key("stop_sequence").null();
    json.key("usage");
    write_usage(json, ask_, 1);
    json.end_object().end_object();
    event("message_start", data);
  }

  void block_start(std::string_view block) {
    event("content_block_start",
          fmt::format(R"({{"type":"content_block_start","index":{},"content_block":{}}})", index_,
                      block));
    if (index_ == 0) event("ping", R"({"type": "ping"})");
  }
  void delta(std::string_view type, std::string_view member, std::string_view piece) {
    event("content_block_delta",
          fmt::format(
              R"({{"type":"content_block_delta","index":{},"delta":{{"type":"{}","{}":{}}}}})",
              index_, type, member, json_string(piece)));
  }
  void block_stop() {
    event("content_block_stop",
          fmt::format(R"({{"type":"content_block_stop","index":{}}})", index_));
    ++index_;
  }

  void thinking_block() {
    if (plan_.thinking.empty()) return;
    block_start(R"({"type":"thinking","thinking":"","signature":""})");
    for (const std::string& piece : plan_.thinking) delta("thinking_delta", "thinking", piece);
    delta("signature_delta", "signature", signature(plan_));
    block_stop();
  }

  void text_block() {
    const std::vector<std::string> pieces = text_pieces(plan_);
    if (pieces.empty()) return;
    block_start(R"({"type":"text","text":""})");
    for (const std::string& piece : pieces) delta("text_delta", "text", piece);
    block_stop();
  }

  void tool_block(std::size_t call) {
    block_start(fmt::format(R"({{"type":"tool_use","id":"{}","name":{},"input":{{}}}})",
                            tool_id(ask_, call), json_string(plan_.calls[call].name)));
    delta("input_json_delta", "partial_json", "");
    for (const std::string& piece : plan_.calls[call].pieces)
      delta("input_json_delta", "partial_json", piece);
    block_stop();
  }

  void message_delta() {
    event("message_delta",
          fmt::format(
              R"({{"type":"message_delta","delta":{{"stop_reason":"{}","stop_sequence":null}},)"
              R"("usage":{{"output_tokens":{}}}}})",
              stop_reason(plan_.finish), plan_.tokens()));
  }

  const Ask& ask_;
  const Plan& plan_;
  std::size_t index_ = 0;
  std::vector<std::string> events_;
};

std::string_view fault_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 409:
      return "conflict_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

void write_model(JsonWriter& json, const ModelCard& card) {
  json.begin_object().key("type").string("model").key("id").string(card.id);
  json.key("display_name").string(card.display_name).key("created_at").string(kModelCreated);
  json.end_object();
}

}  // namespace

std::string anthropic_body(const Ask& ask, const Plan& plan) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  write_message_head(json, ask);
  json.key("content");
  write_content(json, ask, plan);
  json.key("stop_reason").string(stop_reason(plan.finish)).key("stop_sequence").null();
  json.key("usage");
  write_usage(json, ask, plan.tokens());
  json.end_object();
  return body;
}

std::vector<std::string> anthropic_events(const Ask& ask, const Plan& plan) {
  return Events(ask, plan).render();
}

std::string anthropic_fault(const Fault& fault, std::string_view request_id) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("type").string("error").key("error").begin_object();
  json.key("type").string(fault.type.empty() ? fault_type(fault.status) : fault.type);
  json.key("message").string(fault.message).end_object();
  json.key("request_id").string(request_id).end_object();
  return body;
}

std::string anthropic_fault_event(const Fault& fault, std::string_view request_id) {
  return "event: error\ndata: " + anthropic_fault(fault, request_id) + "\n\n";
}

std::string anthropic_count(const Ask& ask) {
  return fmt::format(R"({{"input_tokens":{}}})", ask.prompt_tokens);
}

std::string anthropic_models() {
  std::string body;
  JsonWriter json(body);
  const std::vector<ModelCard>& cards = model_cards();
  json.begin_object().key("data").begin_array();
  for (const ModelCard& card : cards) write_model(json, card);
  json.end_array().key("has_more").boolean(false).key("first_id").string(cards.front().id);
  json.key("last_id").string(cards.back().id).end_object();
  return body;
}

std::string anthropic_model(std::string_view id) {
  std::string body;
  JsonWriter json(body);
  ModelCard found{.id = id, .display_name = id};
  for (const ModelCard& card : model_cards())
    if (card.id == id) found = card;
  write_model(json, found);
  return body;
}

}  // namespace gatehouse::simulate
