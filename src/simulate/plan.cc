#include "simulate/plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr std::size_t kDefaultLong = 200;
constexpr std::size_t kMaxLong = 100'000;
constexpr std::size_t kMaxScript = 4u << 20;
constexpr std::string_view kLongPrefix = "simulator-long-";

PlannedCall planned(const OfferedTool& tool) {
  return {.name = tool.name, .custom = tool.custom, .pieces = split_tokens(tool.arguments)};
}

Plan text_plan(std::string_view text) {
  Plan plan;
  plan.pieces = split_tokens(text);
  return plan;
}

// After a tool's result the model says what the result was; otherwise it would call for ever.
Plan tools_plan(const Ask& ask) {
  if (ask.last_is_tool_result) return text_plan(ask.last_tool_result);
  if (ask.tools.empty()) return text_plan(ask.last_user_text);
  Plan plan;
  plan.finish = Finish::tool_calls;
  plan.calls.push_back(planned(ask.tools[0]));
  if (ask.tools.size() > 1 && ask.parallel_tools) plan.calls.push_back(planned(ask.tools[1]));
  return plan;
}

Plan long_plan(std::string_view model) {
  std::size_t count = kDefaultLong;
  if (model.starts_with(kLongPrefix))
    count = std::min<std::size_t>(parse_uint(model.substr(kLongPrefix.size())).value_or(count),
                                  kMaxLong);
  Plan plan;
  plan.pieces = long_tokens(count);
  return plan;
}

void limit_tokens(const Ask& ask, Plan& plan) {
  if (!ask.max_tokens || plan.pieces.size() <= *ask.max_tokens) return;
  plan.pieces.resize(*ask.max_tokens);
  plan.finish = Finish::length;
}

void add_thinking(const Ask& ask, Plan& plan) {
  if (ask.thinking && plan.thinking.empty())
    plan.thinking = split_tokens("The simulator looks at the last message and answers from it.");
}

}  // namespace

std::size_t Plan::tokens() const {
  std::size_t count = pieces.size() + thinking.size() + refusal.size();
  for (const PlannedCall& call : calls) count += call.pieces.size();
  return count;
}

std::string reflection_json(const Reflection& reflection) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("method").string(reflection.method).key("target").string(reflection.target);
  json.key("headers").begin_object();
  for (const auto& [name, value] : reflection.headers) json.key(to_lower(name)).string(value);
  json.end_object();
  json.key("body").string(reflection.body);
  json.end_object();
  return out;
}

const std::vector<ModelCard>& model_cards() {
  static const std::vector<ModelCard> cards = {
      {"simulator-echo", "Simulator: answers with the last user text"},
      {"simulator-tools", "Simulator: calls the offered tools"},
      {"simulator-long", "Simulator: 200 fixed words (simulator-long-N: N)"},
      {"simulator-script", "Simulator: plays the script in the last user text"},
      {"simulator-reflect", "Simulator: answers with the request it received"},
      {"simulator-embed", "Simulator: embeddings from a hash of the text"},
      {"simulator-bench-1k", "Simulator: fixed 1 KiB answer for benchmarks"},
      {"simulator-bench-2k", "Simulator: fixed 2 KiB answer for benchmarks"},
      {"simulator-bench-16k", "Simulator: fixed 16 KiB answer for benchmarks"},
  };
  return cards;
}

bool is_known_model(std::string_view model) {
  if (model.starts_with(kLongPrefix))
    return parse_uint(model.substr(kLongPrefix.size())).has_value();
  return std::ranges::any_of(model_cards(),
                             [&](const ModelCard& card) { return card.id == model; });
}

Plan make_plan(const Ask& ask, const Reflection& reflection) {
  Plan plan;
  if (ask.model == "simulator-tools") {
    plan = tools_plan(ask);
  } else if (ask.model.starts_with("simulator-long")) {
    plan = long_plan(ask.model);
  } else if (ask.model == "simulator-script") {
    plan = plan_from_script(ask.last_user_text);
  } else if (ask.model == "simulator-reflect") {
    plan = text_plan(reflection_json(reflection));
  } else {
    plan = text_plan(ask.last_is_tool_result ? ask.last_tool_result : ask.last_user_text);
  }
  limit_tokens(ask, plan);
  add_thinking(ask, plan);
  return plan;
}

namespace {

// Reads the members of a script; a member of a wrong type becomes the plan's fault.
class Script {
 public:
  explicit Script(const Json& json) : json_(json) {}

  std::optional<std::string> text(const char* name) {
    const Json* value = get(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    return note<std::string>(name, "text");
  }
  std::optional<std::size_t> count(const char* name) {
    const Json* value = get(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_unsigned()) return value->get<std::size_t>();
    return note<std::size_t>(name, "a whole number");
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> all;
    const Json* value = get(name);
    if (value == nullptr) return all;
    for (const Json& one : *value) {
      if (!value->is_array() || !one.is_string()) {
        note<int>(name, "a list of texts");
        return {};
      }
      all.push_back(one.get<std::string>());
    }
    return all;
  }
  bool flag(const char* name) {
    const Json* value = get(name);
    return value != nullptr && value->is_boolean() && value->get<bool>();
  }
  const Json* get(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  template <class T>
  std::optional<T> note(std::string_view name, std::string_view expected) {
    problem_ = "script member '" + std::string(name) + "' must be " + std::string(expected);
    return std::nullopt;
  }
  const std::string& problem() const { return problem_; }

 private:
  const Json& json_;
  std::string problem_;
};

Fault bad_script(std::string message) {
  return {.status = 400,
          .type = "",
          .message = "simulator-script: " + std::move(message),
          .code = "simulator_script",
          .param = "messages"};
}

Fault read_fault(Script& script, int status) {
  Fault fault{
      .status = status,
      .type = "",
      .message = "The simulator was told to fail with status " + std::to_string(status) + ".",
      .code = "",
      .param = ""};
  const Json* error = script.get("error");
  if (error == nullptr || !error->is_object()) return fault;
  Script members(*error);
  fault.message = members.text("message").value_or(fault.message);
  fault.type = members.text("type").value_or("");
  fault.code = members.text("code").value_or("");
  fault.param = members.text("param").value_or("");
  return fault;
}

void read_calls(Script& script, Plan& plan) {
  const Json* calls = script.get("tool_calls");
  if (calls == nullptr) return;
  for (const Json& call : *calls) {
    if (!calls->is_array() || !call.is_object()) {
      script.note<int>("tool_calls", "a list of {name, arguments}");
      return;
    }
    Script members(call);
    PlannedCall planned{.name = members.text("name").value_or("tool"),
                        .custom = members.flag("custom"),
                        .pieces = members.texts("chunks")};
    const Json* arguments = members.get("arguments");
    if (planned.pieces.empty() && arguments != nullptr)
      planned.pieces =
          split_tokens(arguments->is_string() ? arguments->get<std::string>() : arguments->dump());
    plan.calls.push_back(std::move(planned));
  }
  if (!plan.calls.empty()) plan.finish = Finish::tool_calls;
}

void read_content(Script& script, Plan& plan) {
  plan.pieces = script.texts("chunks");
  if (plan.pieces.empty()) plan.pieces = split_tokens(script.text("text").value_or(""));
  plan.thinking = split_tokens(script.text("thinking").value_or(""));
  plan.refusal = split_tokens(script.text("refusal").value_or(""));
  if (!plan.refusal.empty()) plan.finish = Finish::refusal;
  read_calls(script, plan);
  plan.interleave_calls = script.flag("interleave");
  const std::string finish = script.text("finish").value_or("");
  if (finish == "length") plan.finish = Finish::length;
  if (finish == "content_filter") plan.finish = Finish::content_filter;
}

milliseconds at_most_ten_minutes(std::size_t count) {
  return milliseconds(std::min<std::size_t>(count, 600'000));
}

void read_headers(Script& script, Plan& plan) {
  const Json* headers = script.get("headers");
  if (headers != nullptr && headers->is_object())
    for (const auto& [name, value] : headers->items())
      plan.headers.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  if (const Json* after = script.get("retry_after"))
    plan.headers.emplace_back("retry-after",
                              after->is_string() ? after->get<std::string>() : after->dump());
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  std::erase_if(plan.headers, [&](const auto& header) {
    return header.first.empty() || std::ranges::any_of(header.first, is_control) ||
           std::ranges::any_of(header.second, is_control);
  });
}

void read_behaviour(Script& script, Plan& plan) {
  if (const auto pace = script.count("pace_ms")) plan.pace = at_most_ten_minutes(*pace);
  plan.hang = at_most_ten_minutes(script.count("hang_ms").value_or(0));
  plan.cut_after = script.count("cut_after");
  plan.error_after = script.count("error_after");
  plan.rewrite = script.count("rewrite").value_or(0);
  plan.raw = script.texts("raw");
  plan.raw_type = script.text("content_type").value_or("text/event-stream");
  plan.fail_times = script.count("fail_times").value_or(0);
  read_headers(script, plan);
}

}  // namespace

Plan plan_from_script(const std::string& text) {
  Plan plan;
  const bool readable = text.size() <= kMaxScript && !nested_too_deeply(text);
  const Json json = readable ? Json::parse(text, nullptr, false) : Json();
  if (!json.is_object()) {
    plan.fault = bad_script("the last user message must be a JSON object");
    return plan;
  }
  Script script(json);
  read_content(script, plan);
  read_behaviour(script, plan);
  const std::size_t status = script.count("status").value_or(200);
  if (status < 200 || status > 599) script.note<int>("status", "from 200 to 599");
  if (status >= 400) plan.fault = read_fault(script, static_cast<int>(status));
  plan.stream_error = read_fault(script, 500);
  if (!script.problem().empty()) plan.fault = bad_script(script.problem());
  return plan;
}

}  // namespace gatehouse::simulate
