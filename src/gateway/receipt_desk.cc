#include "gateway/receipt_desk.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/checkpoint_view.h"

namespace gatehouse::gateway {
namespace {

using ledger::CheckpointView;
using ledger::FoundEntry;

constexpr std::size_t threads = 2;
constexpr std::size_t most_waiting = 256;
// How far behind its decision an outcome is looked for; less far behind a recent one, whose outcome
// would be known if there were one.
constexpr std::uint64_t outcome_distance = 65'536;
constexpr std::uint64_t recent_outcome_distance = 4'096;

// Whether the entry is about a call of this principal.
bool is_of(std::string_view entry, const std::string& principal) {
  const auto json = nlohmann::json::parse(entry, nullptr, false);
  if (!json.is_object() || !json.contains("actor")) return false;
  const auto& actor = json["actor"];
  const auto member = [&](const char* name) {
    const auto found = actor.find(name);
    return found != actor.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!actor.is_object()) return false;
  const std::string kind = member("kind");
  return !kind.empty() && kind + ':' + member("id") == principal;
}

Result<std::optional<FoundEntry>> entry_at(CheckpointView& view, std::uint64_t index,
                                           std::string_view id) {
  if (index >= view.checkpoint().size) return std::nullopt;
  GH_ASSIGN(auto entry, view.entry(index));
  if (ledger::id_of(entry) != id) return std::nullopt;
  return FoundEntry{.index = index, .entry = std::move(entry)};
}

Result<std::optional<FoundEntry>> find_outcome(CheckpointView& view, const WantedReceipt& wanted,
                                               const FoundEntry& decision) {
  if (wanted.outcome) {
    GH_ASSIGN(auto known, entry_at(view, wanted.outcome->index, to_string(wanted.outcome->id)));
    return known;
  }
  if (!decision.entry.contains("\"type\":\"request.decided\"") ||
      !decision.entry.contains("\"effect\":\"permit\""))
    return std::nullopt;
  const std::string names_it = "\"data\":{\"decision\":\"" + to_string(wanted.id) + '"';
  return view.find_from(decision.index + 1,
                        wanted.index ? recent_outcome_distance : outcome_distance,
                        [&](std::string_view entry) { return entry.contains(names_it); });
}

Result<void> write_entry(JsonWriter& writer, CheckpointView& view, const FoundEntry& found) {
  GH_ASSIGN(const auto receipt, view.prove(found.index));
  writer.key("id").string(ledger::id_of(found.entry)).key("index").number(found.index);
  if (is_utf8(found.entry)) {
    writer.key("entry").string(found.entry);
  } else {
    writer.key("entry_base64").string(to_base64(bytes_of(found.entry)));
  }
  writer.key("proof").string(to_string(receipt));
  return {};
}

Result<std::string> as_json(CheckpointView& view, const WantedReceipt& wanted,
                            const FoundEntry& found) {
  GH_ASSIGN(const auto outcome, find_outcome(view, wanted, found));
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  GH_TRY(write_entry(writer, view, found));
  writer.key("outcome");
  if (outcome) {
    writer.begin_object();
    GH_TRY(write_entry(writer, view, *outcome));
    writer.end_object();
  } else {
    writer.null();
  }
  writer.end_object();
  return body;
}

Result<MadeReceipt> try_to_make(ledger::Disk& disk, const std::string& directory,
                                const WantedReceipt& wanted) {
  const std::string id = to_string(wanted.id);
  std::optional<std::uint64_t> index = wanted.index;
  if (!index) {
    GH_ASSIGN(auto latest, CheckpointView::open(disk, directory));
    GH_ASSIGN(const auto found, latest.find(id));
    if (!found) return MadeReceipt{.state = ReceiptState::unknown, .body = {}};
    index = found->index;
  }
  const std::uint64_t last = std::max(*index, wanted.outcome ? wanted.outcome->index : 0);
  GH_ASSIGN(auto view, CheckpointView::open_for(disk, directory, last));
  if (*index >= view.checkpoint().size)
    return MadeReceipt{.state = ReceiptState::pending, .body = {}};
  GH_ASSIGN(const auto found, entry_at(view, *index, id));
  if (!found || !(wanted.of_anybody || is_of(found->entry, wanted.principal)))
    return MadeReceipt{.state = ReceiptState::unknown, .body = {}};
  if (wanted.form == ReceiptForm::json) {
    GH_ASSIGN(auto body, as_json(view, wanted, *found));
    return MadeReceipt{.state = ReceiptState::made, .body = std::move(body)};
  }
  GH_ASSIGN(const auto receipt, view.prove(*index));
  return MadeReceipt{.state = ReceiptState::made, .body = to_string(receipt)};
}

}  // namespace

ReceiptDesk::ReceiptDesk(const std::filesystem::path& ledger_directory)
    : directory_(ledger_directory.string()),
      pool_(std::make_unique<net::BlockingPool>(threads, most_waiting)) {}

ReceiptDesk::~ReceiptDesk() = default;

MadeReceipt ReceiptDesk::make(const WantedReceipt& wanted) {
  auto made = try_to_make(disk_, directory_, wanted);
  if (made) return std::move(*made);
  log_error("a receipt cannot be made", {{"error", made.error().describe()}});
  return {.state = ReceiptState::broken, .body = {}};
}

net::Task<MadeReceipt> ReceiptDesk::fetch(net::Loop& loop, WantedReceipt wanted) {
  auto done = std::make_shared<net::Completion<MadeReceipt>>(loop);
  const bool taken =
      pool_->submit([this, done, wanted = std::move(wanted)] { done->complete(make(wanted)); });
  if (!taken) co_return MadeReceipt{.state = ReceiptState::busy, .body = {}};
  co_return co_await done->wait();
}

}  // namespace gatehouse::gateway
