// See config_checks.h. A check is made when it is read, so that whatever is wrong with it is an
// error of the configuration and not of an answer.
#include "gateway/config_checks.h"

#include <algorithm>
#include <array>

#include "base/config.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "classify/calibration.h"
#include "crypto/crypto.h"
#include "schema/schema.h"

namespace gatehouse::gateway {
namespace {

constexpr std::array<std::string_view, 4> actions{"block", "retry", "redact", "flag"};
constexpr std::size_t most_checks = 64;
constexpr std::size_t longest_name = 64;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void read_file_of(ConfigReader& reader, std::string_view key, const std::filesystem::path& folder,
                  std::size_t most_bytes, std::string& into) {
  const auto node = reader.child(key);
  if (!node) return;
  const auto name = node->as_string();
  if (!name) return reader.note(name.error());
  auto text = read_file(folder / *name, most_bytes);
  if (!text)
    return reader.note(
        node->error("the " + std::string(key) + " cannot be read: " + text.error().message));
  into = *std::move(text);
}

void read_rate(ConfigReader& reader, validate::CheckOptions& options) {
  const auto node = reader.child("false_positives");
  if (!node) return;
  const auto value = node->as_double();
  if (!value || !(*value > 0 && *value < 1))
    return reader.note(node->error("expected a number above 0 and below 1"));
  options.false_positives = *value;
}

void read_threshold(ConfigReader& reader, validate::CheckOptions& options) {
  const auto node = reader.child("threshold");
  if (!node) return;
  const auto value = node->as_double();
  if (!value || !(*value > 0 && *value <= 1))
    return reader.note(node->error("expected a number above 0 and at most 1"));
  options.threshold = *value;
}

std::uint64_t count(ConfigReader& reader, std::string_view key) {
  return static_cast<std::uint64_t>(reader.integer(key, 0, 0, 1'000'000'000));
}

// Only the options of its kind are known, so that a misplaced one is an error.
void read_options(ConfigReader& reader, const std::filesystem::path& folder,
                  validate::CheckOptions& options) {
  using validate::CheckKind;
  switch (options.kind) {
    case CheckKind::schema:
      read_file_of(reader, "schema", folder, schema::max_schema_bytes, options.schema);
      [[fallthrough]];
    case CheckKind::tool_arguments:
      options.repair = reader.boolean("repair", true);
      options.drop_unknown = reader.boolean("drop_unknown", false);
      return;
    case CheckKind::links:
      options.allow_hosts = reader.strings("allow_hosts");
      return;
    case CheckKind::topics:
      options.words = reader.strings("words");
      options.demand = reader.boolean("demand", false);
      return;
    case CheckKind::language:
      options.languages = reader.strings("languages");
      return;
    case CheckKind::length:
      options.min_characters = count(reader, "min_characters");
      options.max_characters = count(reader, "max_characters");
      options.min_words = count(reader, "min_words");
      options.max_words = count(reader, "max_words");
      options.max_sentences = count(reader, "max_sentences");
      return;
    case CheckKind::grounding:
      read_rate(reader, options);
      read_file_of(reader, "calibration", folder, classify::Calibration::most_bytes,
                   options.calibration);
      read_threshold(reader, options);
      return;
    default:
      read_threshold(reader, options);
  }
}

void read_hold(ConfigReader& reader, const ConfigNode& node, CheckConfig& config) {
  const bool beginnings = config.check && config.check->judges_beginnings();
  config.hold =
      static_cast<Hold>(reader.choice("hold", beginnings ? 1 : 2, {"none", "sentence", "answer"}));
  if (config.check && config.hold == Hold::sentence && !beginnings)
    reader.note(node.error("this check judges whole answers only; write hold: answer"));
}

void read_check(ConfigReader& root, const ConfigNode& node, const std::filesystem::path& folder,
                ChecksConfig& checks) {
  ConfigReader reader(node);
  CheckConfig config;
  config.name = reader.required_string("name");
  const auto type = reader.required_string("type");
  if (!config.name.empty() && !is_name(config.name))
    reader.note(node.error("a name is made of small letters, digits, - and _"));
  const auto kind = validate::parse_check_kind(type);
  if (kind) {
    config.options.kind = *kind;
    read_options(reader, folder, config.options);
    auto made = validate::make_check(config.options);
    if (made) {
      config.check = *std::move(made);
    } else {
      reader.note(node.error(made.error().describe()));
    }
    read_hold(reader, node, config);
    config.retries = static_cast<std::size_t>(reader.integer("retries", 1, 0, 3));
  }
  if (!kind && !type.empty()) {
    root.note(node.error(kind.error().message));  // and nobody knows which options it has
  } else if (auto finished = reader.finish(); !finished) {
    root.note(finished.error());
  }
  const auto name = config.name;
  if (!checks.try_emplace(name, std::move(config)).second)
    root.note(node.error("there is another check \"" + name + "\""));
}

}  // namespace

std::string_view to_string(CheckAction action) {
  return actions[static_cast<std::size_t>(action)];
}

std::optional<CheckAction> parse_check_action(std::string_view text) {
  const auto found = std::ranges::find(actions, text);
  if (found == actions.end()) return std::nullopt;
  return static_cast<CheckAction>(found - actions.begin());
}

std::optional<PlannedCheck> parse_planned_check(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto action = parse_check_action(text.substr(colon + 1));
  if (!action) return std::nullopt;
  return PlannedCheck{std::string(text.substr(0, colon)), *action};
}

std::string settings_digest(const CheckConfig& config) {
  const auto& options = config.options;
  std::string text;
  JsonWriter writer(text);
  const auto strings = [&](std::string_view key, const std::vector<std::string>& list) {
    writer.key(key).begin_array();
    for (const auto& item : list) writer.string(item);
    writer.end_array();
  };
  writer.begin_object().key("type").string(validate::to_string(options.kind));
  writer.key("hold").number(static_cast<int>(config.hold));
  writer.key("retries").number(config.retries).key("threshold").number(options.threshold);
  writer.key("false_positives").number(options.false_positives);
  writer.key("calibration").string(options.calibration);
  writer.key("schema").string(options.schema).key("repair").boolean(options.repair);
  writer.key("drop_unknown").boolean(options.drop_unknown);
  writer.key("demand").boolean(options.demand);
  strings("allow_hosts", options.allow_hosts);
  strings("words", options.words);
  strings("languages", options.languages);
  for (const auto limit : {options.min_characters, options.max_characters, options.min_words,
                           options.max_words, options.max_sentences})
    writer.key("limit").number(limit);
  writer.end_object();
  return "sha256:" + to_hex(crypto::sha256(bytes_of(text)));
}

void read_checks(ConfigReader& root, const std::filesystem::path& folder, ChecksConfig& checks) {
  const auto nodes = root.list("checks");
  if (nodes.size() > most_checks) root.note(nodes.back().error("there are more than 64 checks"));
  for (const auto& node : nodes) read_check(root, node, folder, checks);
}

}  // namespace gatehouse::gateway
