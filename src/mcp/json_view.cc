// See json_view.h. parse() is the only place that meets bytes nobody has checked; everything else
// steps over values that are known to be well-formed.
#include "mcp/json_view.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::mcp {
namespace {

constexpr std::string_view white = " \t\r\n";

std::size_t after_white(std::string_view text, std::size_t at) {
  const auto next = text.find_first_not_of(white, at);
  return next == std::string_view::npos ? text.size() : next;
}

// Checks one text; at() is where it stands.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  Result<JsonSpan> whole() {
    if (!is_utf8(text_)) return fail(ErrorCode::invalid_argument, "the text is not UTF-8");
    at_ = after_white(text_, 0);
    const std::size_t begin = at_;
    GH_TRY(value(0));
    const std::size_t end = at_;
    at_ = after_white(text_, at_);
    if (at_ != text_.size()) return wrong("something follows the JSON value");
    return JsonSpan{begin, end};
  }

 private:
  std::unexpected<Error> wrong(std::string what) const {
    return fail(ErrorCode::invalid_argument, std::move(what), "byte " + std::to_string(at_));
  }
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  Result<void> value(std::size_t depth) {
    switch (here()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  Result<void> object(std::size_t depth) {
    if (depth == JsonView::max_depth) return wrong("objects and arrays are nested too deep");
    std::vector<std::string> keys;
    at_ = after_white(text_, at_ + 1);
    if (here() == '}') return ++at_, Result<void>{};
    while (true) {
      if (here() != '"') return wrong("expected the name of a member");
      const std::size_t begin = at_ + 1;
      GH_TRY(string());
      GH_ASSIGN(auto key, decode_json_string(text_.substr(begin, at_ - 1 - begin)));
      keys.push_back(std::move(key));
      at_ = after_white(text_, at_);
      if (here() != ':') return wrong("expected ':'");
      at_ = after_white(text_, at_ + 1);
      GH_TRY(value(depth + 1));
      at_ = after_white(text_, at_);
      if (here() == '}') break;
      if (here() != ',') return wrong("expected ',' or '}'");
      at_ = after_white(text_, at_ + 1);
    }
    std::ranges::sort(keys);
    if (std::ranges::adjacent_find(keys) != keys.end())
      return wrong("the object that ends here has a member twice");
    ++at_;
    return {};
  }

  Result<void> array(std::size_t depth) {
    if (depth == JsonView::max_depth) return wrong("objects and arrays are nested too deep");
    at_ = after_white(text_, at_ + 1);
    if (here() == ']') return ++at_, Result<void>{};
    while (true) {
      GH_TRY(value(depth + 1));
      at_ = after_white(text_, at_);
      if (here() == ']') break;
      if (here() != ',') return wrong("expected ',' or ']'");
      at_ = after_white(text_, at_ + 1);
    }
    ++at_;
    return {};
  }

  Result<void> string() {
    const std::size_t begin = ++at_;
    while (true) {
      at_ = text_.find_first_of("\"\\", at_);
      if (at_ == std::string_view::npos) return at_ = text_.size(), wrong("a string does not end");
      if (text_[at_] == '"') break;
      at_ = std::min(at_ + 2, text_.size());
    }
    // Escapes and control characters.
    if (auto decoded = decode_json_string(text_.substr(begin, at_ - begin)); !decoded)
      return wrong("a string that is none: " + decoded.error().message);
    ++at_;
    return {};
  }

  Result<void> word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return wrong("expected a JSON value");
    at_ += expected.size();
    return {};
  }

  bool digits() {
    const std::size_t begin = at_;
    while (here() >= '0' && here() <= '9') ++at_;
    return at_ > begin;
  }

  Result<void> number() {
    if (here() == '-') ++at_;
    if (here() == '0') {
      ++at_;
    } else if (!digits()) {
      return wrong("expected a JSON value");
    }
    if (here() == '.') {
      ++at_;
      if (!digits()) return wrong("expected a digit");
    }
    if (here() == 'e' || here() == 'E') {
      ++at_;
      if (here() == '+' || here() == '-') ++at_;
      if (!digits()) return wrong("expected a digit");
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Where the string ends that begins at `at` (both quotes included).
std::size_t after_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

// Where the value ends that begins at `at`. The text is known to be well-formed.
std::size_t after_value(std::string_view text, std::size_t at) {
  if (text[at] == '"') return after_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    const auto end = text.find_first_of(",]} \t\r\n", at);
    return end == std::string_view::npos ? text.size() : end;
  }
  std::size_t depth = 0;
  while (true) {
    at = text.find_first_of("\"{}[]", at);
    if (text[at] == '"') {
      at = after_string(text, at);
      continue;
    }
    const bool opens = text[at] == '{' || text[at] == '[';
    ++at;
    depth = opens ? depth + 1 : depth - 1;
    if (depth == 0) return at;
  }
}

std::string decoded(std::string_view token) {
  return decode_json_string(token.substr(1, token.size() - 2)).value_or(std::string());
}

// Calls visit(key_begin, key_end, value_begin, value_end) for each member until it says false.
template <class Visit>
void each_member(std::string_view text, std::size_t begin, const Visit& visit) {
  std::size_t at = after_white(text, begin + 1);
  while (text[at] == '"') {
    const std::size_t key_end = after_string(text, at);
    const std::size_t value = after_white(text, after_white(text, key_end) + 1);
    const std::size_t end = after_value(text, value);
    if (!visit(at, key_end, value, end)) return;
    const std::size_t next = after_white(text, end);
    if (text[next] != ',') return;
    at = after_white(text, next + 1);
  }
}

}  // namespace

Result<JsonView> JsonView::parse(std::string_view text) {
  GH_ASSIGN(const JsonSpan span, Checker(text).whole());
  return JsonView(text, span);
}

JsonView::Type JsonView::type() const {
  switch (document_[span_.begin]) {
    case '{':
      return Type::object;
    case '[':
      return Type::array;
    case '"':
      return Type::string;
    case 't':
    case 'f':
      return Type::boolean;
    case 'n':
      return Type::null;
    default:
      return Type::number;
  }
}

std::vector<JsonView::Member> JsonView::members() const {
  std::vector<Member> found;
  if (!is_object()) return found;
  each_member(document_, span_.begin, [&](auto key, auto key_end, auto value, auto end) {
    const auto token = document_.substr(key, key_end - key);
    found.push_back({decoded(token), token, JsonView(document_, JsonSpan{value, end})});
    return true;
  });
  return found;
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> found;
  if (!is_array()) return found;
  std::size_t at = after_white(document_, span_.begin + 1);
  while (document_[at] != ']') {
    const std::size_t end = after_value(document_, at);
    found.push_back(JsonView(document_, JsonSpan{at, end}));
    at = after_white(document_, end);
    if (document_[at] == ',') at = after_white(document_, at + 1);
  }
  return found;
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  if (!is_object()) return std::nullopt;
  std::optional<JsonView> found;
  each_member(document_, span_.begin, [&](auto begin, auto key_end, auto value, auto end) {
    const auto inside = document_.substr(begin + 1, key_end - begin - 2);
    const bool same = inside.find('\\') == std::string_view::npos
                          ? inside == key
                          : decoded(document_.substr(begin, key_end - begin)) == key;
    if (same) found = JsonView(document_, JsonSpan{value, end});
    return !same;
  });
  return found;
}

std::string JsonView::text() const {
  return is_string() ? decoded(raw()) : std::string();
}

std::optional<std::string> JsonView::find_text(std::string_view key) const {
  const auto member = find(key);
  if (!member || !member->is_string()) return std::nullopt;
  return member->text();
}

}  // namespace gatehouse::mcp
