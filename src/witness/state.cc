#include "witness/state.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/log.h"
#include "base/text.h"
#include "ledger/checkpoint.h"

namespace gatehouse::witness {

namespace {

using ledger::CosignerKey;
using ledger::Disk;
using ledger::File;
using ledger::VerifierKey;

constexpr std::string_view known_title = "gatehouse witness, known logs, v1\n";
constexpr std::size_t max_known_bytes = 1u << 20;
constexpr std::string_view way_out = "; see docs/witness.md, \"When the state is damaged or lost\"";

// The logs that were ever cosigned, and a MAC that nobody without the secret can make.
std::string known_file(const std::vector<std::string>& hashes, const crypto::Digest& key) {
  std::string out(known_title);
  for (const std::string& hash : hashes) out += hash + '\n';
  return out + "mac " + to_hex(crypto::hmac_sha256(key, bytes_of(out))) + '\n';
}

Result<std::vector<std::string>> parse_known(std::string_view text, const crypto::Digest& key) {
  std::vector<std::string> hashes;
  std::string_view rest = text;
  if (rest.starts_with(known_title)) rest.remove_prefix(known_title.size());
  constexpr std::size_t line_bytes = 65;
  while (rest.size() > line_bytes && rest[line_bytes - 1] == '\n' && !rest.starts_with("mac ")) {
    hashes.emplace_back(rest.substr(0, line_bytes - 1));
    rest.remove_prefix(line_bytes);
  }
  const std::string expected = known_file(hashes, key);
  if (crypto::equal_constant_time(bytes_of(expected), bytes_of(text))) return hashes;
  return fail(ErrorCode::data_loss, "the list of known logs was changed, or the secret is another");
}

bool is_origin_hash(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<void> write_synced(Disk& disk, const std::string& path, std::string_view bytes) {
  GH_ASSIGN(const File file, File::open(disk, path, O_WRONLY | O_CREAT | O_TRUNC));
  GH_TRY(file.write_at(bytes_of(bytes), 0));
  return file.fsync();
}

// A signature by one of the keys that does not hold. One by a key that is no longer listed is well.
bool claims_and_fails(const ledger::Note& note, const std::vector<VerifierKey>& keys) {
  const bool claimed = std::ranges::any_of(note.signatures, [&](const auto& signature) {
    return std::ranges::any_of(keys, [&](const VerifierKey& key) {
      return key.name == signature.name && key.id == signature.key_id;
    });
  });
  return claimed && !ledger::verify_note(note, keys);
}

WitnessAnswer refusal(int status, std::string reason) {
  WitnessAnswer answer;
  answer.status = status;
  answer.body = reason + '\n';
  answer.reason = std::move(reason);
  return answer;
}

}  // namespace

WitnessIdentity WitnessIdentity::derive(std::string_view name, const Secret& secret) {
  const auto bytes = bytes_of(secret.reveal());
  const auto signing = crypto::SigningKey::from_seed(
      crypto::derive_key(bytes, "gatehouse/witness-cosigning/v1/" + std::string(name)));
  return {
      .cosigner = ledger::make_cosigner_key(name, signing.public_key()),
      .signing = signing,
      .state_key = crypto::derive_key(bytes, "gatehouse/witness-state/v1/" + std::string(name))};
}

Result<void> WitnessState::create(Disk& disk, const std::string& directory,
                                  const WitnessIdentity& identity) {
  GH_ASSIGN(const auto items, ledger::list_directory(disk, directory));
  if (!items.empty()) {
    return fail(ErrorCode::already_exists,
                "the folder is not empty; a witness begins with an empty one", directory);
  }
  for (const char* name : {"", "/logs", "/tmp"}) {
    GH_TRY(ledger::make_directories(disk, directory + name));
  }
  GH_TRY(write_synced(disk, directory + "/known", known_file({}, identity.state_key)));
  // The identity is last: a folder that has one is whole.
  const std::string temporary = directory + "/tmp/witness.vkey";
  GH_TRY(write_synced(disk, temporary, to_string(identity.cosigner) + '\n'));
  if (const int result = disk.rename(temporary, directory + "/witness.vkey"); result < 0) {
    return std::unexpected(ledger::disk_error(result, "rename", directory + "/witness.vkey"));
  }
  GH_TRY(ledger::sync_directory(disk, directory));
  return ledger::sync_directory(disk, ledger::parent_directory(directory));
}

WitnessState::WitnessState(Disk& disk, std::string directory, WitnessIdentity identity,
                           std::vector<VerifierKey> logs, const Clock& clock)
    : disk_(disk),
      directory_(std::move(directory)),
      identity_(std::move(identity)),
      logs_(std::move(logs)),
      clock_(clock) {}

Result<std::unique_ptr<WitnessState>> WitnessState::open(Disk& disk, std::string directory,
                                                         WitnessIdentity identity,
                                                         std::vector<VerifierKey> logs,
                                                         const Clock& clock) {
  std::unique_ptr<WitnessState> state(
      new WitnessState(disk, std::move(directory), std::move(identity), std::move(logs), clock));
  GH_TRY(state->check_identity());
  GH_TRY(state->take_lock());
  GH_TRY(state->empty_temporary());
  GH_TRY(state->read_known());
  GH_TRY(state->read_logs());
  return state;
}

Result<void> WitnessState::check_identity() const {
  const std::string mine = to_string(identity_.cosigner) + '\n';
  const auto stored = ledger::read_whole(disk_, path("witness.vkey"), 4096);
  if (stored && *stored == mine) return {};
  if (stored) {
    return fail(ErrorCode::failed_precondition,
                fmt::format("the folder belongs to the witness {}; configured are name and secret "
                            "of {}. One witness has one key and one folder",
                            printable(trim(*stored)), trim(mine)),
                path("witness.vkey"));
  }
  if (stored.error().code != ErrorCode::not_found) return std::unexpected(stored.error());
  return fail(ErrorCode::failed_precondition,
              "there is no witness in this folder. A new witness is made with `gatehouse witness "
              "init`; a witness whose folder was lost must not go on under its old key" +
                  std::string(way_out),
              path("witness.vkey"));
}

Result<void> WitnessState::take_lock() {
  GH_ASSIGN(lock_, File::open(disk_, path("lock"), O_RDWR | O_CREAT));
  GH_ASSIGN(const bool locked, ledger::take_exclusive_lock(disk_, *lock_));
  if (locked) return {};
  return fail(ErrorCode::failed_precondition, "another witness runs on this folder; stop it first",
              path("lock"));
}

Result<void> WitnessState::empty_temporary() const {
  GH_TRY(ledger::make_directory(disk_, path("tmp")));
  GH_ASSIGN(const auto items, ledger::list_directory(disk_, path("tmp")));
  for (const auto& item : items) {
    const std::string file = path("tmp/" + item.name);
    if (const int result = disk_.unlink(file); result < 0) {
      return std::unexpected(ledger::disk_error(result, "unlink", file));
    }
  }
  return {};
}

Result<void> WitnessState::read_known() {
  const auto text = ledger::read_whole(disk_, path("known"), max_known_bytes);
  if (!text && text.error().code != ErrorCode::not_found) return std::unexpected(text.error());
  if (!text) {
    return fail(ErrorCode::data_loss, "the list of known logs is missing" + std::string(way_out),
                path("known"));
  }
  auto known = parse_known(*text, identity_.state_key);
  if (!known) {
    return fail(known.error().code, known.error().message + std::string(way_out), path("known"));
  }
  known_ = std::move(*known);
  return {};
}

Result<void> WitnessState::read_logs() {
  for (const std::string& hash : known_) {
    GH_ASSIGN(auto stored, read_stored(hash));
    stored_.emplace(hash, std::move(stored));
  }
  GH_ASSIGN(const auto items, ledger::list_directory(disk_, path("logs")));
  for (const auto& item : items) {
    if (stored_.contains(item.name)) continue;
    if (!is_origin_hash(item.name)) {
      return fail(ErrorCode::data_loss, "this does not belong here", path("logs/" + item.name));
    }
    // Its first checkpoint was stored, and the process died before the list was.
    GH_ASSIGN(auto stored, read_stored(item.name));
    known_.push_back(item.name);
    GH_TRY(write("known", known_file(known_, identity_.state_key)));
    stored_.emplace(item.name, std::move(stored));
  }
  return {};
}

// Our own cosignature is the seal: what it does not cover was not written by this witness.
Result<WitnessState::Stored> WitnessState::read_stored(const std::string& hash) const {
  const std::string file = path("logs/" + hash);
  const auto damaged = [&](const std::string& why) {
    return fail(ErrorCode::data_loss, why + std::string(way_out), file);
  };
  auto bytes = ledger::read_whole(disk_, file, ledger::max_note_bytes);
  if (!bytes && bytes.error().code == ErrorCode::not_found) {
    return damaged("the last checkpoint of a log that was cosigned before is missing");
  }
  if (!bytes) return std::unexpected(std::move(bytes).error());
  const auto note = ledger::parse_note(*bytes);
  if (!note) return damaged(note.error().message);
  const auto held = ledger::verify_cosignatures(*note, std::span(&identity_.cosigner, 1));
  if (!held) return damaged(held.error().message);
  if (held->empty()) return damaged("this witness has not cosigned it");
  const auto checkpoint = ledger::parse_checkpoint(note->text);
  if (!checkpoint) return damaged(checkpoint.error().message);
  if (ledger::origin_hash(checkpoint->origin) != hash) {
    return damaged("it is of another log, " + printable(checkpoint->origin));
  }
  if (claims_and_fails(*note, keys_of(checkpoint->origin))) {
    return damaged("the signature by the log does not hold");
  }
  return Stored{.head = {.size = checkpoint->size, .root = checkpoint->root},
                .note = std::move(*bytes)};
}

// A file whose bytes could not be written leaves the old one in place. Once the name is in
// question, only a restart can tell what is on the disk.
Result<void> WitnessState::write(const std::string& name, std::string_view bytes) {
  const std::string target = path(name);
  const std::string temporary = path("tmp/next");
  GH_TRY(write_synced(disk_, temporary, bytes));
  if (const int result = disk_.rename(temporary, target); result < 0) {
    failed_ = true;
    return std::unexpected(ledger::disk_error(result, "rename", target));
  }
  auto synced = ledger::sync_directory(disk_, ledger::parent_directory(target));
  if (!synced) failed_ = true;
  return synced;
}

Result<void> WitnessState::store(const std::string& hash, Stored next) {
  GH_TRY(write("logs/" + hash, next.note));
  const bool is_new = !stored_.contains(hash);
  stored_.insert_or_assign(hash, std::move(next));
  if (!is_new) return {};
  known_.push_back(hash);
  auto listed = write("known", known_file(known_, identity_.state_key));
  if (!listed) failed_ = true;
  return listed;
}

std::vector<VerifierKey> WitnessState::keys_of(std::string_view origin) const {
  std::vector<VerifierKey> keys;
  std::ranges::copy_if(logs_, std::back_inserter(keys),
                       [&](const VerifierKey& key) { return key.name == origin; });
  return keys;
}

WitnessAnswer WitnessState::add_checkpoint(std::string_view body) {
  const auto request = ledger::parse_add_checkpoint(body);
  if (!request) return refusal(400, request.error().message);
  const auto origin = ledger::origin_of(*request);
  if (!origin) return refusal(400, origin.error().message);
  const std::string hash = ledger::origin_hash(*origin);

  const std::scoped_lock lock(mutex_);
  if (failed_) return refusal(500, "the witness' disk has failed; it has to be started again");
  const auto found = stored_.find(hash);
  const ledger::WitnessedHead latest =
      found == stored_.end() ? ledger::WitnessedHead{} : found->second.head;
  auto verdict = ledger::judge_add_checkpoint(*request, keys_of(*origin), latest);
  WitnessAnswer answer = refusal(verdict.status, verdict.reason);
  answer.origin = *origin;
  answer.size = verdict.checkpoint.size;
  if (verdict.status == 409) {
    answer.content_type = ledger::known_size_type;
    answer.body = ledger::known_size_body(latest.size);
  }
  if (verdict.status != 200) return answer;

  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch());
  ledger::Note note{.text = to_string(verdict.checkpoint),
                    .signatures = std::move(verdict.log_signatures)};
  note.signatures.push_back(ledger::cosign(note.text, static_cast<std::uint64_t>(now.count()),
                                           identity_.cosigner, identity_.signing));
  Stored next{.head = {.size = verdict.checkpoint.size, .root = verdict.checkpoint.root},
              .note = to_string(note)};
  if (const auto stored = store(hash, std::move(next)); !stored) {
    log_error("witness: the state cannot be stored; nothing was cosigned",
              {{"detail", stored.error().describe()}});
    return refusal(500, "the witness cannot store its state");
  }
  answer.body = to_string(note.signatures.back());
  return answer;
}

std::optional<std::string> WitnessState::latest(std::string_view origin_hash) const {
  const std::scoped_lock lock(mutex_);
  const auto found = stored_.find(origin_hash);
  if (found == stored_.end()) return std::nullopt;
  return found->second.note;
}

std::size_t WitnessState::known_logs() const {
  const std::scoped_lock lock(mutex_);
  return stored_.size();
}

}  // namespace gatehouse::witness
