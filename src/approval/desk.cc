// See approval.h.
//
// Invariants
//   1. What is open is the fold of the ledger's approval events (store/change.cc); `open_` is the
//      same in memory. The folder holds only what approvers are shown: without a file there is
//      nothing to approve, and a file that somebody puts back approves nothing.
//   2. An approval is used by an event first. Where that breaks off it is lost, and nothing has
//   left.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "approval/approval.h"
#include "approval/record_text.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace gatehouse::approval {
namespace {

constexpr std::size_t longest_name = 1'000;  // of a server, a tool, a principal
constexpr std::size_t longest_note = 500;
constexpr std::string_view operator_prefix = "cli:";
constexpr std::string_view state_prefix = "approval/";

bool is_operator(std::string_view id) {
  return id.starts_with(operator_prefix);
}

bool has_role(const Approver& approver, const std::string& role) {
  return is_operator(approver.id) || approver.roles.contains(role);
}

bool is_met(const Record& record, const Quorum& quorum) {
  const auto counts = [&](const auto& one) {
    return is_operator(one.first) || one.second.contains(quorum.role);
  };
  return static_cast<std::size_t>(std::ranges::count_if(record.granted_by, counts)) >= quorum.count;
}

bool all_met(const Record& record, const std::vector<Quorum>& quorums) {
  return std::ranges::all_of(quorums, [&](const Quorum& one) { return is_met(record, one); });
}

bool asked_by(const Call& call, const std::string& who) {
  return call.principal == who || std::ranges::count(call.acts_for, who) > 0;
}

// A standing approval lets a call pass where whoever gave it could have approved the call.
bool covers(const Record& standing, const Call& call, const std::vector<Quorum>& quorums) {
  const bool matches =
      standing.standing && standing.call.server == call.server && standing.call.tool == call.tool &&
      (standing.call.principal == "*" || standing.call.principal == call.principal);
  const auto by_asker = [&](const auto& one) { return asked_by(call, one.first); };
  return matches && all_met(standing, quorums) &&
         std::ranges::none_of(standing.granted_by, by_asker);
}

std::unexpected<Error> not_found() {
  return fail(ErrorCode::not_found, "no open approval has this id; it may be used or expired");
}

Result<void> check_sizes(const Call& call) {
  std::size_t chain = 0;
  for (const auto& one : call.acts_for) chain += one.size();
  const bool fits = call.server.size() <= longest_name && call.tool.size() <= longest_name &&
                    call.principal.size() <= longest_name && chain <= 16 * longest_name &&
                    call.session.size() <= longest_name;
  if (fits && call.arguments.size() <= Desk::most_shown) return {};
  return fail(ErrorCode::invalid_argument, "the call is more than a person can be shown");
}

// Each part with its length in front, so that no two calls have one text.
std::string text_of(const Call& call) {
  std::string text;
  for (const std::string_view part :
       {std::string_view(call.server), std::string_view(call.tool),
        std::string_view(call.arguments), std::string_view(call.principal),
        std::string_view(call.session)})
    text += std::to_string(part.size()) + ":" + std::string(part);
  for (const auto& one : call.acts_for) text += std::to_string(one.size()) + ":" + one;
  return text;
}

// Of approvals that were asked for before digests were keyed.
std::string plain_digest_of(const Call& call) {
  return to_hex(crypto::sha256(bytes_of(text_of(call))));
}

std::string subject_of(const Record& record) {
  std::string subject;
  JsonWriter writer(subject);
  writer.begin_object().key("approval").string(record.id).end_object();
  return subject;
}

}  // namespace

std::string_view to_string(State state) {
  constexpr std::array<std::string_view, 6> names{"pending", "granted", "denied",
                                                  "used",    "expired", "withdrawn"};
  return names[static_cast<std::size_t>(state)];
}

std::string digest_of(const crypto::Digest& digest_key, const Call& call) {
  return "hmac-sha256:" + to_hex(crypto::hmac_sha256(digest_key, bytes_of(text_of(call))));
}

Desk::Desk(identity::Registry& registry, std::filesystem::path directory, const crypto::Digest& key,
           const Clock& clock, Random& random)
    : registry_(registry),
      directory_(std::move(directory)),
      key_(key),
      digest_key_(crypto::derive_key(key, "gatehouse/approval-digests/v1")),
      clock_(clock),
      random_(random) {}

Result<void> Desk::load() {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error)
    return fail(ErrorCode::unavailable, "cannot make the folder: " + error.message(),
                directory_.string());
  const auto state = registry_.state();
  const auto& records = state.records();
  for (auto one = records.lower_bound(state_prefix);
       one != records.end() && one->first.starts_with(state_prefix); ++one) {
    GH_ASSIGN(auto record, record_from(one->second));
    restore_arguments(record);
    std::string id = record.id;
    open_.insert_or_assign(std::move(id), std::move(record));
  }
  remove_orphans();
  return {};
}

// What cannot be read, or is not what the ledger has the digest of, is not shown to anybody.
void Desk::restore_arguments(Record& record) const {
  if (record.standing || record.state == State::denied) return;
  const auto sealed = read_file(directory_ / record.id, 4 * most_shown);
  if (!sealed) return;
  auto text = crypto::open_sealed(key_, bytes_of(*sealed), bytes_of(record.id));
  if (!text) return;
  record.call.arguments = std::move(*text);
  record.shown = record.digest == digest_of(digest_key_, record.call) ||
                 record.digest == plain_digest_of(record.call);
  if (!record.shown) record.call.arguments.clear();
}

void Desk::remove_orphans() const {
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(directory_, ignored)) {
    const auto name = file.path().filename().string();
    if (name.starts_with("ap_") && !open_.contains(name))
      std::filesystem::remove(file.path(), ignored);
  }
}

std::string Desk::new_id() {
  std::array<std::byte, 12> bytes{};
  random_.fill(bytes);
  return "ap_" + to_hex(bytes);
}

Result<void> Desk::record(std::string_view type, std::string_view actor, const Record& record,
                          std::string_view request) {
  GH_TRY(registry_.change(type, utf8_prefix(actor, 256), subject_of(record),
                          event_data(record, request)));
  return {};
}

Result<void> Desk::keep(const Record& record) {
  const auto sealed =
      crypto::seal(key_, bytes_of(record.call.arguments), bytes_of(record.id), random_);
  return write_file_atomically(directory_ / record.id, sealed, 0600);
}

void Desk::forget(const std::string& id) {
  std::error_code ignored;
  std::filesystem::remove(directory_ / id, ignored);
  open_.erase(id);
}

void Desk::expire(WallTime now) {
  std::vector<std::string> over;
  for (const auto& [id, record] : open_)
    if (record.expires <= now) over.push_back(id);
  for (const auto& id : over) {
    auto& record = open_.at(id);
    record.state = State::expired;
    // It is over whether it can be written or not; nothing passes by it.
    if (auto written = this->record("approval.expired", "gatehouse", record); !written)
      log_warning("the end of an approval could not be recorded",
                  {{"approval", id}, {"error", written.error().describe()}});
    forget(id);
  }
}

Result<Answer> Desk::ask(const Call& call, const std::vector<Quorum>& quorums,
                         std::chrono::milliseconds lifetime) {
  GH_TRY(check_sizes(call));
  const std::lock_guard lock(mutex_);
  const auto now = clock_.wall();
  expire(now);
  const auto digest = digest_of(digest_key_, call);
  const auto digest_before = plain_digest_of(call);
  const auto is_same_call = [&](const Record& one) {
    return one.digest == digest || one.digest == digest_before;
  };
  for (auto& [id, one] : open_) {
    if (one.standing || !is_same_call(one)) continue;
    if (one.state == State::denied) return Answer{Verdict::denied, id};
    if (one.state != State::granted) continue;
    // The policies of now may ask for more than those it was granted under.
    if (!all_met(one, quorums)) continue;
    Record used = one;
    used.state = State::used;
    forget(used.id);
    GH_TRY(record("approval.used", call.principal, used, call.request));
    return Answer{Verdict::approved, used.id};
  }
  for (auto& [id, one] : open_) {
    if (!covers(one, call, quorums)) continue;
    GH_TRY(record("approval.used", call.principal, one, call.request));
    return Answer{Verdict::approved, id};
  }
  for (const auto& [id, one] : open_)
    if (!one.standing && is_same_call(one) && one.quorums == quorums)
      return Answer{Verdict::waiting, id};
  const auto of_principal = std::ranges::count_if(
      open_, [&](const auto& one) { return one.second.call.principal == call.principal; });
  if (open_.size() >= most_open || static_cast<std::size_t>(of_principal) >= most_open_of_principal)
    return fail(ErrorCode::resource_exhausted, "too many calls wait for approval");
  Record request;
  request.id = new_id();
  request.digest = digest;
  request.call = call;
  request.shown = true;
  request.quorums = quorums;
  request.requested = now;
  request.expires = now + std::chrono::duration_cast<WallTime::duration>(lifetime);
  // First what people will be shown: without it nobody could decide. A file too many goes at start.
  GH_TRY(keep(request));
  GH_TRY(record("approval.requested", call.principal, request, {}));
  Answer answer{Verdict::waiting, request.id};
  open_.emplace(request.id, std::move(request));
  return answer;
}

std::vector<Record> Desk::list() {
  const std::lock_guard lock(mutex_);
  expire(clock_.wall());
  std::vector<Record> records;
  for (const auto& [id, record] : open_) records.push_back(record);
  return records;
}

Result<Record*> Desk::find(std::string_view id) {
  expire(clock_.wall());
  const auto found = open_.find(id);
  if (found == open_.end()) return not_found();
  return &found->second;
}

Result<Record> Desk::show(std::string_view id) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(const auto* const record, find(id));
  return *record;
}

// One that this approver may decide now.
Result<Record*> Desk::open_request(std::string_view id, const Approver& approver) {
  GH_ASSIGN(auto* const record, find(id));
  if (asked_by(record->call, approver.id))
    return fail(ErrorCode::permission_denied,
                "nobody approves what they asked for, nor what was asked in their name");
  if (record->standing || record->state == State::denied)
    return fail(ErrorCode::failed_precondition,
                record->standing
                    ? std::string("this is a standing approval; it can be withdrawn")
                    : "this approval is " + std::string(to_string(record->state)) + " already");
  if (!approver.link.empty() && record->links.contains(approver.link))
    return fail(ErrorCode::failed_precondition, "this link was used already");
  const bool may = std::ranges::any_of(
      record->quorums, [&](const Quorum& quorum) { return has_role(approver, quorum.role); });
  if (!may) return fail(ErrorCode::permission_denied, "the policy asks for another role");
  return record;
}

Result<Record> Desk::approve(std::string_view id, const Approver& approver) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(auto* const record, open_request(id, approver));
  if (record->state == State::granted)
    return fail(ErrorCode::failed_precondition, "this approval is granted already");
  if (record->granted_by.contains(approver.id))
    return fail(ErrorCode::failed_precondition,
                "you have approved this already; it waits for somebody else");
  if (!record->shown)
    return fail(ErrorCode::failed_precondition,
                "what this call would do can no longer be shown, so nobody can approve it");
  Record next = *record;
  auto& roles = next.granted_by[approver.id];
  for (const auto& quorum : next.quorums)
    if (has_role(approver, quorum.role)) roles.insert(quorum.role);
  next.note = utf8_prefix(approver.note, longest_note);
  if (!approver.link.empty()) next.links.insert(approver.link);
  if (all_met(next, next.quorums)) next.state = State::granted;
  GH_TRY(this->record("approval.granted", approver.id, next));
  *record = next;
  return next;
}

Result<Record> Desk::deny(std::string_view id, const Approver& approver) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(auto* const record, open_request(id, approver));
  Record next = *record;
  next.state = State::denied;
  next.denied_by = approver.id;
  next.note = utf8_prefix(approver.note, longest_note);
  if (!approver.link.empty()) next.links.insert(approver.link);
  GH_TRY(this->record("approval.denied", approver.id, next));
  // Nobody has to see any more what it would have done.
  std::error_code ignored;
  std::filesystem::remove(directory_ / next.id, ignored);
  next.call.arguments.clear();
  next.shown = false;
  *record = next;
  return next;
}

Result<Record> Desk::grant(std::string server, std::string tool, std::string principal,
                           std::chrono::milliseconds lifetime, const Approver& approver) {
  constexpr std::chrono::milliseconds longest{366LL * 24 * 3'600'000};
  if (tool.empty() || principal.empty() || lifetime <= std::chrono::milliseconds(0) ||
      lifetime > longest)
    return fail(ErrorCode::invalid_argument,
                "a standing approval has a tool, a principal and an end within a year");
  if (principal == approver.id)
    return fail(ErrorCode::permission_denied, "nobody approves their own calls");
  if (!is_operator(approver.id) && approver.roles.empty())
    return fail(ErrorCode::permission_denied, "the policy asks for another role");
  Record record;
  record.standing = true;
  record.call.server = std::move(server);
  record.call.tool = std::move(tool);
  record.call.principal = std::move(principal);
  GH_TRY(check_sizes(record.call));
  const std::lock_guard lock(mutex_);
  expire(clock_.wall());
  if (open_.size() >= most_open) return fail(ErrorCode::resource_exhausted, "too many approvals");
  record.id = new_id();
  record.requested = clock_.wall();
  record.expires = record.requested + std::chrono::duration_cast<WallTime::duration>(lifetime);
  record.state = State::granted;
  record.granted_by[approver.id] = approver.roles;
  record.note = utf8_prefix(approver.note, longest_note);
  GH_TRY(this->record("approval.standing", approver.id, record));
  open_.emplace(record.id, record);
  return record;
}

Result<Record> Desk::withdraw(std::string_view id, const Approver& approver) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(const auto* const found, find(id));
  if (!found->standing)
    return fail(ErrorCode::failed_precondition, "this is no standing approval; it can be denied");
  if (!is_operator(approver.id) && approver.roles.empty())
    return fail(ErrorCode::permission_denied, "the policy asks for another role");
  Record over = *found;
  over.state = State::withdrawn;
  GH_TRY(record("approval.withdrawn", approver.id, over));
  forget(over.id);
  return over;
}

}  // namespace gatehouse::approval
