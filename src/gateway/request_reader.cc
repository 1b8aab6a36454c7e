// See request_reader.h. Everything that is a string is a channel unless its dialect knows better:
// a field nobody has heard of yet is inspected like any other.
#include "gateway/request_reader.h"

#include "base/text.h"
#include "gateway/answer.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t shortest_interesting_key = 8;
constexpr std::size_t shortest_interesting_number = 9;

}  // namespace

void RequestReader::add(JsonSpan inside, std::string_view text, TextRole role, bool is_number) {
  // Text without escapes is already in the body as it is; the rest must outlive the parser.
  const bool plain = inside.end - inside.begin == text.size() &&
                     std::string_view(exchange_.body).substr(inside.begin, text.size()) == text;
  std::string_view kept = std::string_view(exchange_.body).substr(inside.begin, text.size());
  if (!plain) kept = exchange_.decoded.emplace_back(text);
  exchange_.channels.push_back({inside, kept, role, is_number});
}

void RequestReader::on_string(Path path, std::string_view text, JsonSpan inside) {
  if (path_is(path, {"model"})) {
    ++models_seen_;
    exchange_.model_name = text;
    exchange_.model_inside = inside;
    return;
  }
  const TextRole role = role_of(path, text);
  if (role != TextRole::opaque && !text.empty()) add(inside, text, role, false);
}

void RequestReader::on_number(Path, std::string_view text, JsonSpan span) {
  if (text.size() >= shortest_interesting_number) add(span, text, TextRole::text, true);
}

void RequestReader::on_key(Path, std::string_view key, JsonSpan inside) {
  if (key.size() >= shortest_interesting_key) add(inside, key, TextRole::fixed, false);
}

Result<void> RequestReader::finish() const {
  if (models_seen_ == 0) {
    return fail(ErrorCode::invalid_argument,
                "the body has no \"model\" (a string at the top level); say which model to use");
  }
  if (models_seen_ > 1)
    return fail(ErrorCode::invalid_argument, "the body has \"model\" more than once");
  return {};
}

TextRole role_of_data(Exchange& exchange, std::string_view text) {
  if (!looks_encoded(text)) return TextRole::text;
  exchange.uninspectable = true;
  return TextRole::opaque;
}

}  // namespace gatehouse::gateway
