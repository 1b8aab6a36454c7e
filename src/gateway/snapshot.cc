// See snapshot.h.
#include "gateway/snapshot.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "guard/local_model.h"
#include "inspect/dictionary.h"

namespace gatehouse::gateway {

const store::ModelRecord* Snapshot::find_model(std::string_view name) const {
  const auto model = models.find(name);
  return model == models.end() || !provider_of(model->second) ? nullptr : &model->second;
}

const ProviderConfig* Snapshot::provider_of(const store::ModelRecord& model) const {
  const auto provider = config->providers.find(model.provider);
  return provider == config->providers.end() ? nullptr : &provider->second;
}

std::shared_ptr<guard::LocalModel> Snapshot::guard_model(std::string_view name) const {
  const auto model = guard_models.find(name);
  return model == guard_models.end() ? nullptr : model->second;
}

Result<std::shared_ptr<const policy::PolicySet>> load_policies(const Config& config) {
  return config.policies ? policy::PolicySet::load(*config.policies) : policy::PolicySet::builtin();
}

Result<std::shared_ptr<const inspect::RuleSet>> load_rules(const Config& config) {
  constexpr std::size_t largest_dictionary = 256u << 20;
  inspect::RuleSetOptions options = config.inspection.rules;
  const crypto::Digest key = inspect::dictionary_key(config.secret.reveal());
  for (const std::filesystem::path& path : config.inspection.dictionaries) {
    GH_ASSIGN(const std::string file, read_file(path, largest_dictionary));
    auto dictionary = inspect::Dictionary::parse(file, key);
    if (!dictionary) return std::unexpected(std::move(dictionary).error().within(path.string()));
    options.dictionaries.push_back(std::move(*dictionary));
  }
  return config.rules ? inspect::RuleSet::load(*config.rules, options)
                      : inspect::RuleSet::builtin(options);
}

Result<void> check_guards(const Snapshot& snapshot) {
  for (const auto& policy : snapshot.policies->policies()) {
    for (const auto& [name, value] : policy.obligations) {
      if (name != "guard" && name != "guard_answer") continue;
      if (snapshot.config->find_guard(value) != nullptr) continue;
      return fail(ErrorCode::invalid_argument,
                  policy.where + ": policy " + policy.id + " wants the guard \"" + value +
                      "\" asked, and gatehouse.yaml has none of this name under guards:");
    }
  }
  return {};
}

Result<void> check_checks(const Snapshot& snapshot) {
  for (const auto& policy : snapshot.policies->policies()) {
    for (const auto& [name, value] : policy.obligations) {
      if (name != "check") continue;
      const auto check = parse_planned_check(value);
      if (check && snapshot.config->checks.contains(check->name)) continue;
      return fail(ErrorCode::invalid_argument,
                  policy.where + ": policy " + policy.id + " wants the check \"" + value +
                      "\" made, and gatehouse.yaml has none of this name under checks:");
    }
  }
  return {};
}

namespace {

constexpr std::size_t longest_list_text = 8'192;

// A list of models or keys as it is, or, where it is long, its length and the digest of its text:
// it can be derived from the ledger's own events.
void write_list(JsonWriter& writer, const std::string& list, std::size_t count) {
  if (list.size() <= longest_list_text) {
    writer.raw(list);
    return;
  }
  writer.begin_object().key("count").number(count);
  writer.key("sha256").string(to_hex(crypto::sha256(bytes_of(list)))).end_object();
}

std::string models_text(const Snapshot& snapshot) {
  std::string list;
  JsonWriter writer(list);
  writer.begin_array();
  for (const auto& [name, model] : snapshot.models) {
    writer.begin_object().key("name").string(name).key("provider").string(model.provider);
    writer.key("upstream_name").string(model.upstream_name);
    writer.key("trust").string(model.trust).end_object();
  }
  writer.end_array();
  return list;
}

// What is kept where no policy says; left out where that is nothing.
void write_log_content(JsonWriter& writer, const VaultConfig& settings) {
  if (settings.log_content == LogContent::none && settings.routes.empty()) return;
  writer.key("log_content").begin_object();
  writer.key("default").string(to_string(settings.log_content));
  for (const auto& [route, level] : settings.routes) writer.key(route).string(to_string(level));
  writer.end_object();
}

void write_risk_model(JsonWriter& writer, const classify::CalibratedClassifier& model) {
  writer.key("classifier").begin_object().key("name").string(model.classifier().name());
  writer.key("model").string("sha256:" + to_hex(model.classifier().digest()));
  const std::string calibration = model.calibration().serialize();
  writer.key("calibration").string("sha256:" + to_hex(crypto::sha256(bytes_of(calibration))));
  writer.end_object();
}

// Left out where there are none.
void write_guards(JsonWriter& writer, const Snapshot& snapshot) {
  const std::vector<guard::Config>& guards = snapshot.config->guards;
  if (guards.empty()) return;
  writer.key("guards").begin_array();
  for (const auto& guard : guards) {
    writer.begin_object().key("name").string(guard.name);
    writer.key("type").string(guard::to_string(guard.type));
    if (const auto model = snapshot.guard_model(guard.name); model && model->classifier()) {
      writer.key("model").string("sha256:" + model->classifier()->model_digest());
      writer.key("tokenizer").string("sha256:" + model->classifier()->tokenizer_digest());
      writer.key("runtime").string(model->classifier()->runtime_version());
    } else {
      writer.key("url").string(guard.url);
    }
    writer.key("on_error").string(guard.allow_on_error ? "allow" : "deny");
    writer.key("settings").string(guard.fingerprint).end_object();
  }
  writer.end_array();
}

// Left out where there are none. What a check compares with may be long; its digest stands for it.
void write_checks(JsonWriter& writer, const ChecksConfig& checks) {
  if (checks.empty()) return;
  writer.key("checks").begin_array();
  for (const auto& [name, check] : checks) {
    writer.begin_object().key("name").string(name);
    writer.key("type").string(validate::to_string(check.options.kind));
    writer.key("settings").string(settings_digest(check)).end_object();
  }
  writer.end_array();
}

}  // namespace

void seal_snapshot(Snapshot& snapshot, const std::vector<store::KeyRecord>& keys) {
  auto& out = snapshot.description;
  out.clear();
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("policies").string(snapshot.policies->digest());
  writer.key("rules").string("sha256:" + to_hex(snapshot.rules->digest()));
  write_risk_model(writer, *snapshot.risk);
  writer.key("audit").string(to_string(snapshot.config->audit));
  if (const auto& readers = snapshot.config->receipts.readers; !readers.empty()) {
    writer.key("receipt_readers").begin_array();
    for (const auto& reader : readers) writer.string(reader);
    writer.end_array();
  }
  write_log_content(writer, snapshot.config->vault);
  write_guards(writer, snapshot);
  write_checks(writer, snapshot.config->checks);
  if (const auto& budgets = snapshot.config->budgets; !budgets.limits.empty())
    writer.key("budgets").string(settings_digest(budgets));
  writer.key("providers").begin_array();
  for (const auto& [name, provider] : snapshot.config->providers) {
    writer.begin_object().key("name").string(name);
    writer.key("dialect").string(to_string(provider.dialect));
    writer.key("url").string(provider.url);
    if (!provider.forward_headers.empty()) {
      writer.key("forward_headers").begin_array();
      for (const auto& header : provider.forward_headers) writer.string(header);
      writer.end_array();
    }
    writer.end_object();
  }
  writer.end_array().key("models");
  write_list(writer, models_text(snapshot), snapshot.models.size());
  std::string active;
  JsonWriter prefixes(active);
  std::size_t count = 0;
  prefixes.begin_array();
  for (const auto& key : keys) {
    if (!key.revoked.empty()) continue;
    prefixes.string(key.prefix);
    ++count;
  }
  prefixes.end_array();
  writer.key("keys");
  write_list(writer, active, count);
  writer.end_object();
  snapshot.digest = "sha256:" + to_hex(crypto::sha256(bytes_of(out)));
}

}  // namespace gatehouse::gateway
