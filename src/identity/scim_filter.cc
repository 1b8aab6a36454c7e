// Filters and paths of SCIM (RFC 7644 sections 3.4.2.2 and 3.5.2): the part of the grammar that
// directories send. Everything else is refused, never taken for something weaker.
#include <algorithm>

#include "base/text.h"
#include "identity/scim.h"

namespace gatehouse::identity::scim {
namespace {

constexpr std::size_t longest_filter = 2'048;
constexpr std::size_t most_conditions = 4;

std::unexpected<Refusal> no(std::string_view type, std::string detail) {
  return std::unexpected(Refusal{400, type, std::move(detail)});
}

bool is_name_character(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$';
}

// Without the URN of a schema in front: the schemas here have no attribute of the same name.
Answer<std::string> attribute_of(std::string_view text) {
  auto name = to_lower(text);
  for (const auto schema : {user_schema, group_schema, enterprise_schema}) {
    const auto urn = to_lower(schema);
    if (name == urn) return name;
    if (name.starts_with(urn + ':')) name = name.substr(urn.size() + 1);
  }
  const bool fits = !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](char c) {
    return is_name_character(c) || c == '.' || c == ':';
  }) && (name.starts_with("urn:") || name.find(':') == std::string::npos);
  if (!fits) return no("invalidPath", "this is no name of an attribute");
  return name;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool done() const { return at_ >= text_.size(); }
  bool take(char c) {
    if (done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view word() {
    const auto begin = at_;
    while (!done() && (is_name_character(text_[at_]) || text_[at_] == '.' || text_[at_] == ':'))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // A JSON string, or true, false.
  std::optional<std::string> value() {
    if (done() || text_[at_] != '"') {
      const auto literal = to_lower(word());
      if (literal == "true" || literal == "false") return literal;
      return std::nullopt;
    }
    const auto begin = at_++;
    while (!done() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) {
      at_ = text_.size();
      return std::nullopt;
    }
    ++at_;
    const auto parsed = nlohmann::json::parse(text_.substr(begin, at_ - begin), nullptr, false);
    if (!parsed.is_string()) return std::nullopt;
    return parsed.get<std::string>();
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

Answer<Condition> read_condition(Reader& reader) {
  reader.skip_spaces();
  auto attribute = attribute_of(reader.word());
  if (!attribute) return no("invalidFilter", "the filter has no attribute where one is expected");
  reader.skip_spaces();
  if (to_lower(reader.word()) != "eq")
    return no("invalidFilter", "only the comparison eq is supported");
  reader.skip_spaces();
  auto value = reader.value();
  if (!value) return no("invalidFilter", "the filter compares with no text, true or false");
  return Condition{std::move(*attribute), std::move(*value)};
}

}  // namespace

Answer<std::vector<Condition>> parse_filter(std::string_view text) {
  if (text.size() > longest_filter) return no("invalidFilter", "the filter is too long");
  Reader reader(text);
  std::vector<Condition> conditions;
  while (true) {
    auto condition = read_condition(reader);
    if (!condition) return std::unexpected(std::move(condition).error());
    conditions.push_back(std::move(*condition));
    reader.skip_spaces();
    if (reader.done()) return conditions;
    if (to_lower(reader.word()) != "and" || conditions.size() == most_conditions)
      return no("invalidFilter", "only comparisons joined by and are supported");
  }
}

Answer<Path> parse_path(std::string_view text) {
  if (text.size() > longest_filter) return no("invalidPath", "the path is too long");
  Path path;
  const auto bracket = text.find('[');
  auto attribute = attribute_of(text.substr(0, bracket));
  if (!attribute) return std::unexpected(std::move(attribute).error());
  path.attribute = std::move(*attribute);
  if (bracket == std::string_view::npos) {
    // The dots of "2.0" are in the URN of a schema, which stands whole or is gone by now.
    const auto dot =
        path.attribute.starts_with("urn:") ? std::string::npos : path.attribute.find('.');
    if (dot == std::string::npos) return path;
    path.sub = path.attribute.substr(dot + 1);
    path.attribute.resize(dot);
    if (path.attribute.empty() || path.sub.empty())
      return no("invalidPath", "the path names nothing");
    return path;
  }
  Reader reader(text.substr(bracket + 1));
  auto condition = read_condition(reader);
  if (!condition) return no("invalidPath", std::move(condition).error().detail);
  path.where = std::move(*condition);
  reader.skip_spaces();
  if (!reader.take(']')) return no("invalidPath", "the path has no closing bracket");
  if (reader.take('.')) path.sub = to_lower(reader.word());
  if (!reader.done()) return no("invalidPath", "there is something behind the path");
  return path;
}

}  // namespace gatehouse::identity::scim
