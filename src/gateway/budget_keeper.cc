// See budget_keeper.h.
#include "gateway/budget_keeper.h"

#include <algorithm>

#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/event.h"
#include "policy/terms.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t largest_file = 1u << 30;
// A file older than this many entries is written anew though nothing was charged.
constexpr std::uint64_t stale_entries = 10'000;

// What policy writes itself, @limit("requests=100/1h, by=team"): a limit for each of its terms,
// whose name is the text.
Result<std::vector<limits::Limit>> limits_in(const std::string& text) {
  using policy::LimitOwner;
  using policy::LimitUnit;
  static_assert(static_cast<int>(LimitUnit::cost) == static_cast<int>(limits::Unit::money) &&
                static_cast<int>(LimitUnit::tool_calls) ==
                    static_cast<int>(limits::Unit::tool_calls));
  static_assert(static_cast<int>(LimitOwner::session) == static_cast<int>(limits::Per::session));
  constexpr std::size_t longest = 256;
  if (text.size() > longest || text.find('|') != std::string::npos)
    return fail(ErrorCode::invalid_argument, "the terms of a limit are too long");
  GH_ASSIGN(const auto terms, policy::parse_limit_terms(text));
  std::vector<limits::Limit> limits;
  for (const auto& allowance : terms.allowances) {
    limits::Limit limit;
    limit.name = text;
    limit.unit = static_cast<limits::Unit>(allowance.unit);
    limit.amount = std::min(allowance.amount, limits::most_amount);
    limit.window = {limits::Window::Kind::sliding, allowance.window};
    limit.per = {static_cast<limits::Per>(terms.owner)};
    limit.by_policy = true;
    limits.push_back(std::move(limit));
  }
  return limits;
}

void write_list(JsonWriter& writer, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  writer.key(key).begin_array();
  for (const auto& value : values) writer.string(value);
  writer.end_array();
}

void write_amount(JsonWriter& writer, std::string_view key, limits::Unit unit,
                  std::int64_t amount) {
  if (unit == limits::Unit::money) {
    writer.key(key).string(limits::format_money(amount));
  } else {
    writer.key(key).number(amount);
  }
}

void write_counter(JsonWriter& writer, const limits::CounterView& view, limits::Unit unit,
                   std::optional<std::int64_t> amount) {
  writer.begin_object().key("key").string(view.key);
  write_amount(writer, "used", unit, view.used);
  if (amount) write_amount(writer, "left", unit, std::max<std::int64_t>(*amount - view.used, 0));
  if (view.empty_at) writer.key("empty_at").string(format_time(*view.empty_at));
  writer.end_object();
}

}  // namespace

Result<std::unique_ptr<BudgetKeeper>> BudgetKeeper::open(Options options, ledger::Ledger& ledger,
                                                         const Clock& clock, Random& random) {
  std::unique_ptr<BudgetKeeper> keeper(new BudgetKeeper(std::move(options), ledger, clock, random));
  if (auto file = read_file(keeper->options_.file, largest_file)) {
    auto tally = limits::Tally::open(keeper->options_.key, *file);
    if (tally && tally->next_index() <= ledger.stats().size) {
      keeper->saved_ = tally->next_index();
      keeper->tally_ = *std::move(tally);
    } else {
      log_warning("what was used of budgets is counted anew from the ledger",
                  {{"file", keeper->options_.file.string()},
                   {"error", tally ? "it is ahead of the ledger" : tally.error().describe()}});
    }
  } else if (file.error().code != ErrorCode::not_found) {
    return std::unexpected(std::move(file).error());
  }
  GH_TRY(keeper->follow());
  keeper->tally_.fill(keeper->book_, clock.wall());
  return keeper;
}

// Up to what is durable: an entry that is not may never have been.
Result<void> BudgetKeeper::follow() {
  const std::uint64_t end = ledger_.stats().size;
  if (tally_.next_index() >= end) return {};
  GH_ASSIGN(auto reader, ledger::EntryReader::open(options_.ledger_directory, tally_.next_index()));
  std::uint64_t index = 0;
  std::string entry;
  while (tally_.next_index() < end) {
    GH_ASSIGN(const bool found, reader.next(index, entry));
    if (!found) break;
    GH_TRY(tally_.apply(index, entry));
  }
  return {};
}

Result<std::shared_ptr<const limits::Rules>> BudgetKeeper::compile(
    const BudgetsConfig& budgets, const policy::PolicySet& policies) {
  auto all = budgets.limits;
  for (const auto& policy : policies.policies()) {
    for (const auto& [name, value] : policy.obligations) {
      const bool known = std::ranges::find(all, value, &limits::Limit::name) != all.end();
      if (name != "limit" || known) continue;
      if (value.find('=') != std::string::npos) {
        auto own = limits_in(value);
        if (!own) return std::unexpected(std::move(own).error().within(policy.where));
        all.insert(all.end(), own->begin(), own->end());
        continue;
      }
      return fail(ErrorCode::invalid_argument,
                  policy.where + ": policy " + policy.id + " wants the limit \"" + value +
                      "\" kept, and gatehouse.yaml has none of this name under budgets:");
    }
  }
  return book_.compile(std::move(all), clock_.wall());
}

Result<void> BudgetKeeper::keep_up() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.wall();
  book_.tidy(now);
  const auto counted = tally_.charges();
  GH_TRY(follow());
  if (tally_.charges() == counted && tally_.next_index() - saved_ < stale_entries) return {};
  GH_TRY(write_file_atomically(options_.file, tally_.seal(options_.key, now)));
  saved_ = tally_.next_index();
  return {};
}

Result<std::size_t> BudgetKeeper::reset(std::string_view limit,
                                        const std::optional<std::string>& key,
                                        std::string_view actor) {
  ledger::Event event;
  event.time = clock_.wall();
  event.id = make_uuid7(event.time, random_);
  event.type = "budget.reset";
  event.node = options_.node;
  JsonWriter who(event.actor);
  who.begin_object().key("id").string(utf8_prefix(actor, 256)).end_object();
  JsonWriter writer(event.data);
  writer.begin_object().key("limit").string(limit);
  if (key) writer.key("key").string(*key);
  writer.end_object();
  GH_ASSIGN(auto entry, ledger::serialize(event));
  GH_TRY(ledger_.append_and_wait(std::move(entry)));
  return book_.reset(limit, key, clock_.wall());
}

std::string BudgetKeeper::list_json(const BudgetsConfig& budgets) {
  const auto views = book_.list(clock_.wall());
  auto write_counters = [&views](JsonWriter& writer, std::string_view family, limits::Unit unit,
                                 std::optional<std::int64_t> amount) {
    writer.key("counters").begin_array();
    for (const auto& view : views)
      if (view.family == family) write_counter(writer, view, unit, amount);
    writer.end_array();
  };
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("limits").begin_array();
  for (const auto& limit : budgets.limits) {
    writer.begin_object().key("name").string(limit.name);
    writer.key("unit").string(limits::to_string(limit.unit));
    write_amount(writer, "amount", limit.unit, limit.amount);
    writer.key("window").string(limits::to_string(limit.window));
    if (limit.by_policy) writer.key("applies").string("by_policy");
    std::vector<std::string> per;
    for (const auto one : limit.per) per.emplace_back(limits::to_string(one));
    write_list(writer, "per", per);
    write_list(writer, "principals", limit.match.principals);
    write_list(writer, "groups", limit.match.groups);
    write_list(writer, "teams", limit.match.teams);
    write_list(writer, "models", limit.match.models);
    write_list(writer, "routes", limit.match.routes);
    write_list(writer, "tools", limit.match.tools);
    write_counters(writer, limits::family_of(limit), limit.unit, limit.amount);
    writer.end_object();
  }
  const auto delegated = std::string(limits::delegation_name) + "|money|forever";
  writer.begin_object().key("name").string(limits::delegation_name);
  writer.key("unit").string("money").key("window").string("forever");
  write_counters(writer, delegated, limits::Unit::money, std::nullopt);
  writer.end_object().end_array().end_object();
  return json;
}

}  // namespace gatehouse::gateway
