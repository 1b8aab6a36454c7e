// See vault_keeper.h. An act that changes something goes: order on disk, event durable, carried
// out, order gone. A crash after the first step is made good by finish_unfinished().
#include "gateway/vault_keeper.h"

#include <algorithm>

#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/event.h"
#include "ledger/query.h"
#include "net/loop.h"

namespace gatehouse::gateway {
namespace {

using vault::Order;

constexpr std::size_t longest_reason = 1'024;
constexpr std::size_t longest_actor = 256;
constexpr std::string_view own_actor = "gateway";

std::string kind_and_id(std::string_view kind, std::string_view id) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("kind").string(kind);
  if (!id.empty()) writer.key("id").string(id);
  writer.end_object();
  return json;
}

std::string subject_of(const vault::RecordId& id) {
  return kind_and_id("record", vault::to_string(id));
}

void write_ids(JsonWriter& writer, const std::vector<vault::RecordId>& ids) {
  writer.key("records").begin_array();
  for (const auto& id : ids) writer.string(vault::to_string(id));
  writer.end_array();
}

std::string erase_json(const std::vector<vault::RecordId>& ids, const std::string& subject_hash,
                       std::string_view reason) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  write_ids(writer, ids);
  if (!subject_hash.empty()) writer.key("subject_hash").string(subject_hash);
  writer.key("reason").string(reason).end_object();
  return json;
}

std::string hold_json(const vault::Hold& hold, std::string_view reason) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("hold").string(hold.id);
  if (hold.by_subject) {
    writer.key("subject_hash").string(to_hex(hold.subject));
  } else {
    writer.key("record").string(vault::to_string(hold.record));
  }
  writer.key("since").string(hold.since).key("reason").string(reason).end_object();
  return json;
}

std::string segment_json(const vault::SegmentInfo& segment) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("segment").number(segment.number);
  writer.key("count").number(segment.records).key("bytes").number(segment.bytes);
  writer.key("created").string(format_time(segment.created));
  writer.key("latest").string(format_time(segment.latest)).end_object();
  return json;
}

Result<std::string> checked_reason(std::string_view reason) {
  if (trim(reason).empty() || reason.size() > longest_reason || !is_utf8(reason))
    return fail(ErrorCode::invalid_argument,
                "say why, in 1 to 1,024 bytes: the reason stands in the ledger");
  return std::string(reason);
}

}  // namespace

VaultKeeper::VaultKeeper(const Config& config, const crypto::Digest& derived_key,
                         ledger::Ledger& ledger, const Clock& clock, Random& random)
    : ledger_(ledger),
      ledger_directory_(config.ledger_directory()),
      node_(config.node),
      derived_(vault::WrappingKey::derive(text_of(derived_key))),
      clock_(clock),
      random_(random) {}

vault::KeyRing VaultKeeper::ring_of(const Config& config) const {
  vault::KeyRing ring;
  const auto& settings = config.vault;
  ring.current =
      settings.key.empty() ? derived_ : vault::WrappingKey::derive(settings.key.reveal());
  if (!settings.old_key.empty())
    ring.older.push_back(vault::WrappingKey::derive(settings.old_key.reveal()));
  ring.older.push_back(derived_);
  return ring;
}

Result<std::unique_ptr<VaultKeeper>> VaultKeeper::open(const Config& config,
                                                       const crypto::Digest& derived_key,
                                                       ledger::Ledger& ledger, const Clock& clock,
                                                       Random& random) {
  std::unique_ptr<VaultKeeper> keeper(new VaultKeeper(config, derived_key, ledger, clock, random));
  vault::Options options;
  options.directory = config.vault_directory().string();
  options.max_bytes = config.vault.max_bytes;
  options.segment_bytes = config.vault.segment_bytes;
  options.group_settled = net::Loop::wake_all;
  GH_ASSIGN(keeper->vault_,
            vault::Vault::open(std::move(options), keeper->ring_of(config), clock, random));
  GH_TRY(keeper->finish_unfinished());
  if (keeper->vault_->needs_rewrap()) {
    GH_ASSIGN(const auto count, keeper->rewrap_all(own_actor));
    log_info("every record of the vault is under the new key", {{"records", count}});
  }
  return keeper;
}

// ---- events ---------------------------------------------------------------------------------

Result<std::string> VaultKeeper::event(std::string_view type, std::string_view actor,
                                       std::string subject, std::string data, std::string& id) {
  ledger::Event event;
  event.id = id = make_uuid7(clock_, random_);
  event.time = clock_.wall();
  event.type = type;
  event.node = node_;
  event.actor = actor == own_actor
                    ? kind_and_id("gateway", node_)
                    : kind_and_id("operator", to_utf8(utf8_prefix(actor, longest_actor)));
  event.subject = std::move(subject);
  event.data = std::move(data);
  return ledger::serialize(event);
}

Result<void> VaultKeeper::record(std::string_view type, std::string_view actor, std::string subject,
                                 std::string data) {
  std::string id;
  GH_ASSIGN(auto entry, event(type, actor, std::move(subject), std::move(data), id));
  GH_TRY(ledger_.append_and_wait(std::move(entry)));
  return {};
}

// ---- orders ---------------------------------------------------------------------------------

Result<void> VaultKeeper::carry_out(const Order& order) {
  GH_TRY(finish_unfinished());
  GH_TRY(vault_->begin(order));
  if (auto recorded = ledger_.append_and_wait(order.event); !recorded) {
    // It never was. If even that cannot be noted, the next start records it and carries it out.
    (void)vault_->withdraw();
    return std::unexpected(recorded.error());
  }
  return vault_->finish(order);
}

Result<void> VaultKeeper::finish_unfinished() {
  const auto order = vault_->unfinished();
  if (!order) return {};
  const auto found = ledger::find_entry(ledger_directory_, order->event_id);
  if (!found && found.error().code != ErrorCode::not_found) return std::unexpected(found.error());
  if (!found) GH_TRY(ledger_.append_and_wait(order->event));
  GH_TRY(vault_->finish(*order));
  log_info("an interrupted order of the vault was carried out", {{"entry", order->event_id}});
  return {};
}

// ---- acts -----------------------------------------------------------------------------------

Result<vault::OpenedRecord> VaultKeeper::read(const vault::RecordId& id, vault::Which which,
                                              bool with_salt, std::string_view actor) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(auto opened, vault_->get(id, which));
  std::string data;
  JsonWriter writer(data);
  writer.begin_object().key("which").string(vault::to_string(which));
  writer.key("salt").boolean(with_salt).end_object();
  GH_TRY(record("vault.read", actor, subject_of(id), std::move(data)));
  return opened;
}

Result<std::vector<vault::RecordId>> VaultKeeper::find(std::string_view identifier,
                                                       std::string_view actor) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(const auto hash, vault_->subject(identifier));
  GH_ASSIGN(auto ids, vault_->find(hash));
  std::string data;
  JsonWriter writer(data);
  writer.begin_object().key("subject_hash").string(to_hex(hash));
  writer.key("count").number(ids.size()).end_object();
  GH_TRY(record("vault.searched", actor, kind_and_id("vault", ""), std::move(data)));
  return ids;
}

Result<VaultKeeper::Erased> VaultKeeper::erase(const std::vector<vault::RecordId>& ids,
                                               std::string_view reason, std::string_view actor) {
  const std::lock_guard lock(mutex_);
  std::vector<vault::RecordId> present;
  bool known = false;
  for (const auto& id : ids) {
    const auto infos = vault_->look(id);
    if (!infos && infos.error().code != ErrorCode::not_found) return std::unexpected(infos.error());
    known |= infos.has_value();
    if (infos && !std::ranges::all_of(*infos, &vault::RecordInfo::erased)) present.push_back(id);
  }
  if (present.empty())
    return fail(ErrorCode::not_found, known ? "it is erased already"
                                            : "the vault has nothing of it: it was not kept, or "
                                              "was pruned");
  return erase_all(std::move(present), "", reason, actor);
}

Result<VaultKeeper::Erased> VaultKeeper::erase_subject(std::string_view identifier,
                                                       std::string_view reason,
                                                       std::string_view actor) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(const auto hash, vault_->subject(identifier));
  GH_ASSIGN(auto ids, vault_->find(hash));
  if (ids.empty())
    return fail(ErrorCode::not_found, "no record in the vault has this identifier in it");
  return erase_all(std::move(ids), to_hex(hash), reason, actor);
}

Result<VaultKeeper::Erased> VaultKeeper::erase_all(std::vector<vault::RecordId> ids,
                                                   const std::string& subject_hash,
                                                   std::string_view reason,
                                                   std::string_view actor) {
  GH_ASSIGN(const auto why, checked_reason(reason));
  Erased done;
  GH_ASSIGN(done.held, vault_->held(ids));
  std::erase_if(ids, [&](const auto& id) { return std::ranges::count(done.held, id) > 0; });
  const auto part_of = [](const std::vector<vault::RecordId>& all, std::size_t at) {
    const auto end = std::min(all.size(), at + vault::max_erased_at_once);
    return std::vector(all.begin() + static_cast<std::ptrdiff_t>(at),
                       all.begin() + static_cast<std::ptrdiff_t>(end));
  };
  for (std::size_t at = 0; at < done.held.size(); at += vault::max_erased_at_once)
    GH_TRY(record("vault.refused", actor, kind_and_id("vault", ""),
                  erase_json(part_of(done.held, at), subject_hash, why)));
  for (std::size_t at = 0; at < ids.size(); at += vault::max_erased_at_once) {
    Order order;
    order.kind = Order::Kind::erase;
    order.records = part_of(ids, at);
    GH_ASSIGN(order.event, event("vault.erased", actor, kind_and_id("vault", ""),
                                 erase_json(order.records, subject_hash, why), order.event_id));
    GH_TRY(carry_out(order));
  }
  done.erased = std::move(ids);
  if (done.erased.empty())
    return fail(ErrorCode::failed_precondition,
                "it is under a legal hold, so nothing was erased; the attempt is in the ledger. "
                "`gatehouse vault holds` shows why, `gatehouse vault release` ends a hold");
  return done;
}

Result<vault::Hold> VaultKeeper::put_hold(vault::Hold hold, std::string_view reason,
                                          std::string_view actor) {
  GH_ASSIGN(hold.reason, checked_reason(reason));
  if (vault_->holds().size() >= vault::max_holds)
    return fail(ErrorCode::resource_exhausted, "there are 10,000 holds; release some first");
  hold.actor = utf8_prefix(actor, longest_actor);
  hold.since = format_time(clock_.wall());
  Order order;
  order.kind = Order::Kind::hold;
  hold.id = make_uuid7(clock_, random_);
  GH_ASSIGN(order.event, event("vault.held", actor, kind_and_id("hold", hold.id),
                               hold_json(hold, hold.reason), order.event_id));
  order.hold = hold;
  GH_TRY(carry_out(order));
  return hold;
}

Result<vault::Hold> VaultKeeper::hold(const vault::RecordId& id, std::string_view reason,
                                      std::string_view actor) {
  const std::lock_guard lock(mutex_);
  GH_TRY(vault_->look(id));  // a hold on what is not there would only be believed in
  vault::Hold hold;
  hold.record = id;
  return put_hold(std::move(hold), reason, actor);
}

Result<vault::Hold> VaultKeeper::hold_subject(std::string_view identifier, std::string_view reason,
                                              std::string_view actor) {
  const std::lock_guard lock(mutex_);
  vault::Hold hold;
  hold.by_subject = true;
  GH_ASSIGN(hold.subject, vault_->subject(identifier));
  return put_hold(std::move(hold), reason, actor);
}

Result<vault::Hold> VaultKeeper::release(std::string_view hold_id, std::string_view reason,
                                         std::string_view actor) {
  const std::lock_guard lock(mutex_);
  GH_ASSIGN(const auto why, checked_reason(reason));
  const auto holds = vault_->holds();
  const auto hold = std::ranges::find(holds, hold_id, &vault::Hold::id);
  if (hold == holds.end())
    return fail(ErrorCode::not_found, "there is no such hold; `gatehouse vault holds` lists them");
  Order order;
  order.kind = Order::Kind::release;
  order.hold = *hold;
  GH_ASSIGN(order.event, event("vault.released", actor, kind_and_id("hold", hold->id),
                               hold_json(*hold, why), order.event_id));
  GH_TRY(carry_out(order));
  return *hold;
}

Result<std::uint64_t> VaultKeeper::rewrap(const Config& config, std::string_view actor) {
  const std::lock_guard lock(mutex_);
  auto ring = ring_of(config);
  if (ring.find(vault_->key_of_identity()) == nullptr)
    return fail(ErrorCode::failed_precondition,
                "the key in force is not among vault.key and vault.old_key of the configuration: "
                "set it as vault.old_key");
  if (ring.current.id == vault_->key_of_identity())
    return fail(ErrorCode::failed_precondition,
                "every record is under vault.key already: set a new vault.key, and the present "
                "one as vault.old_key, then run this again");
  vault_->use(std::move(ring));
  return rewrap_all(actor);
}

Result<std::uint64_t> VaultKeeper::rewrap_all(std::string_view actor) {
  const auto from = to_hex(vault_->key_of_identity());
  GH_ASSIGN(const auto count, vault_->rewrap());
  std::string data;
  JsonWriter writer(data);
  writer.begin_object().key("from_key").string(from);
  writer.key("to_key").string(to_hex(vault_->key_in_force()));
  writer.key("count").number(count).end_object();
  GH_TRY(record("vault.rewrapped", actor, kind_and_id("vault", ""), std::move(data)));
  GH_TRY(vault_->settle_rewrap());
  return count;
}

Result<void> VaultKeeper::keep_up(std::chrono::milliseconds retention) {
  const std::lock_guard lock(mutex_);
  vault_->keep_up();
  GH_TRY(finish_unfinished());
  GH_ASSIGN(const auto old, vault_->prunable(clock_.wall() - retention));
  for (const auto& segment : old) {
    Order order;
    order.kind = Order::Kind::prune;
    order.segment = segment.number;
    GH_ASSIGN(order.event, event("vault.pruned", own_actor, kind_and_id("vault", ""),
                                 segment_json(segment), order.event_id));
    GH_TRY(carry_out(order));
    log_info("a segment of the vault was pruned",
             {{"segment", segment.number}, {"records", segment.records}});
  }
  return {};
}

}  // namespace gatehouse::gateway
