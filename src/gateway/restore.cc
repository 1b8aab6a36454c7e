// See restore.h.
#include "gateway/restore.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/descriptor.h"
#include "base/id.h"
#include "base/json.h"
#include "base/os.h"
#include "base/text.h"
#include "gateway/control.h"
#include "gateway/witnessing.h"
#include "identity/identity.h"
#include "identity/reconcile.h"
#include "ledger/disk.h"
#include "ledger/event.h"
#include "ledger/verify.h"
#include "store/contents.h"
#include "store/store.h"

namespace gatehouse::gateway {
namespace {

using nlohmann::json;

constexpr const char* database_files[] = {"-wal", "-shm", ""};  // in the order of renaming

Result<std::unique_ptr<ledger::Ledger>> open_ledger(const Config& config,
                                                    const crypto::SigningKey& key,
                                                    const Clock& clock) {
  std::error_code error;
  std::filesystem::create_directories(config.data, error);
  if (error)
    return fail(ErrorCode::unavailable, "cannot make the data folder: " + error.message(),
                config.data.string());
  GH_ASSIGN(auto ledger, ledger::Ledger::open(ledger_options(config), key, clock));
  GH_TRY(ask_witnesses_before_start(config, *ledger));
  return ledger;
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(os_error(errno, "rename", from));
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle || ::fsync(handle.get()) != 0)
    return std::unexpected(os_error(errno, "sync", folder.string()));
  return {};
}

// "2026-11-25T20:24:35.123456Z" as a part of a file's name.
std::string time_in_name(WallTime time) {
  std::string text;
  for (const char c : format_time(time))
    if (c != '-' && c != ':' && c != '.') text += c;
  return text;
}

// How the old database stood to the ledger; only for the report.
void compare_old(const Config& config, const store::State& fold, Rebuilt& rebuilt) {
  const auto contents = store::read_contents(config.database());
  if (!contents) {
    rebuilt.before_problem = contents.error().describe();
    return;
  }
  rebuilt.before = store::compare(*contents, fold, std::nullopt);
}

Result<Rebuilt> rebuild_under_lock(const Config& config, ledger::Ledger& ledger,
                                   const crypto::Digest& key_hash, const Clock& clock,
                                   Random& random, bool keep_sessions) {
  const std::string target = config.database().string();
  const std::string fresh = target + ".new";
  std::error_code ignored;
  for (const char* suffix : database_files) std::filesystem::remove(fresh + suffix, ignored);
  Rebuilt rebuilt;
  const bool there = std::filesystem::exists(target, ignored);
  {
    GH_ASSIGN(const auto store, store::Store::open(fresh));
    identity::Registry registry(ledger, *store, key_hash, config.node, clock, random);
    GH_TRY(registry.catch_up(config.ledger_directory()));
    const store::State state = registry.state();
    rebuilt.entries = ledger.stats().size;
    rebuilt.keys = state.all_keys().size();
    rebuilt.models = state.models().size();
    if (there) compare_old(config, state, rebuilt);
    if (there && keep_sessions) {
      GH_ASSIGN(rebuilt.sessions, store->copy_sessions_from(target));
    }
  }  // closing merges the write-ahead log into the file
  if (there) {
    rebuilt.backup = target + ".before-" + time_in_name(clock.wall());
    for (const char* suffix : database_files)
      GH_TRY(rename_file(target + suffix, rebuilt.backup + suffix));
  }
  GH_TRY(rename_file(fresh, target));
  GH_TRY(sync_folder(config.data));
  return rebuilt;
}

// ---- carry over -----------------------------------------------------------------------------

struct OldLog {
  ledger::VerifyReport report;
  store::State state;
  std::uint64_t left_behind = 0;
};

Result<OldLog> read_old_log(const CarryOver& what, const crypto::SigningKey& own_key) {
  OldLog old;
  ledger::RealDisk disk;
  const std::string directory = what.old_ledger.string();
  ledger::VerifyOptions verify;
  verify.key = what.key;
  GH_ASSIGN(old.report, ledger::verify_log(disk, directory, verify));
  GH_ASSIGN(const auto key, ledger::parse_verifier_key(old.report.verifier_key));
  if (!what.key && key.key != own_key.public_key())
    return fail(ErrorCode::permission_denied,
                "the log is signed by another key than this deployment's (" +
                    old.report.verifier_key + "); if that is meant, name it with --key",
                directory);
  identity::LedgerFold fold(directory);
  GH_TRY(fold.advance(old.report.checkpoint.size));
  old.state = fold.state();
  const std::uint64_t events = fold.events();
  GH_TRY(fold.advance());
  old.left_behind = fold.events() - events;
  if (old.left_behind > 0 && !what.leave_unsigned)
    return fail(ErrorCode::failed_precondition,
                std::to_string(old.left_behind) +
                    " changes of keys or models stand behind the last signed checkpoint and would "
                    "be left behind; --leave-unsigned goes on without them, then make them again",
                directory);
  return old;
}

// The events that make this state, each saying where it was taken from.
std::vector<store::StateEvent> carried_events(const OldLog& old) {
  std::string from;
  JsonWriter writer(from);
  writer.begin_object().key("carried_over").begin_object();
  writer.key("log").string(old.report.verifier_key);
  writer.key("size").number(old.report.checkpoint.size);
  writer.key("root").string(to_base64(old.report.checkpoint.root));
  writer.end_object().end_object();
  auto events = store::events_of(old.state);
  for (auto& event : events) {
    event.data.back() = ',';  // one object goes on as the other; none is without members
    event.data += std::string_view(from).substr(1);
  }
  return events;
}

// How many of them the new log has already. Error: it has others.
Result<std::size_t> already_carried(const Config& config,
                                    const std::vector<store::StateEvent>& events) {
  std::size_t already = 0;
  identity::LedgerFold fold(config.ledger_directory());
  fold.on_event = [&](std::uint64_t, std::string_view entry) -> Result<void> {
    GH_ASSIGN(const auto event, store::state_event_in(entry));
    if (already == events.size() || event->type != events[already].type ||
        json::parse(event->data, nullptr, false) !=
            json::parse(events[already].data, nullptr, false))
      return fail(
          ErrorCode::already_exists,
          "the log has changes of keys or models of its own, so nothing can be carried over "
          "into it",
          config.ledger_directory().string());
    ++already;
    return {};
  };
  GH_TRY(fold.advance());
  return already;
}

std::string subject_of(const store::StateEvent& event) {
  const json data = json::parse(event.data);
  std::string out;
  JsonWriter writer(out);
  const bool key = event.type.starts_with("key.");
  writer.begin_object().key("kind").string(key ? "key" : "model");
  writer.key("id").string(data[key ? "id" : "name"].get<std::string>());
  if (data.contains("prefix")) writer.key("prefix").string(data["prefix"].get<std::string>());
  writer.end_object();
  return out;
}

Result<void> append_carried(ledger::Ledger& ledger, const store::StateEvent& carried,
                            const std::string& node, const std::string& actor, const Clock& clock,
                            Random& random) {
  ledger::Event event;
  event.time = clock.wall();
  event.id = make_uuid7(event.time, random);
  event.type = carried.type;
  event.node = node;
  JsonWriter writer(event.actor);
  writer.begin_object().key("kind").string("operator").key("id").string(actor).end_object();
  event.subject = subject_of(carried);
  event.data = carried.data;
  GH_ASSIGN(auto entry, ledger::serialize(event));
  GH_TRY(ledger.append_and_wait(std::move(entry)));
  return {};
}

}  // namespace

Result<Rebuilt> rebuild_database(const Config& config, const Clock& clock, Random& random,
                                 bool keep_sessions) {
  const auto keys = DeploymentKeys::derive(config.secret);
  GH_ASSIGN(const auto ledger, open_ledger(config, keys.log_key, clock));
  return rebuild_under_lock(config, *ledger, keys.key_hash, clock, random, keep_sessions);
}

Result<CarriedOver> carry_over(const Config& config, const Clock& clock, Random& random,
                               const CarryOver& what) {
  const auto keys = DeploymentKeys::derive(config.secret);
  std::error_code ignored;
  if (std::filesystem::equivalent(what.old_ledger, config.ledger_directory(), ignored))
    return fail(ErrorCode::invalid_argument,
                "the old log is the one that is configured; move it away first, and set another "
                "ledger.origin",
                what.old_ledger.string());
  GH_ASSIGN(const OldLog old, read_old_log(what, keys.log_key));
  GH_ASSIGN(const auto ledger, open_ledger(config, keys.log_key, clock));
  if (old.report.verifier_key == ledger->verifier_key())
    return fail(ErrorCode::failed_precondition,
                "the new log has the name of the old one; two logs of one name contradict each "
                "other: set another ledger.origin, in an empty ledger folder",
                what.old_ledger.string());
  const auto events = carried_events(old);
  CarriedOver carried;
  carried.log = old.report.verifier_key;
  carried.checkpoint = old.report.checkpoint;
  carried.left_behind = old.left_behind;
  GH_ASSIGN(carried.already, already_carried(config, events));
  for (std::size_t at = carried.already; at < events.size(); ++at)
    GH_TRY(append_carried(*ledger, events[at], config.node, what.actor, clock, random));
  carried.events = events.size() - carried.already;
  GH_ASSIGN(carried.database,
            rebuild_under_lock(config, *ledger, keys.key_hash, clock, random, what.keep_sessions));
  return carried;
}

}  // namespace gatehouse::gateway
