// What guards are sent and what they say. See guard.h; formats: docs/guards.md.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "guard/guard.h"

namespace gatehouse::guard {
namespace {

using nlohmann::json;

constexpr std::size_t most_categories = 16;  // of a verdict; more are not told
constexpr std::size_t longest_category = 64;

std::unexpected<Error> unreadable(std::string what) {
  return std::unexpected(Error{ErrorCode::data_loss, std::move(what), {}});
}

void add_category(Verdict& verdict, std::string_view name) {
  if (verdict.categories.size() < most_categories)
    verdict.categories.emplace_back(utf8_prefix(name, longest_category));
}

bool counts(const Config& config, std::string_view category) {
  return config.categories.empty() ||
         std::ranges::find(config.categories, category) != config.categories.end();
}

// The member, or null.
const json* find(const json& object, const char* name) {
  const auto member = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && member != object.end() ? &*member : nullptr;
}

const json* first_of(const json* list) {
  return list != nullptr && list->is_array() && !list->empty() ? &list->front() : nullptr;
}

// "safe", or "unsafe" and a line of category codes.
Result<Verdict> read_llama_guard(const Config& config, const json& answer) {
  const json* choice = first_of(find(answer, "choices"));
  const json* message = choice != nullptr ? find(*choice, "message") : nullptr;
  const json* content = message != nullptr ? find(*message, "content") : nullptr;
  if (content == nullptr || !content->is_string())
    return unreadable("no choices[0].message.content");
  const std::string text(trim(content->get_ref<const std::string&>()));
  const auto line_end = std::min(text.find('\n'), text.size());
  const std::string word = to_lower(trim(std::string_view(text).substr(0, line_end)));
  Verdict verdict;
  if (word == "safe" && trim(std::string_view(text).substr(line_end)).empty()) return verdict;
  if (word != "unsafe") return unreadable("neither \"safe\" nor \"unsafe\"");
  bool named = false;
  for (const auto code : split(std::string_view(text).substr(line_end), ',')) {
    const auto name = trim(code);
    if (name.empty()) continue;
    named = true;
    if (!counts(config, name)) continue;
    verdict.flagged = true;
    add_category(verdict, name);
  }
  // Unsafe for no reason given is unsafe.
  if (!named) verdict.flagged = true;
  return verdict;
}

// One item of `results`. With categories chosen, their scores decide, else the API's own flag.
Result<void> read_moderated(const Config& config, const json& result, Verdict& verdict) {
  const json* flagged = find(result, "flagged");
  const json* marks = find(result, "categories");
  const json* scores = find(result, "category_scores");
  if (flagged == nullptr || !flagged->is_boolean()) return unreadable("no results[].flagged");
  if (config.categories.empty()) {
    verdict.flagged = verdict.flagged || flagged->get<bool>();
    if (marks == nullptr || !marks->is_object()) return {};
    for (const auto& [name, mark] : marks->items())
      if (mark.is_boolean() && mark.get<bool>()) add_category(verdict, name);
    return {};
  }
  for (const auto& name : config.categories) {
    const json* score = scores != nullptr ? find(*scores, name.c_str()) : nullptr;
    if (score == nullptr || !score->is_number())
      return unreadable("no results[].category_scores[\"" + name + "\"]");
    verdict.score = std::max(verdict.score.value_or(0), score->get<double>());
    if (score->get<double>() < config.threshold) continue;
    verdict.flagged = true;
    add_category(verdict, name);
  }
  return {};
}

Result<Verdict> read_moderation(const Config& config, const json& answer) {
  const json* results = find(answer, "results");
  if (first_of(results) == nullptr) return unreadable("no results");
  Verdict verdict;
  for (const auto& result : *results) GH_TRY(read_moderated(config, result, verdict));
  return verdict;
}

const json* at_pointer(const json& document, const std::string& pointer) {
  const json::json_pointer place(pointer);
  return document.contains(place) ? &document.at(place) : nullptr;
}

Result<Verdict> read_json(const Config& config, const json& answer) {
  Verdict verdict;
  if (!config.flagged_pointer.empty()) {
    const json* flagged = at_pointer(answer, config.flagged_pointer);
    if (flagged == nullptr || !flagged->is_boolean())
      return unreadable(config.flagged_pointer + " is not true or false");
    verdict.flagged = flagged->get<bool>();
    return verdict;
  }
  const json* score = at_pointer(answer, config.score_pointer);
  if (score == nullptr || !score->is_number())
    return unreadable(config.score_pointer + " is not a number");
  verdict.score = score->get<double>();
  verdict.flagged = *verdict.score >= config.threshold;
  return verdict;
}

void write_turn(JsonWriter& writer, std::string_view role, std::string_view text) {
  writer.begin_object().key("role").string(role).key("content").string(text).end_object();
}

std::string llama_guard_body(const Config& config, const Question& question) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().key("model").string(config.model);
  writer.key("temperature").number(0).key("max_tokens").number(64);
  writer.key("messages").begin_array();
  if (question.direction == Direction::answer) {
    write_turn(writer, "user", question.before);
    write_turn(writer, "assistant", question.text);
  } else {
    write_turn(writer, "user", question.text);
  }
  writer.end_array().end_object();
  return body;
}

std::string moderation_body(const Config& config, const Question& question) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  if (!config.model.empty()) writer.key("model").string(config.model);
  writer.key("input").string(question.text).end_object();
  return body;
}

// The template with its words filled in, in one pass: what a text says is not a word of it.
std::string templated_body(const Config& config, const Question& question) {
  constexpr std::string_view text_word = "{{text}}";
  constexpr std::string_view direction_word = "{{direction}}";
  std::string body;
  std::string_view rest = config.request_template;
  while (!rest.empty()) {
    if (rest.starts_with(text_word)) {
      append_json_string(body, question.text);
      rest.remove_prefix(text_word.size());
    } else if (rest.starts_with(direction_word)) {
      append_json_string(body, to_string(question.direction));
      rest.remove_prefix(direction_word.size());
    } else {
      body += rest.front();
      rest.remove_prefix(1);
    }
  }
  return body;
}

}  // namespace

void take_categories(Verdict& verdict, std::span<const std::string> names) {
  for (const std::string& name : names) add_category(verdict, name);
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::llama_guard:
      return "llama_guard";
    case Type::moderation:
      return "moderation";
    case Type::json:
      return "json";
    case Type::onnx:
      return "onnx";
  }
  return "unknown";
}

std::string_view to_string(Direction direction) {
  return direction == Direction::request ? "request" : "answer";
}

std::string_view to_string(Failure failure) {
  switch (failure) {
    case Failure::none:
      return "none";
    case Failure::timeout:
      return "timeout";
    case Failure::unreachable:
      return "unreachable";
    case Failure::refused:
      return "refused";
    case Failure::unreadable:
      return "unreadable";
    case Failure::busy:
      return "busy";
    case Failure::too_long:
      return "too_long";
    case Failure::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string request_target(const Config& config) {
  switch (config.type) {
    case Type::llama_guard:
      return "/chat/completions";
    case Type::moderation:
      return "/moderations";
    case Type::json:
      return config.path.empty() ? "/" : config.path;
    case Type::onnx:
      break;
  }
  return "/";
}

std::string request_body(const Config& config, const Question& question) {
  switch (config.type) {
    case Type::llama_guard:
      return llama_guard_body(config, question);
    case Type::moderation:
      return moderation_body(config, question);
    case Type::json:
      return templated_body(config, question);
    case Type::onnx:
      break;
  }
  return {};
}

Result<Verdict> read_answer(const Config& config, std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  if (answer.is_discarded()) return unreadable("not JSON");
  switch (config.type) {
    case Type::llama_guard:
      return read_llama_guard(config, answer);
    case Type::moderation:
      return read_moderation(config, answer);
    case Type::json:
      return read_json(config, answer);
    case Type::onnx:
      break;
  }
  return unreadable("unknown type");
}

}  // namespace gatehouse::guard
