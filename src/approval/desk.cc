// See approval.h.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "approval/approval.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/event.h"

namespace gatehouse::approval {
namespace {

using nlohmann::json;

constexpr std::size_t most_shown = 256 << 10;  // bytes of arguments that are kept for the approver
constexpr std::string_view operator_prefix = "cli:";

bool is_operator(const Approver& approver) {
  return approver.id.starts_with(operator_prefix);
}

bool has_role(const Approver& approver, const std::string& role) {
  return is_operator(approver) || approver.roles.contains(role);
}

std::string to_text(const Record& record) {
  json quorums = json::array();
  for (const auto& one : record.quorums)
    quorums.push_back({{"role", one.role}, {"count", one.count}});
  return json{{"id", record.id},
              {"standing", record.standing},
              {"digest", record.digest},
              {"server", record.call.server},
              {"tool", record.call.tool},
              {"arguments", record.call.arguments.substr(0, most_shown)},
              {"principal", record.call.principal},
              {"acts_for", record.call.acts_for},
              {"session", record.call.session},
              {"request", record.call.request},
              {"reason", record.call.reason},
              {"quorums", std::move(quorums)},
              {"requested", format_time(record.requested)},
              {"expires", format_time(record.expires)},
              {"state", std::string(to_string(record.state))},
              {"granted_by", record.granted_by}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Record> from_text(const std::string& text) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return fail(ErrorCode::data_loss, "not JSON");
  try {
    Record record;
    record.id = parsed.at("id");
    record.standing = parsed.at("standing");
    record.digest = parsed.at("digest");
    record.call.server = parsed.at("server");
    record.call.tool = parsed.at("tool");
    record.call.arguments = parsed.at("arguments");
    record.call.principal = parsed.at("principal");
    record.call.acts_for = parsed.at("acts_for").get<std::vector<std::string>>();
    record.call.session = parsed.at("session");
    record.call.request = parsed.at("request");
    record.call.reason = parsed.at("reason");
    for (const auto& one : parsed.at("quorums"))
      record.quorums.push_back({one.at("role"), one.at("count")});
    GH_ASSIGN(record.requested, parse_time(parsed.at("requested").get<std::string>()));
    GH_ASSIGN(record.expires, parse_time(parsed.at("expires").get<std::string>()));
    const std::string state = parsed.at("state");
    for (const auto one : {State::pending, State::granted})
      if (state == to_string(one)) record.state = one;
    record.granted_by = parsed.at("granted_by").get<std::set<std::string>>();
    return record;
  } catch (const json::exception& error) {
    return fail(ErrorCode::data_loss, error.what());
  }
}

std::string event_data(const Record& record, std::string_view request) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("approval").string(record.id);
  writer.key("server").string(record.call.server);
  writer.key("tool").string(utf8_prefix(record.call.tool, 256));
  writer.key("principal").string(utf8_prefix(record.call.principal, 256));
  if (!record.digest.empty()) writer.key("digest").string(record.digest);
  if (!request.empty()) writer.key("request").string(request);
  writer.key("quorums").begin_array();
  for (const auto& one : record.quorums)
    writer.begin_object().key("role").string(one.role).key("count").number(one.count).end_object();
  writer.end_array();
  writer.key("expires").string(format_time(record.expires));
  writer.key("state").string(to_string(record.state)).end_object();
  return out;
}

bool is_met(const Record& record, const Quorum& quorum,
            const std::map<std::string, std::set<std::string>, std::less<>>& roles) {
  const auto counts = [&](const std::string& who) {
    if (who.starts_with(operator_prefix)) return true;
    const auto found = roles.find(who);
    return found != roles.end() && found->second.contains(quorum.role);
  };
  return static_cast<std::size_t>(std::ranges::count_if(record.granted_by, counts)) >= quorum.count;
}

}  // namespace

std::string_view to_string(State state) {
  constexpr std::array<std::string_view, 5> names{"pending", "granted", "denied", "used",
                                                  "expired"};
  return names[static_cast<std::size_t>(state)];
}

std::string digest_of(const Call& call) {
  std::string text;
  for (const std::string_view part :
       {std::string_view(call.server), std::string_view(call.tool),
        std::string_view(call.arguments), std::string_view(call.principal),
        std::string_view(call.session)})
    text += std::to_string(part.size()) + ":" + std::string(part);
  for (const auto& one : call.acts_for) text += std::to_string(one.size()) + ":" + one;
  return to_hex(crypto::sha256(bytes_of(text)));
}

Desk::Desk(ledger::Ledger& ledger, std::filesystem::path directory, const crypto::Digest& key,
           std::string node, const Clock& clock, Random& random)
    : ledger_(ledger),
      directory_(std::move(directory)),
      key_(key),
      node_(std::move(node)),
      clock_(clock),
      random_(random) {}

Result<void> Desk::load() {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error)
    return fail(ErrorCode::unavailable, "cannot make the folder: " + error.message(),
                directory_.string());
  for (const auto& file : std::filesystem::directory_iterator(directory_, error)) {
    const auto name = file.path().filename().string();
    if (!name.starts_with("ap_")) continue;
    GH_ASSIGN(const auto sealed, read_file(file.path(), 4 * most_shown));
    GH_ASSIGN(const auto text, crypto::open_sealed(key_, bytes_of(sealed), bytes_of(name)));
    GH_ASSIGN(auto record, from_text(text));
    open_.emplace(record.id, std::move(record));
  }
  if (error)
    return fail(ErrorCode::unavailable, "cannot read the folder: " + error.message(),
                directory_.string());
  return {};
}

std::string Desk::new_id() {
  std::array<std::byte, 12> bytes{};
  random_.fill(bytes);
  return "ap_" + to_hex(bytes);
}

Result<void> Desk::record(std::string_view type, std::string_view actor, const Record& record,
                          std::string_view request) {
  ledger::Event event;
  event.id = make_uuid7(clock_, random_);
  event.time = clock_.wall();
  event.type = type;
  event.node = node_;
  JsonWriter who(event.actor);
  who.begin_object().key("id").string(utf8_prefix(actor, 256)).end_object();
  JsonWriter what(event.subject);
  what.begin_object().key("approval").string(record.id).end_object();
  event.data = event_data(record, request);
  GH_ASSIGN(auto entry, ledger::serialize(event));
  GH_TRY(ledger_.append_and_wait(std::move(entry)));
  return {};
}

Result<void> Desk::keep(const Record& record) {
  const auto sealed = crypto::seal(key_, bytes_of(to_text(record)), bytes_of(record.id), random_);
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
  const std::lock_guard lock(mutex_);
  const auto now = clock_.wall();
  expire(now);
  const auto digest = digest_of(call);
  for (auto& [id, one] : open_) {
    const bool covers = one.standing && one.call.server == call.server &&
                        one.call.tool == call.tool &&
                        (one.call.principal == "*" || one.call.principal == call.principal);
    if (covers) {
      GH_TRY(record("approval.used", call.principal, one, call.request));
      return Answer{Verdict::approved, id};
    }
    if (one.standing || one.digest != digest) continue;
    if (one.state == State::denied) return Answer{Verdict::denied, id};
    if (one.state == State::pending) return Answer{Verdict::waiting, id};
    // Used once: gone first, then recorded, then the call leaves. Where that breaks off, the
    // approval is lost and nothing has left.
    Record used = one;
    used.state = State::used;
    forget(used.id);
    GH_TRY(record("approval.used", call.principal, used, call.request));
    return Answer{Verdict::approved, used.id};
  }
  const auto of_principal = std::ranges::count_if(
      open_, [&](const auto& one) { return one.second.call.principal == call.principal; });
  if (open_.size() >= most_open || static_cast<std::size_t>(of_principal) >= most_open_of_principal)
    return fail(ErrorCode::resource_exhausted, "too many calls wait for approval");
  Record request;
  request.id = new_id();
  request.digest = digest;
  request.call = call;
  request.quorums = quorums;
  request.requested = now;
  request.expires = now + std::chrono::duration_cast<WallTime::duration>(lifetime);
  GH_TRY(record("approval.requested", call.principal, request, call.request));
  GH_TRY(keep(request));
  const Answer answer{Verdict::waiting, request.id};
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

Result<Record> Desk::show(std::string_view id) {
  const std::lock_guard lock(mutex_);
  expire(clock_.wall());
  const auto found = open_.find(id);
  if (found == open_.end())
    return fail(ErrorCode::not_found, "no open approval has this id; it may be used or expired");
  return found->second;
}

Result<Record*> Desk::open_request(std::string_view id, const Approver& approver) {
  expire(clock_.wall());
  const auto found = open_.find(id);
  if (found == open_.end())
    return fail(ErrorCode::not_found, "no open approval has this id; it may be used or expired");
  auto& record = found->second;
  const bool asked = record.call.principal == approver.id ||
                     std::ranges::count(record.call.acts_for, approver.id) > 0;
  if (asked)
    return fail(ErrorCode::permission_denied,
                "nobody approves what they asked for, nor what was asked in their name");
  if (record.standing || record.state == State::denied || record.state == State::granted)
    return fail(ErrorCode::failed_precondition,
                "this approval is " + std::string(to_string(record.state)) + " already");
  const bool may = std::ranges::any_of(
      record.quorums, [&](const Quorum& quorum) { return has_role(approver, quorum.role); });
  if (!may) return fail(ErrorCode::permission_denied, "the policy asks for another role");
  return &record;
}

Result<Record> Desk::approve(std::string_view id, const Approver& approver) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(auto* const record, open_request(id, approver));
  Record next = *record;
  next.granted_by.insert(approver.id);
  // Roles are known of who decides now; who decided before had one of those that are asked for.
  std::map<std::string, std::set<std::string>, std::less<>> roles;
  for (const auto& who : next.granted_by) {
    for (const auto& quorum : next.quorums)
      if (who != approver.id || has_role(approver, quorum.role)) roles[who].insert(quorum.role);
  }
  const bool all = std::ranges::all_of(
      next.quorums, [&](const Quorum& quorum) { return is_met(next, quorum, roles); });
  if (all) next.state = State::granted;
  GH_TRY(this->record("approval.granted", approver.id, next));
  GH_TRY(keep(next));
  *record = next;
  return next;
}

Result<Record> Desk::deny(std::string_view id, const Approver& approver) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(auto* const record, open_request(id, approver));
  Record next = *record;
  next.state = State::denied;
  next.denied_by = approver.id;
  GH_TRY(this->record("approval.denied", approver.id, next));
  // Until it expires the same call is refused; after a restart it may be asked for again.
  std::error_code ignored;
  std::filesystem::remove(directory_ / next.id, ignored);
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
  const std::lock_guard lock(mutex_);
  expire(clock_.wall());
  if (open_.size() >= most_open) return fail(ErrorCode::resource_exhausted, "too many approvals");
  Record record;
  record.id = new_id();
  record.standing = true;
  record.call.server = std::move(server);
  record.call.tool = std::move(tool);
  record.call.principal = std::move(principal);
  record.requested = clock_.wall();
  record.expires = record.requested + std::chrono::duration_cast<WallTime::duration>(lifetime);
  record.state = State::granted;
  record.granted_by.insert(approver.id);
  GH_TRY(this->record("approval.standing", approver.id, record));
  GH_TRY(keep(record));
  open_.emplace(record.id, record);
  return record;
}

}  // namespace gatehouse::approval
