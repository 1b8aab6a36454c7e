// The OpenAI dialect: chat completions and their chunks, embeddings, the models list, errors.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/json.h"
#include "base/text.h"
#include "simulate/render.h"
#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

constexpr std::string_view kFingerprint = "fp_simulator";

std::string_view finish_reason(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "length";
    case Finish::tool_calls:
      return "tool_calls";
    case Finish::content_filter:
      return "content_filter";
    case Finish::stop:
    case Finish::refusal:
      break;
  }
  return "stop";
}

std::string call_id(const Ask& ask, std::size_t choice, std::size_t call) {
  return fmt::format("call_sim{}{:02}{:02}", ask.digest.substr(0, 16), choice, call);
}

void write_usage(JsonWriter& json, const Ask& ask, const Plan& plan) {
  const std::size_t completion = plan.tokens() * ask.choices;
  json.begin_object();
  json.key("prompt_tokens").number(ask.prompt_tokens);
  json.key("completion_tokens").number(completion);
  json.key("total_tokens").number(ask.prompt_tokens + completion);
  json.key("prompt_tokens_details").raw(R"({"cached_tokens":0,"audio_tokens":0})");
  json.key("completion_tokens_details").begin_object();
  json.key("reasoning_tokens").number(plan.thinking.size() * ask.choices);
  json.key("audio_tokens").number(0);
  json.key("accepted_prediction_tokens").number(0);
  json.key("rejected_prediction_tokens").number(0);
  json.end_object().end_object();
}

void write_head(JsonWriter& json, const Ask& ask, std::string_view object) {
  json.key("id").string("chatcmpl-sim" + ask.digest);
  json.key("object").string(object);
  json.key("created").number(kCreated);
  json.key("model").string(ask.model);
}

void write_call(JsonWriter& json, const Ask& ask, std::size_t choice, std::size_t index,
                const PlannedCall& call) {
  json.begin_object().key("id").string(call_id(ask, choice, index));
  json.key("type").string(call.custom ? "custom" : "function");
  json.key(call.custom ? "custom" : "function").begin_object();
  json.key("name").string(call.name);
  json.key(call.custom ? "input" : "arguments").string(join(call.pieces));
  json.end_object().end_object();
}

void write_message(JsonWriter& json, const Ask& ask, const Plan& plan, std::size_t choice) {
  json.begin_object().key("role").string("assistant");
  const bool has_text = !plan.pieces.empty() || (plan.calls.empty() && plan.refusal.empty());
  json.key("content");
  has_text ? json.string(join(plan.pieces)) : json.null();
  if (!plan.thinking.empty()) json.key("reasoning_content").string(join(plan.thinking));
  if (!plan.calls.empty()) {
    json.key("tool_calls").begin_array();
    for (std::size_t i = 0; i < plan.calls.size(); ++i)
      write_call(json, ask, choice, i, plan.calls[i]);
    json.end_array();
  }
  json.key("refusal");
  plan.refusal.empty() ? json.null() : json.string(join(plan.refusal));
  json.key("annotations").raw("[]").end_object();
}

// Renders the chunks of one stream.
class Chunks {
 public:
  Chunks(const Ask& ask, const Plan& plan) : ask_(ask), plan_(plan) {}

  std::vector<std::string> render() {
    for (std::size_t c = 0; c < ask_.choices; ++c)
      chunk(c, R"({"role":"assistant","content":"","refusal":null})");
    each_piece(plan_.thinking, "reasoning_content");
    each_piece(plan_.pieces, "content");
    each_piece(plan_.refusal, "refusal");
    plan_.interleave_calls ? calls_in_turn() : calls_in_order();
    for (std::size_t c = 0; c < ask_.choices; ++c) chunk(c, "{}", finish_reason(plan_.finish));
    if (ask_.include_usage) usage_chunk();
    events_.push_back("data: [DONE]\n\n");
    return std::move(events_);
  }

 private:
  // n > 1: one piece of each choice in turn, as providers interleave them.
  void each_piece(const std::vector<std::string>& pieces, std::string_view member) {
    for (const std::string& piece : pieces)
      for (std::size_t c = 0; c < ask_.choices; ++c)
        chunk(c, fmt::format(R"({{"{}":{}}})", member, json_string(piece)), "", piece.size());
  }

  void call_begin(std::size_t choice, std::size_t index) {
    const PlannedCall& call = plan_.calls[index];
    const std::string_view kind = call.custom ? "custom" : "function";
    const std::string_view member = call.custom ? "input" : "arguments";
    chunk(
        choice,
        fmt::format(
            R"({{"tool_calls":[{{"index":{},"id":"{}","type":"{}","{}":{{"name":{},"{}":""}}}}]}})",
            index, call_id(ask_, choice, index), kind, kind, json_string(call.name), member));
  }

  void call_piece(std::size_t choice, std::size_t index, const std::string& piece) {
    const bool custom = plan_.calls[index].custom;
    chunk(choice,
          fmt::format(R"({{"tool_calls":[{{"index":{},"{}":{{"{}":{}}}}}]}})", index,
                      custom ? "custom" : "function", custom ? "input" : "arguments",
                      json_string(piece)),
          "", piece.size());
  }

  void calls_in_order() {
    for (std::size_t c = 0; c < ask_.choices; ++c)
      for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
        call_begin(c, i);
        for (const std::string& piece : plan_.calls[i].pieces) call_piece(c, i, piece);
      }
  }

  void calls_in_turn() {
    for (std::size_t c = 0; c < ask_.choices; ++c) {
      std::size_t longest = 0;
      for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
        call_begin(c, i);
        longest = std::max(longest, plan_.calls[i].pieces.size());
      }
      for (std::size_t at = 0; at < longest; ++at)
        for (std::size_t i = 0; i < plan_.calls.size(); ++i)
          if (at < plan_.calls[i].pieces.size()) call_piece(c, i, plan_.calls[i].pieces[at]);
    }
  }

  void begin(JsonWriter& json) {
    json.begin_object();
    write_head(json, ask_, "chat.completion.chunk");
    json.key("service_tier").string("default").key("system_fingerprint").string(kFingerprint);
  }

  void chunk(std::size_t choice, std::string_view delta, std::string_view finish = "",
             std::size_t length = 0) {
    std::string event = "data: ";
    JsonWriter json(event);
    begin(json);
    json.key("choices").begin_array().begin_object();
    json.key("index").number(choice).key("delta").raw(delta).key("logprobs").null();
    json.key("finish_reason");
    finish.empty() ? json.null() : json.string(finish);
    json.end_object().end_array();
    if (ask_.include_usage) json.key("usage").null();
    obfuscate(json, length);
    json.end_object();
    events_.push_back(std::move(event) + "\n\n");
  }

  void usage_chunk() {
    std::string event = "data: ";
    JsonWriter json(event);
    begin(json);
    json.key("choices").raw("[]").key("usage");
    write_usage(json, ask_, plan_);
    obfuscate(json, 0);
    json.end_object();
    events_.push_back(std::move(event) + "\n\n");
  }

  // Pads what the length of a piece would give away, to a multiple of 16.
  void obfuscate(JsonWriter& json, std::size_t length) {
    static constexpr std::string_view kPadding = "k9Qw2ZrT7uXbM4cV";
    if (ask_.include_obfuscation)
      json.key("obfuscation").string(kPadding.substr(length % kPadding.size()));
  }

  const Ask& ask_;
  const Plan& plan_;
  std::vector<std::string> events_;
};

std::string_view fault_type(int status) {
  if (status == 429) return "rate_limit_error";
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

std::string openai_body(const Ask& ask, const Plan& plan) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  write_head(json, ask, "chat.completion");
  json.key("choices").begin_array();
  for (std::size_t c = 0; c < ask.choices; ++c) {
    json.begin_object().key("index").number(c).key("message");
    write_message(json, ask, plan, c);
    json.key("logprobs").null().key("finish_reason").string(finish_reason(plan.finish));
    json.end_object();
  }
  json.end_array().key("usage");
  write_usage(json, ask, plan);
  json.key("service_tier").string("default").key("system_fingerprint").string(kFingerprint);
  json.end_object();
  return body;
}

std::vector<std::string> openai_events(const Ask& ask, const Plan& plan) {
  return Chunks(ask, plan).render();
}

std::string openai_fault(const Fault& fault) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("error").begin_object();
  json.key("message").string(fault.message);
  json.key("type").string(fault.type.empty() ? fault_type(fault.status) : fault.type);
  json.key("param");
  fault.param.empty() ? json.null() : json.string(fault.param);
  json.key("code");
  fault.code.empty() ? json.null() : json.string(fault.code);
  json.end_object().end_object();
  return body;
}

std::string openai_fault_event(const Fault& fault) {
  return "data: " + openai_fault(fault) + "\n\n";
}

namespace {

// A unit vector from a hash of the text: equal texts are near, others are not.
std::vector<float> embedding(std::string_view text, std::size_t dimensions) {
  std::vector<float> vector(dimensions);
  std::uint64_t state = fingerprint(text);
  float square_sum = 0;
  for (float& value : vector) {
    state = fingerprint("next", state);
    value = static_cast<float>(static_cast<std::int32_t>(state >> 32)) / 2147483648.0F;
    square_sum += value * value;
  }
  const float length = std::sqrt(square_sum);
  for (float& value : vector) value = length == 0 ? 0 : value / length;
  return vector;
}

std::string little_endian(const std::vector<float>& vector) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(vector.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return bytes;
}

void write_embedding(JsonWriter& json, const EmbeddingAsk& ask, std::size_t index) {
  const std::vector<float> vector = embedding(ask.inputs[index], ask.dimensions);
  json.begin_object().key("object").string("embedding").key("index").number(index);
  json.key("embedding");
  if (ask.base64) {
    json.string(to_base64(bytes_of(little_endian(vector))));
  } else {
    json.begin_array();
    for (const float value : vector) json.raw(fmt::format("{}", value));
    json.end_array();
  }
  json.end_object();
}

void write_model(JsonWriter& json, std::string_view id) {
  json.begin_object().key("id").string(id).key("object").string("model");
  json.key("created").number(kCreated).key("owned_by").string("gatehouse-simulator").end_object();
}

}  // namespace

std::string openai_embeddings(const EmbeddingAsk& ask) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("object").string("list").key("data").begin_array();
  for (std::size_t i = 0; i < ask.inputs.size(); ++i) write_embedding(json, ask, i);
  json.end_array().key("model").string(ask.model).key("usage").begin_object();
  json.key("prompt_tokens").number(ask.prompt_tokens);
  json.key("total_tokens").number(ask.prompt_tokens).end_object().end_object();
  return body;
}

std::string openai_models() {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("object").string("list").key("data").begin_array();
  for (const ModelCard& card : model_cards()) write_model(json, card.id);
  json.end_array().end_object();
  return body;
}

std::string openai_model(std::string_view id) {
  std::string body;
  JsonWriter json(body);
  write_model(json, id);
  return body;
}

}  // namespace gatehouse::simulate
