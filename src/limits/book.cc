// See book.h.
#include "limits/book.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/crypto.h"

namespace gatehouse::limits {
namespace {

// What is longer, or is no text, stands in a key as its digest: a key is written into entries of
// the ledger and has to come back as it was.
constexpr std::size_t longest_value = 200;
constexpr std::size_t longest_key = 512;

std::string digest_of(std::string_view text) {
  return "sha256:" + to_hex(crypto::sha256(bytes_of(text)));
}

bool fits(const std::string& pattern, std::string_view value) {
  if (pattern.ends_with('*'))
    return value.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  return pattern == value;
}

bool any_fits(const std::vector<std::string>& patterns, std::string_view value) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return fits(pattern, value);
         });
}

bool any_group_fits(const std::vector<std::string>& patterns, std::span<const std::string> groups) {
  return patterns.empty() || std::ranges::any_of(groups, [&](const std::string& group) {
           return any_fits(patterns, group);
         });
}

// Everything but who it is.
bool matches_call(const Limit& limit, const Subject& subject) {
  if (limit.by_policy &&
      std::ranges::find(subject.policy_limits, limit.name) == subject.policy_limits.end())
    return false;
  const Match& match = limit.match;
  return any_group_fits(match.groups, subject.groups) && any_fits(match.teams, subject.team) &&
         any_fits(match.models, subject.model) && any_fits(match.routes, subject.route) &&
         any_fits(match.tools, subject.tool);
}

bool counts_by(const Limit& limit, Per per) {
  return std::ranges::find(limit.per, per) != limit.per.end();
}

// Two different lists of values never give one key.
void append_value(std::string& key, std::string_view value) {
  if (value.size() > longest_value || !is_utf8(value)) {
    key += digest_of(value);
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char letter : value) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == ',' || letter == '=' || letter == '%' || letter == '|' || byte < 0x20 ||
        byte == 0x7f) {
      key += '%';
      key += digits[byte >> 4u];
      key += digits[byte & 15u];
    } else {
      key += letter;
    }
  }
}

std::string_view value_of(const Subject& subject, Per per, std::string_view actor) {
  switch (per) {
    case Per::principal:
      return actor;
    case Per::team:
      return subject.team;
    case Per::model:
      return subject.model;
    case Per::route:
      return subject.route;
    case Per::session:
      // Calls outside of a conversation count as one conversation of their caller.
      return subject.session.empty() && !subject.actors.empty()
                 ? std::string_view(subject.actors.front())
                 : subject.session;
    case Per::tool:
      return subject.tool;
  }
  return {};
}

std::string key_of(const Limit& limit, const Subject& subject, std::string_view actor) {
  std::string key;
  for (const Per per : limit.per) {
    if (!key.empty()) key += ',';
    key += to_string(per);
    key += '=';
    append_value(key, value_of(subject, per, actor));
  }
  return key.size() > longest_key ? digest_of(key) : key;
}

bool lasts_longer(const Refusal& one, const Refusal& other) {
  if (one.fits_at.has_value() != other.fits_at.has_value()) return !one.fits_at;
  return one.fits_at && *one.fits_at > *other.fits_at;
}

void keep_longest(std::optional<Refusal>& kept, Refusal refusal) {
  if (!kept || lasts_longer(refusal, *kept)) kept = std::move(refusal);
}

}  // namespace

struct Book::Wanted {
  std::string_view name;
  Unit unit;
  std::int64_t most;
  std::shared_ptr<Counter> counter;
  std::int64_t amount;
};

std::string family_of(const Limit& limit) {
  return limit.name + '|' + std::string(to_string(limit.unit)) + '|' + to_string(limit.window);
}

Result<Family> parse_family(std::string_view text) {
  const auto parts = split(text, '|');
  if (parts.size() != 3 || parts[0].empty())
    return fail(ErrorCode::invalid_argument, "not NAME|UNIT|WINDOW");
  Family family{.name = std::string(parts[0]), .unit = {}, .window = {}};
  GH_ASSIGN(family.unit, parse_unit(parts[1]));
  GH_ASSIGN(family.window, parse_window(parts[2]));
  return family;
}

std::shared_ptr<const Rules> Book::compile(std::vector<Limit> limits, WallTime now) {
  auto rules = std::make_shared<Rules>();
  for (Limit& limit : limits) {
    Rule rule{.limit = std::move(limit), .family = {}, .shared = {}};
    rule.family = family_of(rule.limit);
    if (rule.limit.per.empty())
      rule.shared = find_or_make(rule.family, "", rule.limit.window, now, false);
    rules->push_back(std::move(rule));
  }
  return rules;
}

Book::Shard& Book::shard_of(std::string_view full_key) {
  return shards_[TextHash{}(full_key) % shard_count];
}

std::shared_ptr<Counter> Book::find_or_make(const std::string& family, const std::string& key,
                                            const Window& window, WallTime now, bool bounded) {
  std::string full_key = family;
  full_key += '\n';
  full_key += key;
  Shard& shard = shard_of(full_key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.counters.find(std::string_view(full_key));
  if (found != shard.counters.end()) return found->second;
  if (bounded && shard.counters.size() >= std::max<std::size_t>(most_counters_ / shard_count, 1))
    return nullptr;
  auto made = std::make_shared<Counter>(family, key, window, now);
  shard.counters.emplace(std::move(full_key), made);
  return made;
}

// Adds what one rule has to say; false when there is no room for a counter.
bool Book::want(const Rule& rule, const Subject& subject, std::int64_t amount, WallTime now,
                std::vector<Wanted>& wanted, std::optional<Refusal>& refusal) {
  const Limit& limit = rule.limit;
  auto add = [&](std::string_view actor) {
    auto counter = rule.shared ? rule.shared
                               : find_or_make(rule.family, key_of(limit, subject, actor),
                                              limit.window, now, true);
    if (!counter) {
      keep_longest(refusal, {.name = limit.name,
                             .key = {},
                             .unit = limit.unit,
                             .window = limit.window,
                             .most = limit.amount,
                             .asked = amount,
                             .fits_at = now + std::chrono::minutes(1),
                             .no_room = true});
      return false;
    }
    const bool known =
        std::ranges::any_of(wanted, [&](const Wanted& other) { return other.counter == counter; });
    if (!known)
      wanted.push_back({limit.name, limit.unit, limit.amount, std::move(counter), amount});
    return true;
  };
  const bool by_principal = counts_by(limit, Per::principal);
  for (const ActorName& actor : subject.actors) {
    if (!any_fits(limit.match.principals, actor)) continue;
    if (!add(actor)) return false;
    if (!by_principal) return true;
  }
  return true;
}

std::expected<Reservation, Refusal> Book::reserve(const Rules& rules, const Subject& subject,
                                                  const Amounts& amounts, WallTime now) {
  std::vector<Wanted> wanted;
  std::optional<Refusal> refusal;
  for (const Rule& rule : rules) {
    const std::int64_t amount = amounts[rule.limit.unit];
    if (amount <= 0 || !matches_call(rule.limit, subject)) continue;
    if (!want(rule, subject, std::min(amount, most_amount), now, wanted, refusal))
      return std::unexpected(*std::move(refusal));
  }
  if (const auto micros = amounts[Unit::money]; micros > 0) {
    for (const LifetimeBudget& budget : subject.delegated) {
      const Rule rule{.limit = {.name = std::string(delegation_name),
                                .unit = Unit::money,
                                .amount = budget.micros,
                                .window = {Window::Kind::forever, {}}},
                      .family = std::string(delegation_name) + "|money|forever",
                      .shared = {}};
      std::string key;
      append_value(key, budget.token);
      auto counter = find_or_make(rule.family, key, rule.limit.window, now, false);
      wanted.push_back({delegation_name, Unit::money, budget.micros, std::move(counter),
                        std::min(micros, most_amount)});
    }
  }
  // All locks, in one order for everybody; so all limits hold at one moment.
  std::ranges::sort(wanted, {}, [](const Wanted& one) { return one.counter.get(); });
  for (const Wanted& one : wanted) one.counter->mutex.lock();
  for (const Wanted& one : wanted) {
    Meter& meter = one.counter->meter;
    const std::int64_t used = meter.used(now);
    if (used <= one.most - one.amount) continue;
    keep_longest(refusal, {.name = std::string(one.name),
                           .key = one.counter->key,
                           .unit = one.unit,
                           .window = meter.window(),
                           .most = one.most,
                           .used = used,
                           .asked = one.amount,
                           .fits_at = meter.fits_at(one.amount, one.most, now)});
  }
  Reservation reservation;
  if (!refusal) {
    reservation.holds.reserve(wanted.size());
    for (const Wanted& one : wanted) {
      reservation.holds.push_back({std::string(one.name), one.unit, one.most, one.counter,
                                   one.counter->meter.charge(one.amount, now), one.amount});
    }
  }
  for (const Wanted& one : wanted) one.counter->mutex.unlock();
  if (refusal) return std::unexpected(*std::move(refusal));
  return reservation;
}

void Book::settle(Reservation& reservation, const Amounts& used) {
  if (reservation.settled) return;
  reservation.settled = true;
  for (Hold& hold : reservation.holds) {
    const std::int64_t charged = std::clamp<std::int64_t>(used[hold.unit], 0, most_amount);
    if (charged > hold.amount) overruns_.fetch_add(1, std::memory_order_relaxed);
    if (charged != hold.amount) {
      const std::lock_guard lock(hold.counter->mutex);
      hold.counter->meter.correct(hold.ticket, charged - hold.amount);
    }
    hold.amount = charged;
  }
}

std::optional<Standing> Book::standing(const Reservation& reservation, Unit unit,
                                       WallTime now) const {
  std::optional<Standing> tightest;
  for (const Hold& hold : reservation.holds) {
    if (hold.unit != unit) continue;
    const std::lock_guard lock(hold.counter->mutex);
    const std::int64_t left = std::max<std::int64_t>(hold.most - hold.counter->meter.used(now), 0);
    if (tightest && tightest->left <= left) continue;
    tightest = {hold.most, left, hold.counter->meter.empty_at(now)};
  }
  return tightest;
}

template <class Each>
void Book::each_counter(Each each) {
  std::vector<std::shared_ptr<Counter>> counters;
  for (Shard& shard : shards_) {
    {
      const std::lock_guard lock(shard.mutex);
      counters.clear();
      for (const auto& [key, counter] : shard.counters) counters.push_back(counter);
    }
    for (const auto& counter : counters) each(*counter);
  }
}

std::vector<CounterView> Book::list(WallTime now) {
  std::vector<CounterView> views;
  each_counter([&](Counter& counter) {
    const std::lock_guard lock(counter.mutex);
    const std::int64_t used = counter.meter.used(now);
    if (used > 0) views.push_back({counter.family, counter.key, used, counter.meter.empty_at(now)});
  });
  std::ranges::sort(views, {}, [](const CounterView& view) {
    return std::pair(std::string_view(view.family), std::string_view(view.key));
  });
  return views;
}

std::shared_ptr<Counter> Book::counter(const std::string& family, const std::string& key,
                                       WallTime now) {
  const auto parsed = parse_family(family);
  return parsed ? find_or_make(family, key, parsed->window, now, false) : nullptr;
}

std::size_t Book::reset(std::string_view name, const std::optional<std::string>& key,
                        WallTime now) {
  std::size_t count = 0;
  each_counter([&](Counter& counter) {
    const auto end = counter.family.find('|');
    if (std::string_view(counter.family).substr(0, end) != name) return;
    if (key && counter.key != *key) return;
    const std::lock_guard lock(counter.mutex);
    count += counter.meter.used(now) > 0 ? 1 : 0;
    counter.meter.reset(now);
  });
  return count;
}

std::size_t Book::tidy(WallTime now) {
  std::size_t count = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += std::erase_if(shard.counters, [now](const auto& item) {
      // A counter with no other owner cannot get one while the shard is locked.
      if (item.second.use_count() > 1) return false;
      const std::lock_guard counter_lock(item.second->mutex);
      return item.second->meter.used(now) == 0;
    });
  }
  return count;
}

std::size_t Book::counters() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.counters.size();
  }
  return count;
}

}  // namespace gatehouse::limits
