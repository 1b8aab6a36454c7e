// See config_limits.h.
#include "gateway/config_limits.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace gatehouse::gateway {
namespace {

using limits::Limit;
using limits::Unit;

constexpr std::size_t most_budgets = 256;
constexpr std::size_t most_prices = 4'096;
constexpr std::size_t longest_name = 128;
constexpr std::int64_t most_tokens = std::int64_t{1} << 32;

// What stands in keys of counters, in headers and on command lines.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name &&
         std::ranges::all_of(name, [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

limits::Match read_match(ConfigReader& budget) {
  limits::Match match;
  const auto node = budget.child("match");
  if (!node) return match;
  ConfigReader matching(*node);
  match.principals = matching.strings("principals");
  match.groups = matching.strings("groups");
  match.teams = matching.strings("teams");
  match.models = matching.strings("models");
  match.routes = matching.strings("routes");
  match.tools = matching.strings("tools");
  for (const auto& principal : match.principals)
    if (principal.find(':') == std::string::npos && principal != "*")
      matching.note(node->error("principals: write \"KIND:ID\" (\"user:ada\", \"agent:*\")"));
  if (auto finished = matching.finish(); !finished) budget.note(finished.error());
  return match;
}

void read_per(ConfigReader& reader, const ConfigNode& node, Limit& limit) {
  for (const auto& text : reader.strings("per")) {
    if (const auto per = limits::parse_per(text)) {
      limit.per.push_back(*per);
    } else {
      reader.note(node.error("per: " + per.error().message));
    }
  }
  std::ranges::sort(limit.per);
  const auto again = std::ranges::unique(limit.per);
  limit.per.erase(again.begin(), again.end());
}

void read_amount(ConfigReader& reader, const ConfigNode& node, Limit& limit) {
  const auto text = reader.required_string("amount");
  if (text.empty()) return;
  if (limit.unit == Unit::money) {
    if (const auto micros = limits::parse_money(text)) {
      limit.amount = *micros;
    } else {
      reader.note(node.error("amount: " + micros.error().message));
    }
    return;
  }
  const auto count = parse_uint(text);
  if (count && *count <= static_cast<std::uint64_t>(limits::most_amount)) {
    limit.amount = static_cast<std::int64_t>(*count);
  } else {
    reader.note(node.error("amount: write a whole number"));
  }
}

Limit read_limit(ConfigReader& root, const ConfigNode& node) {
  ConfigReader reader(node);
  Limit limit;
  limit.name = reader.required_string("name");
  if (!limit.name.empty() && !is_name(limit.name))
    reader.note(node.error("name: use letters, digits, '-', '_' and '.', at most 128"));
  limit.unit =
      static_cast<Unit>(reader.choice("unit", 0, {"requests", "tokens", "money", "tool_calls"}));
  read_amount(reader, node, limit);
  if (const auto text = reader.required_string("window"); !text.empty()) {
    if (const auto window = limits::parse_window(text)) {
      limit.window = *window;
    } else {
      reader.note(node.error("window: " + window.error().message));
    }
  }
  limit.match = read_match(reader);
  read_per(reader, node, limit);
  limit.by_policy = reader.choice("applies", 0, {"always", "by_policy"}) == 1;
  const bool by_tool = !limit.match.tools.empty() ||
                       std::ranges::find(limit.per, limits::Per::tool) != limit.per.end();
  if (by_tool && limit.unit != Unit::tool_calls)
    reader.note(node.error("tools go with unit: tool_calls"));
  if (auto finished = reader.finish(); !finished) root.note(finished.error());
  return limit;
}

std::optional<std::int64_t> read_tokens(ConfigReader& reader, std::string_view key) {
  const auto count = reader.integer(key, -1, 1, most_tokens);
  return count < 0 ? std::nullopt : std::optional(count);
}

std::int64_t read_money(ConfigReader& reader, const ConfigNode& node, std::string_view key,
                        std::int64_t fallback) {
  const auto text = reader.string(key, "");
  if (text.empty()) return fallback;
  const auto micros = limits::parse_money(text);
  if (!micros) reader.note(node.error(std::string(key) + ": " + micros.error().message));
  return micros.value_or(0);
}

void read_price(ConfigReader& root, const ConfigNode& node, BudgetsConfig& budgets) {
  ConfigReader priced(node);
  ModelPrice price;
  const auto model = priced.required_string("model");
  (void)priced.required_string("input");
  (void)priced.required_string("output");
  price.price.input = read_money(priced, node, "input", 0);
  price.price.output = read_money(priced, node, "output", 0);
  // Where nobody says otherwise, reading a cache is as dear as reading the text, and writing one
  // twice as dear: no provider asks for more.
  price.price.cache_read = read_money(priced, node, "cache_read", price.price.input);
  price.price.cache_write = read_money(priced, node, "cache_write", 2 * price.price.input);
  price.input_tokens = read_tokens(priced, "most_input_tokens");
  price.output_tokens = read_tokens(priced, "most_output_tokens");
  if (auto finished = priced.finish(); !finished) root.note(finished.error());
  if (model.empty()) return;
  if (!budgets.prices.emplace(model, price).second)
    root.note(node.error("the model \"" + model + "\" has two prices"));
}

void write_strings(JsonWriter& writer, std::string_view key,
                   const std::vector<std::string>& values) {
  writer.key(key).begin_array();
  for (const auto& value : values) writer.string(value);
  writer.end_array();
}

void write_limit(JsonWriter& writer, const Limit& limit) {
  writer.begin_object().key("name").string(limit.name);
  writer.key("unit").string(limits::to_string(limit.unit)).key("amount").number(limit.amount);
  writer.key("window").string(limits::to_string(limit.window));
  write_strings(writer, "principals", limit.match.principals);
  write_strings(writer, "groups", limit.match.groups);
  write_strings(writer, "teams", limit.match.teams);
  write_strings(writer, "models", limit.match.models);
  write_strings(writer, "routes", limit.match.routes);
  write_strings(writer, "tools", limit.match.tools);
  writer.key("per").begin_array();
  for (const auto per : limit.per) writer.string(limits::to_string(per));
  writer.end_array().key("by_policy").boolean(limit.by_policy).end_object();
}

}  // namespace

const Limit* BudgetsConfig::find(std::string_view name) const {
  const auto found = std::ranges::find(limits, name, &Limit::name);
  return found == limits.end() ? nullptr : &*found;
}

const ModelPrice* BudgetsConfig::price_of(std::string_view model) const {
  auto found = prices.find(model);
  if (found == prices.end()) found = prices.find(std::string_view("*"));
  return found == prices.end() ? nullptr : &found->second;
}

BudgetsConfig read_budgets(ConfigReader& root) {
  BudgetsConfig budgets;
  for (const auto& node : root.list("budgets")) {
    auto limit = read_limit(root, node);
    if (budgets.find(limit.name) != nullptr) {
      root.note(node.error("budget \"" + limit.name + "\" is defined twice"));
    } else if (budgets.limits.size() == most_budgets) {
      root.note(node.error("there can be at most 256 budgets"));
    } else {
      budgets.limits.push_back(std::move(limit));
    }
  }
  for (const auto& node : root.list("prices")) {
    read_price(root, node, budgets);
    if (budgets.prices.size() > most_prices)
      root.note(node.error("there can be at most 4096 prices"));
  }
  return budgets;
}

std::string settings_digest(const BudgetsConfig& budgets) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().key("budgets").begin_array();
  for (const auto& limit : budgets.limits) write_limit(writer, limit);
  writer.end_array().key("prices").begin_array();
  for (const auto& [model, price] : budgets.prices) {
    writer.begin_object().key("model").string(model);
    writer.key("input").number(price.price.input).key("output").number(price.price.output);
    writer.key("cache_read").number(price.price.cache_read);
    writer.key("cache_write").number(price.price.cache_write);
    writer.key("input_tokens").number(price.input_tokens.value_or(-1));
    writer.key("output_tokens").number(price.output_tokens.value_or(-1)).end_object();
  }
  writer.end_array().end_object();
  return "sha256:" + to_hex(crypto::sha256(bytes_of(text)));
}

}  // namespace gatehouse::gateway
