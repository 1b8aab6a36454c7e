// Every change of keys and models: validate against the state, append the event, wait until it is
// durable, apply it. One mutex for the whole of it; blocking.
//
// Invariants
//   1. `state_` is the fold of the ledger's state events, and what is read here is `state_`. The
//      database is where the fold is kept between two runs: it is believed at start only under a
//      seal that needs the deployment secret, else the ledger is folded from its first entry.
//   2. No event is appended that the store would refuse: the state is checked first, under the
//      mutex, and nobody else writes state events while this process holds the ledger's lock.
//   3. A change stands when its event is durable. While the database cannot be written, the event
//      waits in `unapplied_`: what is read here has it already, later events queue up behind it,
//      and every later change tries to apply them first. After a crash catch_up() does.
//   4. Meanwhile rights are only taken away: a revocation must never wait for a disk, a new key
//      can. The same while the database says what the ledger does not (`differs_`); it is then
//      left as it is, for somebody to look at.
//   5. The key itself exists only in CreatedKey; events and store see its keyed hash.
#include <algorithm>
#include <array>

#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "identity/identity.h"
#include "identity/rules.h"
#include "store/compare.h"
#include "store/contents.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t max_actor_bytes = 256;
constexpr std::chrono::hours max_lifetime{24 * 36'500};
constexpr int attempts_at_unused_prefix = 8;
// Nobody takes this many rights away while a database fails; it only bounds the memory.
constexpr std::size_t max_unapplied = 10'000;
constexpr std::size_t max_logged_differences = 20;

bool gives_rights(std::string_view type) {
  return type == "key.created" || type == "model.added" || type == "mcp.tool.reviewed" ||
         type == "principal.restored" || type == "approval.granted" || type == "approval.standing";
}

std::string json_object(
    std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const auto& [name, value] : members) json.key(name).string(value);
  json.end_object();
  return out;
}

std::string key_created_json(const store::KeyRecord& key) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("id").string(key.id);
  json.key("prefix").string(key.prefix);
  json.key("hash").string(key.hash);
  json.key("principal_kind").string(key.principal_kind);
  json.key("principal_id").string(key.principal_id);
  json.key("attributes").begin_object();
  for (const auto& [name, value] : key.attributes) json.key(name).string(value);
  json.end_object();
  json.key("created").string(key.created);
  json.key("expires").string(key.expires);
  json.end_object();
  return out;
}

std::string model_added_json(const store::ModelRecord& model) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("name").string(model.name).key("provider").string(model.provider);
  json.key("upstream_name").string(model.upstream_name).key("trust").string(model.trust);
  json.key("created").string(model.created);
  if (!model.clearance.empty()) json.key("clearance").string(model.clearance);
  json.end_object();
  return out;
}

std::string key_subject(const store::KeyRecord& key) {
  return json_object({{"kind", "key"}, {"id", key.id}, {"prefix", key.prefix}});
}

std::string model_subject(std::string_view name) {
  return json_object({{"kind", "model"}, {"id", name}});
}

std::string tool_subject(const store::ToolRecord& tool) {
  return json_object({{"kind", "tool"}, {"server", tool.server}, {"id", tool.tool}});
}

// An object with further members.
std::string with_facts(std::string object, std::string_view facts) {
  if (facts.empty()) return object;
  object.back() = ',';
  return object.append(facts) + '}';
}

Result<std::string> expiry_text(const std::optional<std::chrono::seconds>& lifetime,
                                WallTime created) {
  if (!lifetime) return std::string();
  if (*lifetime <= std::chrono::seconds(0) || *lifetime > max_lifetime)
    return fail(ErrorCode::invalid_argument,
                "the lifetime of a key is between one second and a hundred years");
  return format_time(created + *lifetime);
}

Result<store::ModelRecord> checked_model(const NewModel& request, WallTime now) {
  GH_TRY(check_printable(request.name, max_name_bytes, "the name of a model"));
  GH_TRY(check_printable(request.provider, max_name_bytes, "the name of a provider"));
  const std::string& upstream =
      request.upstream_name.empty() ? request.name : request.upstream_name;
  GH_TRY(check_printable(upstream, max_name_bytes, "the upstream name of a model"));
  if (request.trust != "external" && request.trust != "internal")
    return fail(ErrorCode::invalid_argument, "the trust of a model is one of: external, internal");
  constexpr std::array<std::string_view, 5> clearances = {"", "public", "internal", "confidential",
                                                          "restricted"};
  if (std::ranges::find(clearances, request.clearance) == clearances.end())
    return fail(ErrorCode::invalid_argument,
                "the clearance of a model is one of: public, internal, confidential, restricted");
  return store::ModelRecord{request.name,     request.provider, upstream,
                            request.trust,    format_time(now), "",
                            request.clearance};
}

}  // namespace

Registry::Registry(ledger::Ledger& ledger, store::Store& store, crypto::Digest key_hash_key,
                   std::string node, const Clock& clock, Random& random)
    : ledger_(ledger),
      store_(store),
      key_hash_key_(key_hash_key),
      seal_key_(crypto::derive_key(Bytes(key_hash_key), "gatehouse/state-seal/v1")),
      node_(std::move(node)),
      clock_(clock),
      random_(random) {}

Result<std::uint64_t> Registry::catch_up(const std::filesystem::path& ledger_directory) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t end = ledger_.stats().size;
  GH_ASSIGN(Found found, look_into_database());
  if (found.next_index > end)
    return fail(
        ErrorCode::data_loss,
        "the database has applied " + std::to_string(found.next_index) +
            " entries, the ledger has " + std::to_string(end) +
            ": they do not belong together, or the ledger lost entries. If this log began "
            "anew, `gatehouse audit carry-over OLD_LEDGER` takes the state along; `gatehouse "
            "audit rebuild` makes the database what this ledger says");
  const bool sealed = found.sealed.has_value();
  store::State fold = std::move(found.sealed).value_or(store::State());
  if (!sealed) GH_TRY(fold_entries(ledger_directory, found.next_index, fold));
  note_differences(std::move(found.problem), found.contents, fold, found.next_index);
  GH_ASSIGN(const std::uint64_t changes, fold_entries(ledger_directory, end, fold));
  fold.seen_up_to(end);
  take(std::move(fold));
  unapplied_.clear();  // they are in the ledger, so they were among the unseen
  caught_up_ = true;
  if (differences_.empty() && (changes > 0 || !sealed)) {
    GH_TRY(store_.replace(state_, seal()));
  } else if (differences_.empty() && end > 0) {
    GH_TRY(store_.apply(end - 1, "seen", "", seal()));
  }
  marked_ = end;
  return changes;
}

// What the file says, and whether it is what this program had put there. One that cannot be read
// at the moment is an error, one that is gone or damaged is a finding.
Result<Registry::Found> Registry::look_into_database() const {
  Found found;
  auto contents = store_.contents();
  if (!contents && contents.error().code == ErrorCode::unavailable)
    return std::unexpected(std::move(contents).error());
  if (!contents) {
    found.problem = contents.error().describe();
    return found;
  }
  found.contents = std::move(*contents);
  found.next_index = store::applied_index(found.contents).value_or(0);
  auto stored = store::stored_state(found.contents);
  if (!stored) return found;
  const std::string expected = seal_of(stored->state);
  if (crypto::equal_constant_time(bytes_of(stored->seal), bytes_of(expected)))
    found.sealed = std::move(stored->state);
  return found;
}

// Applies the entries from fold.next_index() up to `end`; returns how many changed state.
Result<std::uint64_t> Registry::fold_entries(const std::filesystem::path& ledger_directory,
                                             std::uint64_t end, store::State& fold) {
  if (fold.next_index() >= end) return 0;
  GH_ASSIGN(auto reader, ledger::EntryReader::open(ledger_directory, fold.next_index()));
  std::uint64_t changes = 0;
  std::uint64_t index = 0;
  std::string entry;
  for (std::uint64_t next = fold.next_index(); next < end; next = index + 1) {
    GH_ASSIGN(const bool found, reader.next(index, entry));
    if (!found) break;
    Result<bool> changed = fold_entry(index, entry, fold);
    if (!changed)
      return std::unexpected(std::move(changed).error().within("entry " + std::to_string(index)));
    changes += *changed ? 1 : 0;
  }
  fold.seen_up_to(end);
  return changes;
}

// True when the entry is a state event.
Result<bool> Registry::fold_entry(std::uint64_t index, std::string_view entry, store::State& fold) {
  GH_ASSIGN(const std::optional<store::StateEvent> event, store::state_event_in(entry));
  if (!event) return false;
  GH_TRY(fold.apply(index, event->type, event->data));
  return true;
}

void Registry::take(store::State fold) {
  state_ = std::move(fold);
  state_digest_ = {};
}

// Compares and says so once for each way in which the two differ.
void Registry::note_differences(std::string problem, const store::Contents& contents,
                                const store::State& fold,
                                std::optional<std::uint64_t> expected_index) {
  std::vector<store::Difference> found;
  if (!problem.empty()) {
    found.push_back({store::Difference::Kind::schema, "database", "", "", std::move(problem),
                     "a database that can be read"});
  } else {
    found = store::compare(contents, fold, expected_index);
  }
  if (found == differences_) return;
  differences_ = std::move(found);
  for (std::size_t at = 0; at < differences_.size() && at < max_logged_differences; ++at) {
    const auto& difference = differences_[at];
    log_error("the database says what the ledger does not; the ledger is followed",
              {{"table", difference.table},
               {"row", difference.row},
               {"field", difference.field},
               {"kind", to_string(difference.kind)},
               {"differences", differences_.size()}});
  }
  if (differences_.empty()) log_info("the database says what the ledger says again");
}

Result<std::vector<store::Difference>> Registry::reconcile() {
  const std::lock_guard lock(mutex_);
  GH_TRY(require_caught_up());
  const bool differed = !differences_.empty();
  if (!differed) GH_TRY(apply_unapplied());
  GH_ASSIGN(Found found, look_into_database());
  // While it differs it is left alone, so its index stands still.
  const auto expected = differed ? std::nullopt : std::optional(state_.next_index());
  note_differences(std::move(found.problem), found.contents, state_, expected);
  if (differed && differences_.empty()) {
    unapplied_.clear();
    GH_TRY(store_.replace(state_, seal()));
  }
  return differences_;
}

std::vector<store::Difference> Registry::differences() const {
  const std::lock_guard lock(mutex_);
  return differences_;
}

// HMAC over whose log it is, how far, and every field. Who can write the database and has not the
// deployment secret cannot make one for a state that never was; an old database with its old seal
// is an honest fold of fewer entries, and the rest is folded onto it.
std::string Registry::seal_of(const store::State& state, const crypto::Digest& digest) const {
  std::string text = ledger_.verifier_key();
  text += '\n' + std::to_string(state.next_index()) + '\n' + to_hex(digest);
  return to_hex(crypto::hmac_sha256(Bytes(seal_key_), bytes_of(text)));
}

std::string Registry::seal_of(const store::State& state) const {
  return seal_of(state, crypto::sha256(bytes_of(state.canonical())));
}

// Of state_; its digest changes only with a change of state, its index all the time.
std::string Registry::seal() {
  if (!state_digest_) state_digest_ = crypto::sha256(bytes_of(state_.canonical()));
  return seal_of(state_, *state_digest_);
}

// Moves the applied index over entries that change nothing.
Result<void> Registry::mark_seen_up_to(std::uint64_t size) {
  if (size == 0) return {};
  state_.seen_up_to(size);
  GH_TRY(store_.apply(size - 1, "seen", "", seal()));
  marked_ = size;
  return {};
}

Result<void> Registry::mark_seen() {
  const std::lock_guard lock(mutex_);
  GH_TRY(require_caught_up());
  if (!differences_.empty()) return {};
  GH_TRY(apply_unapplied());
  return mark_seen_up_to(ledger_.stats().size);
}

Result<void> Registry::keep_up(std::uint64_t entries) {
  const std::lock_guard lock(mutex_);
  GH_TRY(require_caught_up());
  if (!differences_.empty()) return {};
  GH_TRY(apply_unapplied());
  const std::uint64_t size = ledger_.stats().size;
  if (size < marked_ + entries) return {};
  return mark_seen_up_to(size);
}

// Only this object writes state events, one at a time: once caught up, what the store has not seen
// is in `unapplied_` or changes nothing.
Result<void> Registry::require_caught_up() {
  if (caught_up_) return {};
  GH_ASSIGN(const std::uint64_t applied, store_.applied());
  if (applied != 0 || ledger_.stats().size != 0)
    return fail(ErrorCode::failed_precondition,
                "the database has not applied every entry of the ledger yet; it does so at the "
                "next start");
  caught_up_ = true;
  return {};
}

// In their order; stops at the first that the store does not take.
Result<void> Registry::apply_unapplied() {
  std::size_t done = 0;
  Result<void> applied;
  while (done < unapplied_.size()) {
    const Unapplied& event = unapplied_[done];
    // The seal is of the whole state, so the last one gets it. A crash before that costs the next
    // start a look at the whole ledger.
    const bool last = done + 1 == unapplied_.size();
    applied = store_.apply(event.index, event.type, event.data, last ? seal() : std::string());
    if (!applied) break;
    ++done;
  }
  unapplied_.erase(unapplied_.begin(), unapplied_.begin() + static_cast<std::ptrdiff_t>(done));
  return applied;
}

// Before a change is recorded. The database may fail and the change still be taken, see above.
Result<void> Registry::make_room_for(std::string_view type) {
  GH_TRY(require_caught_up());
  if (!differences_.empty()) return make_room_beside_differences(type);
  auto applied = apply_unapplied();
  if (applied || (!gives_rights(type) && unapplied_.size() < max_unapplied)) return {};
  Error error = std::move(applied).error();
  error.message =
      "the database does not yet have " + std::to_string(unapplied_.size()) +
      " recorded changes, so nothing is added to it; try again when it can be written: " +
      error.message;
  return std::unexpected(std::move(error));
}

// The database is evidence now and is not written to.
Result<void> Registry::make_room_beside_differences(std::string_view type) const {
  if (!gives_rights(type) && unapplied_.size() < max_unapplied) return {};
  return fail(ErrorCode::failed_precondition,
              "the database says what the ledger does not (" + std::to_string(differences_.size()) +
                  " differences), so nothing is added until somebody has looked: `gatehouse audit "
                  "reconcile` lists them, `gatehouse audit rebuild` makes the database again");
}

// Tries the store at once; what it does not take stays in `unapplied_`.
void Registry::apply_or_keep(std::uint64_t index, std::string_view type, std::string data) {
  const bool behind = !unapplied_.empty() || !differences_.empty();
  unapplied_.push_back({index, std::string(type), std::move(data)});
  if (behind) return;
  if (auto applied = apply_unapplied(); !applied)
    log_error("a change is recorded and in force, but the database cannot be written",
              {{"entry", index}, {"type", type}, {"error", applied.error().describe()}});
}

Result<std::uint64_t> Registry::record_and_apply(std::string_view type, std::string_view actor,
                                                 std::string subject, std::string data) {
  GH_TRY(check_printable(actor, max_actor_bytes, "the actor"));
  GH_TRY(make_room_for(type));
  ledger::Event event;
  event.id = make_uuid7(clock_, random_);
  event.time = clock_.wall();
  event.type = type;
  event.node = node_;
  event.actor = json_object({{"kind", "operator"}, {"id", actor}});
  event.subject = std::move(subject);
  event.data = std::move(data);
  GH_ASSIGN(std::string entry, ledger::serialize(event));
  GH_ASSIGN(const std::uint64_t index, ledger_.append_and_wait(std::move(entry)));
  GH_TRY(state_.apply(index, type, event.data));
  state_digest_ = {};
  apply_or_keep(index, type, std::move(event.data));
  return index;
}

Result<std::string> Registry::unused_key(const std::vector<store::KeyRecord>& existing) {
  for (int attempt = 0; attempt < attempts_at_unused_prefix; ++attempt) {
    std::string key = generate_key(random_);
    const std::string_view prefix = std::string_view(key).substr(0, prefix_length);
    if (std::ranges::none_of(existing,
                             [prefix](const auto& other) { return other.prefix == prefix; }))
      return key;
  }
  return fail(ErrorCode::internal, "the random source repeats itself");
}

Result<CreatedKey> Registry::create_key(const NewKey& request, std::string_view actor) {
  GH_ASSIGN(auto principal, parse_principal(request.principal));
  GH_ASSIGN(auto attributes, check_attributes(request.attributes));
  const WallTime now = clock_.wall();
  GH_ASSIGN(std::string expires, expiry_text(request.lifetime, now));

  const std::lock_guard lock(mutex_);
  const auto existing = state_.keys();
  CreatedKey created;
  GH_ASSIGN(created.key, unused_key(existing));
  store::KeyRecord& record = created.record;
  record.id = make_uuid7(clock_, random_);
  record.prefix = created.key.substr(0, prefix_length);
  record.hash = to_hex(crypto::hmac_sha256(Bytes(key_hash_key_), bytes_of(created.key)));
  record.principal_kind = to_string(principal.first);
  record.principal_id = std::move(principal.second);
  record.attributes = std::move(attributes);
  record.created = format_time(now);
  record.expires = std::move(expires);
  GH_TRY(record_and_apply("key.created", actor, key_subject(record), key_created_json(record)));
  return created;
}

Result<store::KeyRecord> Registry::revoke_key(std::string_view prefix_or_id,
                                              std::string_view actor) {
  const std::lock_guard lock(mutex_);
  auto existing = state_.keys();
  const auto found = std::ranges::find_if(existing, [prefix_or_id](const store::KeyRecord& key) {
    return key.prefix == prefix_or_id || key.id == prefix_or_id;
  });
  if (found == existing.end())
    return fail(ErrorCode::not_found, "no key has this prefix or id; list the keys to see them");
  if (!found->revoked.empty())
    return fail(ErrorCode::failed_precondition,
                "the key " + found->prefix + " is revoked already, since " + found->revoked);
  const std::string now = format_time(clock_.wall());
  GH_TRY(record_and_apply("key.revoked", actor, key_subject(*found),
                          json_object({{"id", found->id}, {"revoked", now}})));
  found->revoked = now;
  return std::move(*found);
}

Result<std::vector<store::KeyRecord>> Registry::list_keys() const {
  const std::lock_guard lock(mutex_);
  return state_.keys();
}

Result<store::ModelRecord> Registry::add_model(const NewModel& request, std::string_view actor) {
  GH_ASSIGN(store::ModelRecord model, checked_model(request, clock_.wall()));
  const std::lock_guard lock(mutex_);
  const auto existing = state_.models();
  if (std::ranges::any_of(existing, [&](const auto& other) { return other.name == model.name; }))
    return fail(ErrorCode::already_exists, "a model '" + model.name + "' is in service already");
  GH_TRY(
      record_and_apply("model.added", actor, model_subject(model.name), model_added_json(model)));
  return model;
}

Result<store::ModelRecord> Registry::remove_model(std::string_view name, std::string_view actor) {
  const std::lock_guard lock(mutex_);
  auto existing = state_.models();
  const auto found =
      std::ranges::find_if(existing, [name](const auto& model) { return model.name == name; });
  if (found == existing.end())
    return fail(ErrorCode::not_found, "no model of this name is in service");
  found->removed = format_time(clock_.wall());
  GH_TRY(record_and_apply("model.removed", actor, model_subject(name),
                          json_object({{"name", name}, {"removed", found->removed}})));
  return std::move(*found);
}

Result<std::vector<store::ModelRecord>> Registry::list_models() const {
  const std::lock_guard lock(mutex_);
  return state_.models();
}

Result<store::ToolRecord> Registry::review_tool(std::string_view server, std::string_view tool,
                                                std::string_view digest, std::string_view actor,
                                                std::string_view facts) {
  GH_TRY(check_printable(server, max_name_bytes, "the name of a server"));
  GH_TRY(check_printable(tool, max_name_bytes, "the name of a tool"));
  GH_TRY(check_printable(digest, max_name_bytes, "the digest of a tool"));
  store::ToolRecord record{std::string(server),        std::string(tool),  std::string(digest),
                           format_time(clock_.wall()), std::string(actor), ""};
  const std::lock_guard lock(mutex_);
  GH_TRY(record_and_apply("mcp.tool.reviewed", actor, tool_subject(record),
                          with_facts(json_object({{"server", server},
                                                  {"tool", tool},
                                                  {"digest", digest},
                                                  {"reviewed", record.reviewed},
                                                  {"reviewer", actor}}),
                                     facts)));
  return record;
}

Result<store::ToolRecord> Registry::tool_changed(std::string_view server, std::string_view tool,
                                                 std::string_view digest, std::string_view actor,
                                                 std::string_view facts) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(store::ToolRecord record, known_tool(server, tool));
  if (record.changed == digest) return record;
  if (record.changed == store::withdrawn_tool)
    return fail(ErrorCode::failed_precondition, "the tool was withdrawn");
  GH_TRY(record_and_apply("mcp.tool.changed", actor, tool_subject(record),
                          with_facts(json_object({{"server", server},
                                                  {"tool", tool},
                                                  {"digest", digest},
                                                  {"reviewed_digest", record.digest}}),
                                     facts)));
  record.changed = digest;
  return record;
}

Result<store::ToolRecord> Registry::withdraw_tool(std::string_view server, std::string_view tool,
                                                  std::string_view actor) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(store::ToolRecord record, known_tool(server, tool));
  if (record.changed == store::withdrawn_tool) return record;
  GH_TRY(record_and_apply("mcp.tool.withdrawn", actor, tool_subject(record),
                          json_object({{"server", server}, {"tool", tool}, {"kept", "1"}})));
  record.changed = store::withdrawn_tool;
  return record;
}

Result<store::ToolRecord> Registry::known_tool(std::string_view server,
                                               std::string_view tool) const {
  const auto& tools = state_.all_tools();
  const auto found = tools.find(std::string(server) + '/' + std::string(tool));
  if (found == tools.end()) return fail(ErrorCode::not_found, "no tool of this name was reviewed");
  return found->second;
}

std::vector<store::ToolRecord> Registry::list_tools() const {
  const std::lock_guard lock(mutex_);
  std::vector<store::ToolRecord> tools;
  for (const auto& [key, tool] : state_.all_tools()) tools.push_back(tool);
  return tools;
}

Result<void> Registry::revoke_token(std::string_view id, std::string_view actor) {
  GH_TRY(check_printable(id, max_name_bytes, "the id of a token"));
  const std::lock_guard lock(mutex_);
  if (state_.records().contains("revoked/token/" + std::string(id)))
    return fail(ErrorCode::failed_precondition, "the token is revoked already");
  GH_TRY(record_and_apply("token.revoked", actor, json_object({{"kind", "token"}, {"id", id}}),
                          json_object({{"id", id}, {"revoked", format_time(clock_.wall())}})));
  return {};
}

Result<void> Registry::suspend_principal(std::string_view principal, std::string_view actor) {
  GH_ASSIGN(const auto who, parse_principal(principal));
  const std::lock_guard lock(mutex_);
  if (state_.records().contains("revoked/principal/" + std::string(principal)))
    return fail(ErrorCode::failed_precondition, "the principal is suspended already");
  GH_TRY(record_and_apply(
      "principal.revoked", actor, json_object({{"kind", to_string(who.first)}, {"id", who.second}}),
      json_object({{"principal", principal}, {"revoked", format_time(clock_.wall())}})));
  return {};
}

Result<void> Registry::restore_principal(std::string_view principal, std::string_view actor) {
  GH_ASSIGN(const auto who, parse_principal(principal));
  const std::lock_guard lock(mutex_);
  if (!state_.records().contains("revoked/principal/" + std::string(principal)))
    return fail(ErrorCode::not_found, "the principal is not suspended");
  GH_TRY(record_and_apply(
      "principal.restored", actor,
      json_object({{"kind", to_string(who.first)}, {"id", who.second}}),
      json_object({{"principal", principal}, {"restored", format_time(clock_.wall())}})));
  return {};
}

Result<std::uint64_t> Registry::change(std::string_view type, std::string_view actor,
                                       std::string subject, std::string data) {
  const std::lock_guard lock(mutex_);
  return record_and_apply(type, actor, std::move(subject), std::move(data));
}

store::State Registry::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace gatehouse::identity
