// See json_walk.h.
#include "gateway/json_walk.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace gatehouse::gateway {
namespace {

namespace ondemand = simdjson::ondemand;

bool step_is(const Step& step, std::string_view key) {
  return step.is_item ? key == "*" : step.key == key;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - first;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool leading_zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

}  // namespace

bool path_begins(Path path, std::initializer_list<std::string_view> keys) {
  return path.size() >= keys.size() &&
         std::equal(keys.begin(), keys.end(), path.begin(),
                    [](std::string_view key, const Step& step) { return step_is(step, key); });
}

bool path_is(Path path, std::initializer_list<std::string_view> keys) {
  return path.size() == keys.size() && path_begins(path, keys);
}

std::string_view last_key(Path path) {
  for (auto step = path.rbegin(); step != path.rend(); ++step)
    if (!step->is_item) return step->key;
  return {};
}

struct JsonWalker::Impl {
  ondemand::parser parser;
  std::array<Step, max_depth> steps;
  std::size_t depth = 0;
  const char* base = nullptr;
  ondemand::document* document = nullptr;
  JsonVisitor* visitor = nullptr;

  Path path() const { return {steps.data(), depth}; }

  JsonSpan span_of(std::string_view token) const {
    std::size_t size = token.size();
    while (size > 0 && is_space(token[size - 1])) --size;
    const auto begin = static_cast<std::size_t>(token.data() - base);
    return {begin, begin + size};
  }

  simdjson::error_code visit_object(ondemand::object object) {
    for (auto member : object) {
      ondemand::field field;
      if (auto error = std::move(member).get(field)) return error;
      const auto key_inside = static_cast<std::size_t>(field.key().raw() - base);
      std::string_view key;
      if (auto error = field.unescaped_key().get(key)) return error;
      if (depth == max_depth) return simdjson::DEPTH_ERROR;
      const std::size_t key_end = raw_string_end(key_inside);
      visitor->on_key(path(), key, {key_inside, key_end});
      steps[depth++] = Step{key, 0, key_inside - 1, false};
      if (auto error = visit(field.value())) return error;
      --depth;
    }
    return simdjson::SUCCESS;
  }

  // Where the object or array ends that was just visited: before its parent goes on.
  std::size_t container_end() const {
    const char* location = nullptr;
    if (document->current_location().get(location)) return 0;  // only after an error
    auto end = static_cast<std::size_t>(location - base);
    while (end > 0 && is_space(base[end - 1])) --end;
    return end;
  }

  // The position of the closing quote of a string whose inside begins at `inside`.
  std::size_t raw_string_end(std::size_t inside) const {
    std::size_t at = inside;
    while (base[at] != '"') at += base[at] == '\\' ? 2 : 1;
    return at;
  }

  simdjson::error_code visit_array(ondemand::array array) {
    if (depth == max_depth) return simdjson::DEPTH_ERROR;
    std::size_t index = 0;
    for (auto item : array) {
      ondemand::value value;
      if (auto error = std::move(item).get(value)) return error;
      steps[depth++] = Step{{}, index++, 0, true};
      if (auto error = visit(value)) return error;
      --depth;
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code visit(ondemand::value value) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    const std::string_view token = value.raw_json_token();
    const JsonSpan span = span_of(token);
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object object;
        if (auto error = value.get_object().get(object)) return error;
        visitor->on_object(path(), span.begin);
        if (auto error = visit_object(object)) return error;
        visitor->on_container(path(), {span.begin, container_end()});
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::array: {
        ondemand::array array;
        if (auto error = value.get_array().get(array)) return error;
        if (auto error = visit_array(array)) return error;
        visitor->on_container(path(), {span.begin, container_end()});
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::string: {
        std::string_view text;
        if (auto error = value.get_string().get(text)) return error;
        visitor->on_string(path(), text, {span.begin + 1, span.end - 1});
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::number: {
        // The value itself is not needed, and may be larger than any machine type.
        const auto text = token.substr(0, span.end - span.begin);
        if (!is_json_number(text)) return simdjson::NUMBER_ERROR;
        double ignored = 0;
        const auto error = value.get_double().get(ignored);
        if (error && error != simdjson::NUMBER_ERROR && error != simdjson::NUMBER_OUT_OF_RANGE)
          return error;
        visitor->on_number(path(), text, span);
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::boolean: {
        bool flag = false;
        if (auto error = value.get_bool().get(flag)) return error;
        visitor->on_bool(path(), flag, span);
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::null: {
        if (token.substr(0, span.end - span.begin) != "null") return simdjson::N_ATOM_ERROR;
        bool is_null = false;
        if (auto error = value.is_null().get(is_null)) return error;
        visitor->on_null(path(), span);
        return simdjson::SUCCESS;
      }
    }
    return simdjson::TAPE_ERROR;
  }
};

JsonWalker::JsonWalker() : impl_(std::make_unique<Impl>()) {}
JsonWalker::~JsonWalker() = default;
JsonWalker::JsonWalker(JsonWalker&&) noexcept = default;

Result<void> JsonWalker::walk(std::string& document, JsonVisitor& visitor) {
  document.reserve(document.size() + simdjson::SIMDJSON_PADDING);
  impl_->base = document.data();
  impl_->depth = 0;
  impl_->visitor = &visitor;

  ondemand::document parsed;
  impl_->document = &parsed;
  auto error = impl_->parser
                   .iterate(simdjson::padded_string_view(document.data(), document.size(),
                                                         document.capacity()))
                   .get(parsed);
  if (!error) {
    ondemand::object root;
    error = parsed.get_object().get(root);
    if (!error) {
      const auto first = document.find('{');
      visitor.on_object({}, first);
      error = impl_->visit_object(root);
    }
  }
  const char* location = nullptr;
  if (!error && parsed.current_location().get(location) == simdjson::SUCCESS)
    error = simdjson::TRAILING_CONTENT;  // there is a location only before the end
  if (!error) return {};

  std::string where = "the body";
  if (parsed.is_alive() && parsed.current_location().get(location) == simdjson::SUCCESS)
    where = "byte " + std::to_string(location - document.data());
  return fail(ErrorCode::invalid_argument,
              std::string("not a valid JSON object: ") + simdjson::error_message(error),
              std::move(where));
}

Splice remove_member(std::string_view document, std::size_t key_begin, std::size_t value_end) {
  std::size_t after = value_end;
  while (after < document.size() && is_space(document[after])) ++after;
  if (after < document.size() && document[after] == ',') return {key_begin, after + 1, ""};
  std::size_t before = key_begin;
  while (before > 0 && is_space(document[before - 1])) --before;
  if (before > 0 && document[before - 1] == ',') return {before - 1, value_end, ""};
  return {key_begin, value_end, ""};
}

}  // namespace gatehouse::gateway
