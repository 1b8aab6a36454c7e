// See replay.h.
#include "gateway/replay.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "gateway/actor.h"
#include "gateway/admit.h"
#include "gateway/decision_event.h"
#include "gateway/dialect.h"
#include "gateway/exchange.h"
#include "gateway/guard_reports.h"
#include "gateway/question.h"
#include "gateway/snapshot_sources.h"
#include "gateway/stages.h"
#include "ledger/query.h"

namespace gatehouse::gateway {

using Counts = std::array<std::uint64_t, inspect::category_count>;

// What a recorded call says about itself, owned; the question looks into it.
struct RecordedCall {
  std::string id;
  std::string node;
  std::string snapshot;
  nlohmann::json actor;
  nlohmann::json subject;
  nlohmann::json data;
  identity::Principal principal;
  std::string peer;
  std::string model_name;
  std::string purpose;
  std::vector<std::string> tools;
  Route route = Route::chat_completions;
  DialectKind dialect = DialectKind::openai;
  bool stream = false;
  bool uninspectable = false;
  Label label;
  Counts findings{};
  policy::RiskValues risk;
  std::vector<std::string> altered;  // inputs the event has otherwise than policies saw them
};

namespace {

using nlohmann::json;

constexpr std::size_t max_loaded_sets = 64;  // rule sets and policy sets kept compiled

std::string text_of(const json& object, const char* name) {
  const auto member = object.is_object() ? object.find(name) : object.end();
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

bool flag_of(const json& object, const char* name) {
  const auto member = object.is_object() ? object.find(name) : object.end();
  return member != object.end() && member->is_boolean() && member->get<bool>();
}

const json& member_of(const json& object, const char* name) {
  static const json nothing;
  const auto member = object.is_object() ? object.find(name) : object.end();
  return member != object.end() ? *member : nothing;
}

std::vector<std::string> texts_of(const json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const auto& item : list)
    if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

std::optional<std::uint64_t> count_of(const json& object, std::string_view name) {
  const auto member = object.is_object() ? object.find(std::string(name)) : object.end();
  if (member == object.end() || !member->is_number_unsigned()) return std::nullopt;
  return member->get<std::uint64_t>();
}

std::optional<Route> parse_route(std::string_view text) {
  for (const Route route : {Route::chat_completions, Route::embeddings, Route::list_models,
                            Route::messages, Route::count_tokens, Route::responses})
    if (to_string(route) == text) return route;
  return std::nullopt;
}

std::optional<DialectKind> parse_dialect(std::string_view text) {
  for (const DialectKind kind : {DialectKind::openai, DialectKind::anthropic})
    if (to_string(kind) == text) return kind;
  return std::nullopt;
}

Result<Label> label_from(const json& object) {
  Label label;
  GH_ASSIGN(label.confidentiality, parse_confidentiality(text_of(object, "confidentiality")));
  GH_ASSIGN(label.integrity, parse_integrity(text_of(object, "integrity")));
  GH_ASSIGN(label.origin, parse_origin(text_of(object, "origin")));
  for (auto& category : texts_of(member_of(object, "categories")))
    label.categories.insert(category);
  return label;
}

std::string label_text(const Label& label) {
  std::string out;
  append_json(out, label);
  return out;
}

// How many findings of each category the event speaks of; nothing when it does not say.
std::optional<Counts> counts_from(const json& findings) {
  Counts counts{};
  if (!findings.is_array()) return counts;
  for (const auto& one : findings) {
    const bool rest = one.is_object() && one.contains("more");
    for (std::size_t at = 0; at < counts.size(); ++at) {
      const auto name = inspect::to_string(static_cast<inspect::Category>(at));
      if (rest) {
        const auto total = count_of(one, name);
        if (!total) return std::nullopt;  // an event of an earlier version
        counts[at] = *total;
      } else if (text_of(one, "category") == name) {
        counts[at] += count_of(one, "count").value_or(0);
      }
    }
  }
  return counts;
}

double p_from(const json& score) {
  const json& p = member_of(score, "p");
  return p.is_number() ? p.get<double>() : 1;
}

policy::RiskValues risk_from(const json& risk) {
  return {p_from(member_of(risk, "jailbreak")), p_from(member_of(risk, "injection"))};
}

json take_member(json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() ? std::move(*member) : json();
}

Result<RecordedCall> read_call(std::string_view entry) {
  json event = json::parse(entry, nullptr, false);
  const auto wrong = [](const std::string& what) {
    return fail(ErrorCode::data_loss, "the event is not one of ours: " + what);
  };
  if (!event.is_object()) return wrong("not a JSON object");
  if (text_of(event, "type") != "request.decided")
    return fail(ErrorCode::invalid_argument,
                "the entry is a " + text_of(event, "type") +
                    ", not a decision (request.decided); an outcome names its decision in "
                    "data.decision");
  RecordedCall call;
  call.id = text_of(event, "id");
  call.node = text_of(event, "node");
  call.snapshot = text_of(event, "snapshot");
  call.actor = take_member(event, "actor");
  call.subject = take_member(event, "subject");
  call.data = take_member(event, "data");
  const auto route = parse_route(text_of(call.subject, "route"));
  const auto dialect = parse_dialect(text_of(call.subject, "dialect"));
  if (!is_uuid(call.id) || !route || !dialect) return wrong("id, route or dialect");
  call.route = *route;
  call.dialect = *dialect;
  GH_ASSIGN(call.principal, principal_from(call.actor));
  GH_ASSIGN(call.label, label_from(member_of(event, "label")));
  call.peer = text_of(call.actor, "peer");
  call.model_name = text_of(call.subject, "model");
  call.purpose = text_of(call.data, "purpose");
  call.tools = texts_of(member_of(call.data, "tools"));
  call.stream = flag_of(call.data, "stream");
  call.uninspectable = flag_of(call.data, "uninspectable");
  call.altered = texts_of(member_of(call.data, "altered"));
  const auto counts = counts_from(member_of(call.data, "findings"));
  call.findings = counts.value_or(Counts{});
  if (!counts) call.altered.emplace_back("findings");
  call.risk = risk_from(member_of(call.data, "risk"));
  return call;
}

}  // namespace

std::string_view to_string(Replayed::Outcome outcome) {
  switch (outcome) {
    case Replayed::Outcome::same:
      return "same";
    case Replayed::Outcome::same_as_recorded:
      return "same as far as recorded";
    case Replayed::Outcome::differs:
      return "differs";
    case Replayed::Outcome::undetermined:
      return "cannot be compared in full";
  }
  return "differs";
}

// ---- what the log says before the decision --------------------------------------------------

Result<void> Replayer::feed(std::uint64_t index, std::string_view entry) {
  GH_ASSIGN(const auto event, store::state_event_in(entry));
  if (event) return note_state_event(index, *event);
  if (entry.find("\"type\":\"snapshot.activated\"") != std::string_view::npos) note_snapshot(entry);
  return {};
}

Result<void> Replayer::note_state_event(std::uint64_t index, const store::StateEvent& event) {
  GH_TRY(state_.apply(index, event.type, event.data));
  const json data = json::parse(event.data, nullptr, false);
  if (event.type == "key.created") {
    keys_[text_of(data, "id")].created = index;
  } else if (event.type == "key.revoked") {
    auto& revoked = keys_[text_of(data, "id")].revoked;
    if (!revoked) revoked = index;
  } else if (event.type.starts_with("model.")) {
    const std::string name = text_of(data, "name");
    models_[name].push_back({index, state_.all_models().find(name)->second});
  }
  return {};
}

void Replayer::note_snapshot(std::string_view entry) {
  const json event = json::parse(entry, nullptr, false);
  if (text_of(event, "type") != "snapshot.activated") return;
  const std::string digest = text_of(event, "snapshot");
  SnapshotInfo info = read_snapshot(entry, digest);
  info.state_index = count_of(member_of(event, "data"), "state_index");
  snapshots_.insert_or_assign(digest, std::move(info));
}

// The text of `contents` is the last member of `data`, which is the last of the event.
Replayer::SnapshotInfo Replayer::read_snapshot(std::string_view entry,
                                               const std::string& digest) const {
  constexpr std::string_view key = ",\"contents\":";
  SnapshotInfo info;
  std::string contents;
  const auto at = entry.find(key);
  if (at != std::string_view::npos && entry.size() > at + key.size() + 2) {
    contents = entry.substr(at + key.size(), entry.size() - at - key.size() - 2);
  } else if (auto kept = SnapshotSources::read(folder_, digest)) {
    contents = std::move(*kept);
  } else {
    info.problem = kept.error().describe();
    return info;
  }
  if ("sha256:" + to_hex(crypto::sha256(bytes_of(contents))) != digest) {
    info.problem = "the description of snapshot " + digest + " does not have this digest";
    return info;
  }
  const json parsed = json::parse(contents, nullptr, false);
  info.policies = text_of(parsed, "policies");
  info.rules = text_of(parsed, "rules");
  const json& providers = member_of(parsed, "providers");
  if (!providers.is_array()) return info;
  for (const auto& provider : providers)
    if (const auto dialect = parse_dialect(text_of(provider, "dialect")))
      info.providers.emplace(text_of(provider, "name"), *dialect);
  return info;
}

Result<const Replayer::SnapshotInfo*> Replayer::snapshot_of(const std::string& digest) const {
  const auto found = snapshots_.find(digest);
  if (found == snapshots_.end())
    return fail(ErrorCode::data_loss,
                "no entry before this one puts snapshot " + digest + " in force");
  const SnapshotInfo& info = found->second;
  if (!info.problem.empty()) return fail(ErrorCode::data_loss, info.problem);
  if (!info.state_index)
    return fail(
        ErrorCode::failed_precondition,
        "snapshot " + digest + " was recorded by a version that did not keep what it was made of");
  return &info;
}

Result<std::shared_ptr<const policy::PolicySet>> Replayer::policies_of(const std::string& digest) {
  if (const auto known = policies_.find(digest); known != policies_.end()) return known->second;
  GH_ASSIGN(const std::string source, SnapshotSources::read(folder_, digest));
  GH_ASSIGN(const auto files, parse_sources(source));
  GH_ASSIGN(auto set, policy::PolicySet::parse(files));
  if (policies_.size() >= max_loaded_sets) policies_.clear();
  return policies_.emplace(digest, std::move(set)).first->second;
}

Result<std::shared_ptr<const inspect::RuleSet>> Replayer::rules_of(const std::string& digest) {
  if (const auto known = rules_.find(digest); known != rules_.end()) return known->second;
  GH_ASSIGN(const std::string source, SnapshotSources::read(folder_, digest));
  GH_ASSIGN(const auto files, parse_sources(source));
  GH_ASSIGN(auto set, inspect::RuleSet::parse(files, false));
  if (rules_.size() >= max_loaded_sets) rules_.clear();
  return rules_.emplace(digest, std::move(set)).first->second;
}

const store::ModelRecord* Replayer::model_at(std::string_view name,
                                             std::uint64_t state_index) const {
  const auto changes = models_.find(name);
  if (changes == models_.end()) return nullptr;
  const store::ModelRecord* found = nullptr;
  for (const ModelChange& change : changes->second)
    if (change.index < state_index)
      found = change.record.removed.empty() ? &change.record : nullptr;
  return found;
}

// ---- one decision ---------------------------------------------------------------------------

// Collects what is not as recorded.
class Replayer::Comparison {
 public:
  explicit Comparison(Replayed& out) : out_(out) {}

  void member(const std::string& name, const json& recorded, const json& derived) {
    if (recorded != derived) out_.differences.push_back({name, recorded.dump(), derived.dump()});
  }
  // The members that write_decision() writes.
  void decision(const json& data, const policy::Decision& decision,
                std::optional<Problem> problem) {
    std::string text;
    JsonWriter writer(text);
    writer.begin_object();
    write_decision(writer, decision, problem);
    writer.end_object();
    const json derived = json::parse(text);
    for (const char* name :
         {"effect", "problem", "status", "policies", "obligations", "errors", "shadow"})
      member(name, member_of(data, name), member_of(derived, name));
    for (const auto cut : cut_members(decision))
      out_.incomplete.push_back(std::string(cut) + ": the list is cut in the event");
    out_.effect = decision.permit ? "permit" : "forbid";
  }
  // Each finding names a rule of the snapshot, with its category and p.
  void rules(const json& findings, const inspect::RuleSet& rules) {
    if (!findings.is_array()) return;
    for (const auto& one : findings) {
      if (!one.is_object() || one.contains("more")) continue;
      const auto rule = std::ranges::find(rules.rules(), text_of(one, "rule"), &inspect::Rule::id);
      if (rule == rules.rules().end()) {
        member("findings", one, "no such rule in the snapshot");
        continue;
      }
      const json derived = {{"rule", rule->id},
                            {"category", inspect::to_string(rule->category)},
                            {"count", member_of(one, "count")},
                            {"p", rule->p_value}};
      member("findings", one, derived);
    }
  }
  void settle(bool inputs_altered) {
    if (out_.differences.empty()) {
      out_.outcome =
          out_.incomplete.empty() ? Replayed::Outcome::same : Replayed::Outcome::same_as_recorded;
    } else {
      out_.outcome = inputs_altered ? Replayed::Outcome::undetermined : Replayed::Outcome::differs;
    }
  }

 private:
  Replayed& out_;
};

namespace {

// The body, decoded and inspected again as the walk does it.
Result<void> inspect_again(const RecordedCall& call, const std::string& content,
                           std::shared_ptr<const inspect::RuleSet> rules,
                           inspect::Categories watched, Exchange& exchange) {
  exchange.route = call.route;
  exchange.dialect = &dialect_of(call.dialect);
  exchange.body = content;
  exchange.scanner = std::make_shared<inspect::Scanner>(std::move(rules), watched);
  JsonWalker walker;
  GH_TRY(exchange.dialect->decode(walker, exchange));
  scan_channels(exchange);
  return {};
}

Question question_of(const RecordedCall& call, const store::ModelRecord* model) {
  Question question;
  question.principal = &call.principal;
  question.route = call.route;
  question.dialect = call.dialect;
  question.model_name = call.model_name;
  question.model = model;
  question.node = call.node;
  question.time = time_of_uuid7(call.id);
  question.peer = call.peer;
  question.purpose = call.purpose;
  question.stream = call.stream;
  question.uninspectable = call.uninspectable;
  question.findings = call.findings;
  question.risk = call.risk;
  question.label = &call.label;
  question.tools = call.tools;
  return question;
}

// Findings by rule.
json findings_by_rule(const json& findings) {
  json counts = json::object();
  if (!findings.is_array()) return counts;
  for (const auto& one : findings)
    if (one.is_object() && one.contains("rule")) counts[text_of(one, "rule")] = one["count"];
  return counts;
}

json findings_by_rule(const Exchange& exchange) {
  json counts = json::object();
  for (const auto& [rule, count] : exchange.findings.by_rule)
    counts[exchange.scanner->rules().rules()[rule].id] = count;
  return counts;
}

}  // namespace

// The body is looked into as the walk did; what the event could not hold, it can.
Result<void> Replayer::use_content(const std::string& content,
                                   const std::shared_ptr<const inspect::RuleSet>& rules,
                                   inspect::Categories watched, RecordedCall& call,
                                   Comparison& comparison) {
  Exchange exchange;
  GH_TRY(inspect_again(call, content, rules, watched, exchange));
  const json& findings = member_of(call.data, "findings");
  comparison.member("content.bytes", member_of(member_of(call.data, "content"), "bytes"),
                    content.size());
  if (std::ranges::none_of(findings, [](const json& one) { return one.contains("more"); }))
    comparison.member("content.findings", findings_by_rule(findings), findings_by_rule(exchange));
  comparison.member("content.stream", call.stream, exchange.stream);
  comparison.member("content.uninspectable", call.uninspectable, exchange.uninspectable);
  std::erase_if(call.altered, [](const std::string& what) { return what != "purpose"; });
  call.tools = exchange.tools;
  call.model_name = exchange.model_name;
  return {};
}

// The key as the snapshot had it; null when it had it not, or not alive.
const store::KeyRecord* Replayer::key_of(const RecordedCall& call, std::uint64_t state_index,
                                         Comparison& comparison) const {
  const std::string& prefix = call.principal.key_prefix;
  const store::KeyRecord* const key = state_.find_key_by_prefix(prefix);
  const auto times = key != nullptr ? keys_.find(key->id) : keys_.end();
  if (times == keys_.end() || times->second.created >= state_index) {
    comparison.member("actor.key", prefix, "not a key of the snapshot");
    return nullptr;
  }
  if (times->second.revoked.value_or(state_index) < state_index)
    comparison.member("actor.key", prefix, "revoked in the snapshot");
  comparison.member("actor.kind", to_string(call.principal.kind), key->principal_kind);
  comparison.member("actor.id", call.principal.id, key->principal_id);
  return key;
}

// The model as the snapshot had it: registered, and its provider configured.
Replayer::ModelInForce Replayer::model_of(const RecordedCall& call, const SnapshotInfo& snapshot,
                                          Comparison& comparison) const {
  ModelInForce in_force;
  if (call.route != Route::list_models)
    in_force.record = model_at(call.model_name, snapshot.state_index.value_or(0));
  if (in_force.record != nullptr) {
    const auto provider = snapshot.providers.find(in_force.record->provider);
    if (provider == snapshot.providers.end()) {
      in_force.record = nullptr;
    } else {
      in_force.dialect = provider->second;
    }
  }
  const auto compare = [&](const char* name, std::string store::ModelRecord::* field) {
    comparison.member(std::string("subject.") + name, member_of(call.subject, name),
                      in_force.record != nullptr ? json(in_force.record->*field) : json());
  };
  compare("provider", &store::ModelRecord::provider);
  compare("upstream_model", &store::ModelRecord::upstream_name);
  compare("trust", &store::ModelRecord::trust);
  return in_force;
}

Result<Replayed> Replayer::replay(std::uint64_t index, std::string_view entry,
                                  const std::optional<std::string>& content) {
  GH_ASSIGN(RecordedCall call, read_call(entry));
  GH_ASSIGN(const SnapshotInfo* const snapshot, snapshot_of(call.snapshot));
  GH_ASSIGN(const auto policies, policies_of(snapshot->policies));
  GH_ASSIGN(const auto rules, rules_of(snapshot->rules));

  Replayed out{.index = index, .id = call.id};
  Comparison comparison(out);
  const bool lists = call.route == Route::list_models;
  comparison.rules(member_of(call.data, "findings"), *rules);
  if (content && !lists) {
    GH_TRY(use_content(*content, rules, watched_categories(*policies), call, comparison));
    out.notes.emplace_back("the query of the URL is not recorded; what was found in it is missing");
  }
  for (const std::string& what : call.altered)
    out.incomplete.push_back(what + ": the event has it otherwise than policies saw it");
  if (!lists && std::ranges::count(call.altered, "findings") == 0) {
    Label label = label_of_findings(call.findings);
    if (const auto sources = call.data.find("sources"); sources != call.data.end()) {
      GH_ASSIGN(const auto of_sources, label_from(*sources));
      label = join(label, of_sources);
    }
    const bool marked = !texts_of(member_of(call.data, "marks")).empty();
    comparison.member("label", label_text(call.label),
                      label_text(marked ? with_marks(label) : label));
  }
  // Who came by another credential is who the event says: its claims are in no state.
  if (call.principal.credential == identity::CredentialKind::api_key) {
    const auto* const key = key_of(call, snapshot->state_index.value_or(0), comparison);
    if (key != nullptr && !call.principal.described) call.principal.attributes = key->attributes;
  }
  const ModelInForce model = model_of(call, *snapshot, comparison);

  const Question question = question_of(call, model.record);
  policy::Decision decision = policies->decide(policy_request(question));
  Plan plan;
  auto problem = settle(question, model.dialect, decision, plan);
  // What a guard model said cannot be asked again; what came of it can be followed.
  if (!problem && guards_denied(member_of(call.data, "guards"))) {
    decision.permit = false;
    problem = Problem::blocked;
  }
  // What others had used of a limit is not asked again either.
  const auto& exceeded = member_of(call.data, "limit_exceeded");
  if (const auto refused = refused_by_limit(text_of(exceeded, "problem")); !problem && refused) {
    decision.permit = false;
    problem = refused;
  }
  comparison.decision(call.data, decision, problem);
  comparison.settle(!call.altered.empty());
  return out;
}

// ---- what would have been -------------------------------------------------------------------

namespace {

// `"peer":"192.0.2.1:40000"` is the last member of the actor. A quote inside a text is written \",
// so that none of these can be found inside one.
std::optional<std::size_t> cut_port(std::string& facts) {
  constexpr std::string_view after = "\"},\"subject\":{";
  constexpr std::string_view name = "\"peer\":\"";
  const std::size_t end = facts.find(after);
  if (end == std::string::npos || end == 0) return std::nullopt;
  const std::size_t begin = facts.rfind('"', end - 1);
  if (begin == std::string::npos || begin + 1 < name.size() ||
      facts.compare(begin + 1 - name.size(), name.size(), name) != 0)
    return std::nullopt;
  const std::size_t colon = facts.rfind(':', end);
  if (colon == std::string::npos || colon < begin) return end;
  facts.erase(colon, end - colon);
  return colon;
}

// `"content":{"sha256":"…","bytes":129}`, and nothing else of that name.
void cut_content(std::string& facts, std::size_t from) {
  constexpr std::string_view name = "\"content\":{\"sha256\":\"";
  constexpr std::string_view bytes = "\",\"bytes\":";
  const auto skip = [&](std::size_t at, std::string_view allowed) {
    return std::min(facts.find_first_not_of(allowed, at), facts.size());
  };
  const std::size_t begin = facts.find(name, from);
  if (begin == std::string::npos) return;
  std::size_t end = skip(begin + name.size(), "0123456789abcdef");
  if (facts.compare(end, bytes.size(), bytes) != 0) return;
  end = skip(end + bytes.size(), "0123456789");
  if (end < facts.size() && facts[end] == '}') facts.erase(begin, end - begin);
}

}  // namespace

std::optional<std::string> recorded_facts(std::string_view entry) {
  const std::string_view id = ledger::id_of(entry);
  const std::size_t begin = entry.find("\"type\":\"request.decided\"");
  if (!is_uuid(id) || begin == std::string_view::npos || begin > 128) return std::nullopt;
  if (entry.contains("\"scope\":")) return std::nullopt;
  const auto hours =
      std::chrono::floor<std::chrono::hours>(time_of_uuid7(id)).time_since_epoch().count();
  std::string facts = std::to_string(hours % (7 * 24)) + ' ';
  facts += entry.substr(begin);
  const auto after_actor = cut_port(facts);
  if (!after_actor) return std::nullopt;
  cut_content(facts, *after_actor);
  return facts;
}

bool WhatIf::changed() const {
  return before.permit != after.permit || before.obligations != after.obligations;
}

std::vector<std::string> WhatIf::because() const {
  if (before.permit != after.permit) {
    const policy::Decision& denied = before.permit ? after : before;
    const policy::Decision& permitted = before.permit ? before : after;
    return denied.determining.empty() ? permitted.determining : denied.determining;
  }
  std::vector<std::string> policies;
  const auto add_only_in = [&](const policy::Decision& one, const policy::Decision& other) {
    for (const std::string& policy : one.determining)
      if (std::ranges::find(other.determining, policy) == other.determining.end())
        policies.push_back(policy);
  };
  add_only_in(after, before);
  add_only_in(before, after);
  return policies.empty() ? after.determining : policies;
}

Result<WhatIf> Replayer::what_if(std::uint64_t index, std::string_view entry, DecisionCache& before,
                                 DecisionCache& after) const {
  GH_ASSIGN(RecordedCall call, read_call(entry));
  GH_ASSIGN(const SnapshotInfo* const snapshot, snapshot_of(call.snapshot));
  Replayed ignored;
  Comparison comparison(ignored);
  bool is_known = true;
  // As in replay().
  if (call.principal.credential == identity::CredentialKind::api_key) {
    const auto* const key = key_of(call, snapshot->state_index.value_or(0), comparison);
    is_known = key != nullptr || call.principal.described;
    if (key != nullptr && !call.principal.described) call.principal.attributes = key->attributes;
  }
  const ModelInForce model = model_of(call, *snapshot, comparison);
  const Question question = question_of(call, model.record);
  const policy::Request request = policy_request(question);
  WhatIf out;
  out.index = index;
  out.id = call.id;
  out.principal = std::string(identity::to_string(call.principal.kind)) + ":" + call.principal.id;
  out.route = to_string(call.route);
  out.model = call.model_name;
  out.incomplete = !call.altered.empty() || !is_known;
  for (const auto& [cache, decision] :
       {std::pair(&before, &out.before), std::pair(&after, &out.after)}) {
    *decision = cache->decide(request);
    Plan plan;
    settle(question, model.dialect, *decision, plan);
  }
  return out;
}

}  // namespace gatehouse::gateway
