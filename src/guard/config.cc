// One item of `guards:` in gatehouse.yaml. See guard.h.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "guard/config_parts.h"
#include "guard/guard.h"

namespace gatehouse::guard {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_categories = 100;
constexpr std::size_t most_local_threads = 64;

bool is_name(std::string_view name) {
  constexpr std::size_t longest_name = 64;
  const bool usable = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return usable && !name.empty() && name.size() <= longest_name;
}

void read_place(ConfigReader& reader, const ConfigNode& node, Config& config) {
  config.url = reader.required_string("url");
  if (!config.url.empty()) {
    if (auto endpoint = net::Endpoint::parse(config.url)) {
      config.endpoint = std::move(*endpoint);
    } else {
      reader.note(node.error("url: " + endpoint.error().message));
    }
  }
  if (const auto credential = reader.child("credential")) {
    if (auto secret = load_secret(*credential)) {
      config.credential = std::move(*secret);
    } else {
      reader.note(secret.error());
    }
  }
}

void read_limits(ConfigReader& reader, Config& config) {
  const auto size = [&](std::string_view key, std::size_t fallback, std::size_t least,
                        std::size_t most) {
    return static_cast<std::size_t>(reader.size(key, fallback, least, most));
  };
  const auto count = [&](std::string_view key, std::size_t fallback, std::int64_t least,
                         std::int64_t most) {
    return static_cast<std::size_t>(
        reader.integer(key, static_cast<std::int64_t>(fallback), least, most));
  };
  config.timeout =
      reader.duration("timeout", config.timeout, milliseconds(10), milliseconds(120'000));
  config.concurrency = count("concurrency", config.concurrency, 1, 4'096);
  config.waiting = count("waiting", config.waiting, 0, 100'000);
  config.text_bytes = size("text_bytes", config.text_bytes, 1u << 10, 16u << 20);
  if (config.type != Type::onnx)
    config.answer_bytes = size("answer_bytes", config.answer_bytes, 1u << 10, 16u << 20);
  if (const auto node = reader.child("cache")) {
    ConfigReader cache(*node);
    config.cache_entries = static_cast<std::size_t>(
        cache.integer("entries", static_cast<std::int64_t>(config.cache_entries), 0, 10'000'000));
    config.cache_lifetime = cache.duration("lifetime", config.cache_lifetime, milliseconds(1'000),
                                           milliseconds(24 * 3'600'000));
    if (auto done = cache.finish(); !done) reader.note(done.error());
  }
  config.allow_on_error = reader.choice("on_error", 0, {"deny", "allow"}) == 1;
}

bool is_pointer(const std::string& text) {
  try {
    (void)nlohmann::json::json_pointer(text);
    return !text.empty();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

// The template must be JSON once its words are filled in, and must have the text in it.
void check_template(ConfigReader& reader, const ConfigNode& node, const Config& config) {
  if (config.request_template.find("{{text}}") == std::string::npos)
    reader.note(node.error("request: the template has no {{text}}"));
  const auto body = request_body(config, {Direction::request, "a \"text\"", ""});
  if (!nlohmann::json::accept(body))
    reader.note(node.error(
        "request: not JSON once {{text}} and {{direction}} stand for strings, quotes included"));
}

void read_json_type(ConfigReader& reader, const ConfigNode& node, Config& config) {
  config.path = reader.string("path", "");
  if (!config.path.empty() && config.path.front() != '/')
    reader.note(node.error("path: begins with a slash"));
  config.request_template = reader.required_string("request");
  config.flagged_pointer = reader.string("flagged", "");
  config.score_pointer = reader.string("score", "");
  if (!config.request_template.empty()) check_template(reader, node, config);
  if (config.flagged_pointer.empty() == config.score_pointer.empty())
    reader.note(node.error("give one of: flagged, score (a pointer such as /result/score)"));
  for (const std::string* pointer : {&config.flagged_pointer, &config.score_pointer})
    if (!pointer->empty() && !is_pointer(*pointer))
      reader.note(node.error("\"" + *pointer + "\" is not a JSON pointer such as /result/score"));
}

void read_decision(ConfigReader& reader, const ConfigNode& node, Config& config) {
  if (config.type != Type::onnx) config.categories = reader.strings("categories");
  if (config.categories.size() > most_categories)
    reader.note(node.error("there can be at most 100 categories"));
  if (const auto threshold = reader.child("threshold")) {
    const auto value = threshold->as_double();
    if (!value || !(*value >= 0 && *value <= 1)) {
      reader.note(threshold->error("must be a number from 0 to 1"));
    } else {
      config.threshold = *value;
    }
  }
}

// Another setting is another guard: nothing it said before is remembered.
std::string fingerprint_of(const Config& config) {
  std::string all;
  JsonWriter writer(all);
  writer.begin_array();
  for (const std::string* text :
       {&config.name, &config.url, &config.path, &config.model, &config.request_template,
        &config.flagged_pointer, &config.score_pointer})
    writer.string(*text);
  for (const std::string& category : config.categories) writer.string(category);
  const onnx::Options& model = config.onnx;
  for (const std::string* text : {&model.model, &model.tokenizer, &model.config, &model.runtime})
    writer.string(*text);
  for (const auto* list : {&model.labels, &model.harmful}) {
    writer.begin_array();
    for (const std::string& label : *list) writer.string(label);
    writer.end_array();
  }
  writer.number(model.scores ? 1 + static_cast<int>(*model.scores) : 0);
  writer.number(model.window).number(model.overlap).number(model.windows).number(model.threads);
  writer.boolean(model.refuse_longer);
  writer.number(static_cast<int>(config.type)).number(config.threshold);
  writer.number(config.timeout.count()).number(config.concurrency);
  writer.number(config.cache_entries).number(config.cache_lifetime.count());
  writer.boolean(config.allow_on_error).end_array();
  return to_hex(crypto::sha256(bytes_of(all)));
}

}  // namespace

Result<Config> read_config(const ConfigNode& node, const std::filesystem::path& folder) {
  ConfigReader reader(node);
  Config config;
  config.name = reader.required_string("name");
  if (!config.name.empty() && !is_name(config.name))
    reader.note(node.error("name: small letters, digits, dashes and underscores, at most 64"));
  config.type =
      static_cast<Type>(reader.choice("type", 0, {"llama_guard", "moderation", "json", "onnx"}));
  if (config.type == Type::onnx) {
    config.concurrency = 2;  // each keeps a core busy
    config.waiting = 256;
    read_onnx_type(reader, node, folder, config);
  } else {
    read_place(reader, node, config);
    config.model = config.type == Type::llama_guard ? reader.required_string("model")
                                                    : reader.string("model", "");
  }
  read_limits(reader, config);
  if (config.type == Type::onnx && config.concurrency > most_local_threads)
    reader.note(node.error("concurrency: at most 64 for a model that runs in this process"));
  read_decision(reader, node, config);
  if (config.type == Type::json) read_json_type(reader, node, config);
  GH_TRY(reader.finish());
  config.onnx.threshold = config.threshold;
  config.fingerprint = fingerprint_of(config);
  return config;
}

}  // namespace gatehouse::guard
