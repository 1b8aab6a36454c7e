// See limits.h.
#include "limits/limits.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace gatehouse::limits {
namespace {

constexpr std::array<std::string_view, unit_count> unit_names = {"requests", "tokens", "money",
                                                                 "tool_calls"};
constexpr std::array<std::string_view, 6> per_names = {"principal", "team",    "model",
                                                       "route",     "session", "tool"};
constexpr std::int64_t micros_of_one = 1'000'000;
constexpr std::size_t digits_of_micros = 6;

template <class T, std::size_t size>
Result<T> parse_name(const std::array<std::string_view, size>& names, std::string_view text,
                     std::string_view what) {
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) return static_cast<T>(found - names.begin());
  std::string known;
  for (const auto name : names) known += (known.empty() ? "" : ", ") + std::string(name);
  return fail(ErrorCode::invalid_argument,
              "\"" + std::string(text) + "\" is no " + std::string(what) + "; one of: " + known);
}

}  // namespace

std::string_view to_string(Unit unit) {
  return unit_names[static_cast<std::size_t>(unit)];
}

Result<Unit> parse_unit(std::string_view text) {
  return parse_name<Unit>(unit_names, text, "unit");
}

std::string_view to_string(Per per) {
  return per_names[static_cast<std::size_t>(per)];
}

Result<Per> parse_per(std::string_view text) {
  return parse_name<Per>(per_names, text, "thing to count by");
}

std::string to_string(const Window& window) {
  switch (window.kind) {
    case Window::Kind::sliding:
      return std::to_string(window.length.count()) + "s";
    case Window::Kind::day:
      return "day";
    case Window::Kind::month:
      return "month";
    case Window::Kind::forever:
      return "forever";
  }
  return {};
}

Result<Window> parse_window(std::string_view text) {
  if (text == "day") return Window{Window::Kind::day, {}};
  if (text == "month") return Window{Window::Kind::month, {}};
  if (text == "forever") return Window{Window::Kind::forever, {}};
  constexpr std::array<std::pair<char, std::uint64_t>, 4> units{
      {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}}};
  const auto most = static_cast<std::uint64_t>(longest_window.count());
  for (const auto& [letter, seconds] : units) {
    if (!text.ends_with(letter)) continue;
    const auto count = parse_uint(text.substr(0, text.size() - 1));
    if (!count || *count == 0 || *count > most / seconds) break;
    return Window{Window::Kind::sliding,
                  std::chrono::seconds(static_cast<std::int64_t>(*count * seconds))};
  }
  return fail(
      ErrorCode::invalid_argument,
      "\"" + std::string(text) +
          "\" is no window; write day, month, forever, or a length from 1s to 366d: \"60s\", "
          "\"15m\", \"24h\", \"30d\"");
}

std::int64_t cost_of(const Price& price, const Tokens& tokens) {
  using Wide = __int128;
  const Wide sum = Wide{price.input} * tokens.input + Wide{price.output} * tokens.output +
                   Wide{price.cache_read} * tokens.cache_read +
                   Wide{price.cache_write} * tokens.cache_write;
  const Wide micros = (sum + tokens_of_price - 1) / tokens_of_price;
  return static_cast<std::int64_t>(std::min<Wide>(micros, most_amount));
}

Result<std::int64_t> parse_money(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = parse_uint(text.substr(0, point));
  std::string_view rest = point == std::string_view::npos ? "" : text.substr(point + 1);
  const bool bad_rest = point != std::string_view::npos && !parse_uint(rest);
  const auto most = static_cast<std::uint64_t>(most_amount / micros_of_one);
  if (!whole || bad_rest || rest.size() > digits_of_micros || *whole >= most) {
    return fail(ErrorCode::invalid_argument,
                "\"" + std::string(text) +
                    "\" is no amount of money; write a number with at most six digits behind the "
                    "point: \"12.50\"");
  }
  std::string micros(rest);
  micros.resize(digits_of_micros, '0');
  return static_cast<std::int64_t>(*whole) * micros_of_one +
         static_cast<std::int64_t>(parse_uint(micros).value_or(0));
}

std::string format_money(std::int64_t micros) {
  const std::uint64_t size =
      micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  std::string rest = std::to_string(size % micros_of_one);
  rest.insert(0, digits_of_micros - rest.size(), '0');
  while (!rest.empty() && rest.back() == '0') rest.pop_back();
  return (micros < 0 ? "-" : "") + std::to_string(size / micros_of_one) +
         (rest.empty() ? "" : "." + rest);
}

}  // namespace gatehouse::limits
