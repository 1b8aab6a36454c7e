// OpenAI's Responses API: whole answers and their events. A plan becomes items: reasoning, one
// message, then the calls.
#include <fmt/format.h>

#include "base/json.h"
#include "simulate/render.h"
#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

// One item of the output: its kind, and the pieces of its text.
struct Item {
  enum class Kind { reasoning, message, refusal, function, custom };
  Kind kind = Kind::message;
  std::string id;
  std::string call_id;
  std::string name;
  std::vector<std::string> pieces;
};

std::vector<Item> items_of(const Ask& ask, const Plan& plan) {
  std::vector<Item> items;
  const auto add = [&](Item::Kind kind, std::string_view prefix,
                       const std::vector<std::string>& pieces) -> Item& {
    const auto id = fmt::format("{}_sim{}{:02}", prefix, ask.digest.substr(0, 16), items.size());
    return items.emplace_back(Item{kind, id, "call" + id.substr(id.find('_')), "", pieces});
  };
  if (!plan.thinking.empty()) add(Item::Kind::reasoning, "rs", plan.thinking);
  if (!plan.refusal.empty()) add(Item::Kind::refusal, "msg", plan.refusal);
  if (!plan.pieces.empty() || (plan.calls.empty() && plan.refusal.empty()))
    add(Item::Kind::message, "msg", plan.pieces);
  for (const auto& call : plan.calls)
    add(call.custom ? Item::Kind::custom : Item::Kind::function, call.custom ? "ctc" : "fc",
        call.pieces)
        .name = call.name;
  return items;
}

// A part of an item, with its text or before any of it came.
std::string part_json(const Item& item, std::string_view text) {
  const auto quoted = json_string(text);
  switch (item.kind) {
    case Item::Kind::reasoning:
      return fmt::format(R"({{"type":"summary_text","text":{}}})", quoted);
    case Item::Kind::refusal:
      return fmt::format(R"({{"type":"refusal","refusal":{}}})", quoted);
    default:
      return fmt::format(R"({{"type":"output_text","annotations":[],"logprobs":[],"text":{}}})",
                         quoted);
  }
}

std::string item_json(const Item& item, bool whole) {
  const std::string text = whole ? join(item.pieces) : "";
  const std::string_view status = whole ? "completed" : "in_progress";
  const std::string parts = whole ? "[" + part_json(item, text) + "]" : "[]";
  switch (item.kind) {
    case Item::Kind::reasoning:
      return fmt::format(R"({{"id":"{}","type":"reasoning","summary":{}}})", item.id, parts);
    case Item::Kind::function:
      return fmt::format(
          R"({{"id":"{}","type":"function_call","status":"{}","arguments":{},"call_id":"{}","name":{}}})",
          item.id, status, json_string(text), item.call_id, json_string(item.name));
    case Item::Kind::custom:
      return fmt::format(
          R"({{"id":"{}","type":"custom_tool_call","status":"{}","call_id":"{}","input":{},"name":{}}})",
          item.id, status, item.call_id, json_string(text), json_string(item.name));
    default:
      return fmt::format(
          R"({{"id":"{}","type":"message","status":"{}","content":{},"role":"assistant"}})",
          item.id, status, parts);
  }
}

std::string response_json(const Ask& ask, const Plan& plan, const std::vector<Item>& items,
                          bool whole) {
  const bool cut = plan.finish == Finish::length || plan.finish == Finish::content_filter;
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("id").string("resp_sim" + ask.digest);
  json.key("object").string("response").key("created_at").number(kCreated);
  json.key("status").string(!whole ? "in_progress" : cut ? "incomplete" : "completed");
  json.key("error").null().key("incomplete_details");
  if (whole && cut) {
    json.begin_object().key("reason");
    json.string(plan.finish == Finish::length ? "max_output_tokens" : "content_filter");
    json.end_object();
  } else {
    json.null();
  }
  json.key("instructions").null().key("max_output_tokens").null();
  json.key("model").string(ask.model).key("output").begin_array();
  if (whole)
    for (const auto& item : items) json.raw(item_json(item, true));
  json.end_array().key("parallel_tool_calls").boolean(ask.parallel_tools);
  json.key("previous_response_id").null().key("store").boolean(false);
  json.key("text").raw(R"({"format":{"type":"text"}})");
  json.key("tool_choice").string("auto").key("tools").raw("[]");
  json.key("usage");
  if (whole) {
    json.begin_object().key("input_tokens").number(ask.prompt_tokens);
    json.key("input_tokens_details").raw(R"({"cached_tokens":0})");
    json.key("output_tokens").number(plan.tokens());
    json.key("output_tokens_details").begin_object();
    json.key("reasoning_tokens").number(plan.thinking.size()).end_object();
    json.key("total_tokens").number(ask.prompt_tokens + plan.tokens()).end_object();
  } else {
    json.null();
  }
  json.end_object();
  return body;
}

// Renders the events of one stream; each has the next sequence number.
class Events {
 public:
  Events(const Ask& ask, const Plan& plan) : ask_(ask), plan_(plan), items_(items_of(ask, plan)) {}

  std::vector<std::string> render() {
    const std::string begun = R"("response":)" + response_json(ask_, plan_, items_, false);
    event("response.created", begun);
    event("response.in_progress", begun);
    for (std::size_t at = 0; at < items_.size(); ++at) item(at);
    const bool cut = plan_.finish == Finish::length || plan_.finish == Finish::content_filter;
    event(cut ? "response.incomplete" : "response.completed",
          R"("response":)" + response_json(ask_, plan_, items_, true));
    return std::move(events_);
  }

 private:
  void event(std::string_view type, std::string_view members) {
    events_.push_back(
        fmt::format("event: {}\ndata: {{\"type\":\"{}\",\"sequence_number\":{},{}}}\n\n", type,
                    type, events_.size(), members));
  }

  void item(std::size_t at) {
    const auto& item = items_[at];
    const auto where = fmt::format(R"("output_index":{})", at);
    event("response.output_item.added", where + R"(,"item":)" + item_json(item, false));
    const auto text = fmt::format(R"("item_id":"{}",{})", item.id, where);
    switch (item.kind) {
      case Item::Kind::function:
        pieces("response.function_call_arguments", text, item, "arguments");
        break;
      case Item::Kind::custom:
        pieces("response.custom_tool_call_input", text, item, "input");
        break;
      case Item::Kind::reasoning:
        part(text + R"(,"summary_index":0)", item, "response.reasoning_summary_part",
             "response.reasoning_summary_text", "text");
        break;
      case Item::Kind::refusal:
        part(text + R"(,"content_index":0)", item, "response.content_part", "response.refusal",
             "refusal");
        break;
      case Item::Kind::message:
        part(text + R"(,"content_index":0)", item, "response.content_part", "response.output_text",
             "text");
        break;
    }
    event("response.output_item.done", where + R"(,"item":)" + item_json(item, true));
  }

  void part(const std::string& where, const Item& item, const std::string& part,
            const std::string& text, std::string_view member) {
    event(part + ".added", where + R"(,"part":)" + part_json(item, ""));
    pieces(text, where, item, member);
    event(part + ".done", where + R"(,"part":)" + part_json(item, join(item.pieces)));
  }

  void pieces(const std::string& text, const std::string& where, const Item& item,
              std::string_view member) {
    const std::string_view more =
        member == "text" && item.kind == Item::Kind::message ? R"(,"logprobs":[])" : "";
    for (const auto& piece : item.pieces) {
      auto members = where + R"(,"delta":)" + json_string(piece) + std::string(more);
      if (ask_.include_obfuscation)
        members += R"(,"obfuscation":")" +
                   std::string(16 - std::min<std::size_t>(piece.size(), 15), 'x') + "\"";
      event(text + ".delta", members);
    }
    event(text + ".done", where + ",\"" + std::string(member) +
                              "\":" + json_string(join(item.pieces)) + std::string(more));
  }

  const Ask& ask_;
  const Plan& plan_;
  std::vector<Item> items_;
  std::vector<std::string> events_;
};

}  // namespace

std::string responses_body(const Ask& ask, const Plan& plan) {
  return response_json(ask, plan, items_of(ask, plan), true);
}

std::vector<std::string> responses_events(const Ask& ask, const Plan& plan) {
  return Events(ask, plan).render();
}

std::string whole_answer(const Ask& ask, const Plan& plan) {
  if (ask.dialect == Dialect::anthropic) return anthropic_body(ask, plan);
  return ask.responses ? responses_body(ask, plan) : openai_body(ask, plan);
}

std::vector<std::string> answer_events(const Ask& ask, const Plan& plan) {
  if (ask.dialect == Dialect::anthropic) return anthropic_events(ask, plan);
  return ask.responses ? responses_events(ask, plan) : openai_events(ask, plan);
}

}  // namespace gatehouse::simulate
