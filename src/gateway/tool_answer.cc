// See tool_answer.h.
#include "gateway/tool_answer.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "gateway/responses.h"

namespace gatehouse::gateway {
namespace {

using Json = nlohmann::ordered_json;

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json note_of(const Exchange& exchange, const TurnVerdict& verdict) {
  return parse(verdict.json(exchange));
}

// The type that a document, an item or a block says it is of; empty: none.
std::string type_of(const Json& json) {
  if (!json.is_object()) return {};
  const auto type = json.find("type");
  return type != json.end() && type->is_string() ? type->get<std::string>() : std::string();
}

bool is_anthropic(const Exchange& exchange) {
  return exchange.dialect->kind() == DialectKind::anthropic;
}

std::uint64_t index_of(const Json& choice, std::uint64_t position) {
  const auto found = choice.find("index");
  return found != choice.end() && found->is_number_unsigned() ? found->get<std::uint64_t>()
                                                              : position;
}

std::string joined(const Json& content, const std::string& notice) {
  const bool has_text = content.is_string() && !content.get_ref<const std::string&>().empty();
  return has_text ? content.get<std::string>() + "\n\n" + notice : notice;
}

bool without_openai(Json& document, const TurnVerdict& verdict) {
  const auto choices = document.find("choices");
  if (choices == document.end() || !choices->is_array()) return false;
  std::uint64_t position = 0;
  for (auto& choice : *choices) {
    const auto index = choice.is_object() ? index_of(choice, position) : position;
    ++position;
    if (!verdict.stops(index)) continue;
    const auto message = choice.find("message");
    if (message == choice.end() || !message->is_object()) return false;
    message->erase("tool_calls");
    message->erase("function_call");
    (*message)["content"] = joined(message->value("content", Json()), verdict.text_of(index));
    choice["finish_reason"] = "stop";
  }
  return true;
}

bool without_anthropic(Json& document, const TurnVerdict& verdict) {
  const auto content = document.find("content");
  if (content == document.end() || !content->is_array()) return false;
  Json kept = Json::array();
  for (auto& block : *content) {
    if (type_of(block) != "tool_use") kept.push_back(std::move(block));
  }
  kept.push_back({{"type", "text"}, {"text", verdict.text()}});
  *content = std::move(kept);
  document["stop_reason"] = "end_turn";
  return true;
}

// The Responses API: calls are items of the output; a message takes their place.
Json message_item(const Exchange& exchange, const TurnVerdict& verdict) {
  return {
      {"type", "message"},
      {"id", "msg_" + exchange.id},
      {"status", "completed"},
      {"role", "assistant"},
      {"content",
       Json::array(
           {{{"type", "output_text"}, {"text", verdict.text()}, {"annotations", Json::array()}}})}};
}

bool without_responses(Json& document, const Exchange& exchange, const TurnVerdict& verdict) {
  const auto output = document.find("output");
  if (output == document.end() || !output->is_array()) return false;
  Json kept = Json::array();
  for (auto& item : *output)
    if (!is_call_item(type_of(item))) kept.push_back(std::move(item));
  kept.push_back(message_item(exchange, verdict));
  *output = std::move(kept);
  document["gatehouse"] = note_of(exchange, verdict);
  return true;
}

class ResponsesEnding {
 public:
  ResponsesEnding(const Exchange& exchange, const TurnVerdict& verdict, std::string& out)
      : exchange_(exchange), verdict_(verdict), out_(out) {}

  void write(const std::vector<SseEvent>& held) {
    for (const auto& event : held) {
      auto data = event.has_data ? parse(event.data) : Json();
      if (!data.is_object()) {
        out_ += event.raw;
        continue;
      }
      if (!began_) begin(data);
      const auto response = data.find("response");
      if (response == data.end() || !response->is_object()) continue;  // of an item that is gone
      without_responses(*response, exchange_, verdict_);
      write_event(event.name, std::move(data));
    }
  }

 private:
  void begin(const Json& first) {
    began_ = true;
    sequence_ = number(first, "sequence_number");
    const auto index = number(first, "output_index");
    const Json item = message_item(exchange_, verdict_);
    Json empty = item;
    empty["status"] = "in_progress";
    empty["content"] = Json::array();
    const auto of_item = [&](const char* type, Json more) {
      Json data = {{"type", type}, {"output_index", index}};
      data.update(more);
      write_event(type, std::move(data));
    };
    const auto of_part = [&](const char* type, Json more) {
      more["item_id"] = item["id"];
      more["content_index"] = 0;
      of_item(type, std::move(more));
    };
    Json part = item["content"][0];
    part["text"] = "";
    of_item("response.output_item.added", {{"item", empty}});
    of_part("response.content_part.added", {{"part", part}});
    of_part("response.output_text.delta",
            {{"delta", verdict_.text()}, {"logprobs", Json::array()}});
    of_part("response.output_text.done", {{"text", verdict_.text()}, {"logprobs", Json::array()}});
    of_part("response.content_part.done", {{"part", item["content"][0]}});
    of_item("response.output_item.done", {{"item", item}});
  }

  static std::uint64_t number(const Json& data, const char* name) {
    const auto found = data.find(name);
    return found != data.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
  }

  void write_event(std::string_view name, Json data) {
    data["sequence_number"] = sequence_++;
    append_event(out_, name, dump(data));
  }

  const Exchange& exchange_;
  const TurnVerdict& verdict_;
  std::string& out_;
  std::uint64_t sequence_ = 0;
  bool began_ = false;
};

class OpenAiEnding {
 public:
  OpenAiEnding(const Exchange& exchange, const TurnVerdict& verdict, std::string& out)
      : exchange_(exchange), verdict_(verdict), out_(out) {}

  void write(const std::vector<SseEvent>& held) {
    for (const auto& event : held) {
      const auto data = event.has_data ? parse(event.data) : Json();
      if (!data.is_object() || !data.contains("choices")) {
        if (!noted_ && event.data.starts_with("[DONE]")) write_notices();
        out_ += event.raw;
        continue;
      }
      if (envelope_.is_null()) take_envelope(data);
      if (!noted_) {
        take_texts(held);
        write_notices();
      }
      if (!mentions_stopped(data)) out_ += event.raw;
    }
    if (!noted_) write_notices();
  }

 private:
  void take_envelope(const Json& data) {
    envelope_ = Json::object();
    for (const char* key : {"id", "object", "created", "model", "system_fingerprint"})
      if (const auto found = data.find(key); found != data.end()) envelope_[key] = *found;
  }

  // What filters held back of a text comes with the end of its choice, which is behind the calls.
  void take_texts(const std::vector<SseEvent>& held) {
    for (const auto& event : held) {
      const auto data = event.has_data ? parse(event.data) : Json();
      const auto choices = data.is_object() ? data.find("choices") : data.end();
      if (choices == data.end() || !choices->is_array()) continue;
      std::uint64_t position = 0;
      for (const auto& choice : *choices) {
        const auto at = position++;
        if (!choice.is_object()) continue;
        const auto delta = choice.find("delta");
        if (delta == choice.end() || !delta->is_object()) continue;
        const auto content = delta->find("content");
        if (content != delta->end() && content->is_string())
          texts_[index_of(choice, at)] += content->get<std::string>();
      }
    }
  }

  bool mentions_stopped(const Json& data) const {
    std::uint64_t position = 0;
    for (const auto& choice : data["choices"]) {
      const auto index = choice.is_object() ? index_of(choice, position) : position;
      ++position;
      if (verdict_.stops(index)) return true;
    }
    return false;
  }

  void write_notices() {
    noted_ = true;
    if (envelope_.is_null())
      envelope_ = {{"id", exchange_.id}, {"object", "chat.completion.chunk"}};
    for (const auto& stopped : verdict_.stopped) {
      if (!done_.insert(stopped.choice).second) continue;
      const Json delta = {{"role", "assistant"},
                          {"content", texts_[stopped.choice] + verdict_.text_of(stopped.choice)}};
      write_choice({{"index", stopped.choice}, {"delta", delta}, {"finish_reason", nullptr}}, true);
      write_choice(
          {{"index", stopped.choice}, {"delta", Json::object()}, {"finish_reason", "stop"}}, false);
    }
  }

  void write_choice(Json choice, bool with_note) {
    Json chunk = envelope_;
    chunk["choices"] = Json::array({std::move(choice)});
    if (with_note) chunk["gatehouse"] = note_of(exchange_, verdict_);
    append_event(out_, {}, dump(chunk));
  }

  const Exchange& exchange_;
  const TurnVerdict& verdict_;
  std::string& out_;
  Json envelope_;
  std::set<std::uint64_t> done_;
  std::map<std::uint64_t, std::string> texts_;  // of the choices, that had not left
  bool noted_ = false;
};

void end_anthropic(const Exchange& exchange, const TurnVerdict& verdict,
                   const std::vector<SseEvent>& held, std::string& out) {
  bool noted = false;
  const auto write = [&](std::string_view name, const Json& data) {
    append_event(out, name, dump(data));
  };
  for (const auto& event : held) {
    auto data = event.has_data ? parse(event.data) : Json();
    const std::string type = type_of(data);
    if (!noted) {
      noted = true;
      const auto index = data.is_object() ? data.value("index", Json(0)) : Json(0);
      write("content_block_start", {{"type", "content_block_start"},
                                    {"index", index},
                                    {"content_block", {{"type", "text"}, {"text", ""}}}});
      write("content_block_delta", {{"type", "content_block_delta"},
                                    {"index", index},
                                    {"delta", {{"type", "text_delta"}, {"text", verdict.text()}}},
                                    {"gatehouse", note_of(exchange, verdict)}});
      write("content_block_stop", {{"type", "content_block_stop"}, {"index", index}});
    }
    if (type.starts_with("content_block")) continue;
    if (type == "message_delta" && data.contains("delta") && data["delta"].is_object()) {
      data["delta"]["stop_reason"] = "end_turn";
      write(event.name, data);
    } else {
      out += event.raw;
    }
  }
}

}  // namespace

Result<std::string> answer_without_calls(const Exchange& exchange, const TurnVerdict& verdict,
                                         std::string_view body) {
  Json document = parse(body);
  const auto without_calls = [&] {
    if (exchange.route == Route::responses) return without_responses(document, exchange, verdict);
    return is_anthropic(exchange) ? without_anthropic(document, verdict)
                                  : without_openai(document, verdict);
  };
  if (!document.is_object() || !without_calls())
    return fail(ErrorCode::invalid_argument, "the answer has no known shape");
  document["gatehouse"] = note_of(exchange, verdict);
  return dump(document);
}

void stream_without_calls(const Exchange& exchange, const TurnVerdict& verdict,
                          const std::vector<SseEvent>& held, std::string& out) {
  if (exchange.route == Route::responses)
    return ResponsesEnding(exchange, verdict, out).write(held);
  if (is_anthropic(exchange)) return end_anthropic(exchange, verdict, held, out);
  OpenAiEnding(exchange, verdict, out).write(held);
}

}  // namespace gatehouse::gateway
