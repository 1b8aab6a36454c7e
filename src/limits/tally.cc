// See tally.h. Text form, one item a line, members apart by tabs; the members of families and keys
// have no control characters (book.cc writes them so):
//
//   gatehouse-tally 1 NEXT_INDEX
//   m FAMILY KEY PART AMOUNT [PART AMOUNT]…
//   p DECISION FAMILY KEY PART RESERVED
#include "limits/tally.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace gatehouse::limits {
namespace {

constexpr std::string_view first_line = "gatehouse-tally\t1\t";
constexpr std::size_t longest_name = 1'024;
constexpr std::size_t most_charges = 1'024;  // of one entry
constexpr std::size_t digest_digits = 64;
constexpr std::int64_t largest_part = std::int64_t{1} << 50;

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

Error not_ours(std::string message) {
  return {ErrorCode::data_loss, std::move(message), {}};
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

bool is_amount(std::int64_t value) {
  return value >= 0 && value <= most_amount;
}

bool is_sum(std::int64_t value) {
  return value >= 0 && value <= most_used;
}

bool is_part(std::int64_t value) {
  return value >= -largest_part && value <= largest_part;
}

// Of most entries one look is enough.
bool concerns_limits(std::string_view entry) {
  return entry.find("\"limits\":[") != std::string_view::npos ||
         entry.find("\"type\":\"budget.reset\"") != std::string_view::npos ||
         entry.find("\"type\":\"snapshot.activated\"") != std::string_view::npos;
}

}  // namespace

// What one entry says.
struct Tally::Change {
  struct Charge {
    MeterKey meter;
    Window window;
    std::int64_t amount = 0;
    bool reserved = false;
  };
  WallTime time;
  std::string id;
  std::string decision;  // that is settled; empty: none
  std::vector<Charge> charges;
  bool is_reset = false;
  bool is_start = false;  // what ran before this entry runs no more
  std::string reset_name;
  std::optional<std::string> reset_key;
};

struct Tally::Reader {
  simdjson::dom::parser parser;
  std::string padded;

  using Element = simdjson::dom::element;

  static std::string_view text_of(Element object, std::string_view name) {
    std::string_view text;
    if (object[name].get(text) != simdjson::SUCCESS) return {};
    return text;
  }

  static Result<Change::Charge> read_charge(Element item) {
    Change::Charge charge;
    const auto limit = text_of(item, "limit");
    const auto key = text_of(item, "key");
    if (limit.empty() || limit.size() > longest_name || key.size() > longest_name ||
        has_control(limit) || has_control(key) || limit.find('|') != std::string_view::npos)
      return std::unexpected(not_ours("a charge has no usable limit or key"));
    const auto unit = parse_unit(text_of(item, "unit"));
    const auto window = parse_window(text_of(item, "window"));
    if (!unit) return std::unexpected(not_ours(unit.error().message));
    if (!window) return std::unexpected(not_ours(window.error().message));
    charge.window = *window;
    charge.meter.first =
        std::string(limit) + '|' + std::string(to_string(*unit)) + '|' + to_string(charge.window);
    charge.meter.second = key;
    charge.reserved = item["reserved"].get(charge.amount) == simdjson::SUCCESS;
    if (!charge.reserved && item["charged"].get(charge.amount) != simdjson::SUCCESS)
      return std::unexpected(not_ours("a charge says neither reserved nor charged"));
    if (!is_amount(charge.amount)) return std::unexpected(not_ours("a charge is out of range"));
    return charge;
  }

  Result<Change> read(std::string_view entry) {
    padded.assign(entry);
    padded.reserve(entry.size() + simdjson::SIMDJSON_PADDING);
    Element root;
    if (parser.parse(padded.data(), padded.size(), false).get(root) != simdjson::SUCCESS)
      return std::unexpected(not_ours("not JSON"));
    Change change;
    const auto time = parse_time(text_of(root, "time"));
    if (!time) return std::unexpected(not_ours("no time"));
    change.time = *time;
    change.id = text_of(root, "id");
    const auto type = text_of(root, "type");
    Element data;
    if (root["data"].get(data) != simdjson::SUCCESS || !data.is_object()) return change;
    change.is_reset = type == "budget.reset";
    change.is_start = type == "snapshot.activated" && text_of(data, "reason") == "start";
    if (change.is_reset) {
      change.reset_name = text_of(data, "limit");
      std::string_view key;
      if (data["key"].get(key) == simdjson::SUCCESS) change.reset_key = key;
      return change;
    }
    // Descriptions of snapshots have limits too: what they are, not what was used.
    if (type == "snapshot.activated") return change;
    change.decision = text_of(data, "decision");
    simdjson::dom::array items;
    if (data["limits"].get(items) != simdjson::SUCCESS) return change;
    if (items.size() > most_charges) return std::unexpected(not_ours("too many charges"));
    for (const Element item : items) {
      GH_ASSIGN(auto charge, read_charge(item));
      change.charges.push_back(std::move(charge));
    }
    return change;
  }
};

Tally::Tally() : reader_(std::make_unique<Reader>()) {}
Tally::~Tally() = default;
Tally::Tally(Tally&&) noexcept = default;
Tally& Tally::operator=(Tally&&) noexcept = default;

Meter& Tally::meter_of(const MeterKey& key, const Window& window, WallTime time) {
  return meters_.try_emplace(key, window, time).first->second;
}

Result<void> Tally::apply(std::uint64_t index, std::string_view entry) {
  if (index < next_index_) return {};
  if (concerns_limits(entry)) {
    auto change = reader_->read(entry);
    if (!change)
      return std::unexpected(std::move(change).error().within("entry " + std::to_string(index)));
    if (change->is_start) pending_.clear();
    charges_ += change->charges.size() + (change->is_reset ? 1 : 0);
    if (change->is_reset) {
      apply_reset(*change);
    } else {
      apply_charges(*change);
    }
  }
  next_index_ = index + 1;
  return {};
}

void Tally::apply_charges(const Change& change) {
  std::vector<Pending> open;
  if (const auto found = pending_.find(change.decision);
      !change.decision.empty() && found != pending_.end()) {
    open = std::move(found->second);
    pending_.erase(found);
  }
  std::vector<Pending> reserved;
  for (const auto& charge : change.charges) {
    Meter& meter = meter_of(charge.meter, charge.window, change.time);
    const auto held = std::ranges::find(open, charge.meter, &Pending::meter);
    if (charge.reserved) {
      reserved.push_back({charge.meter, meter.charge(charge.amount, change.time), charge.amount});
    } else if (held != open.end()) {
      meter.correct(held->ticket, charge.amount - held->reserved);
      open.erase(held);  // a second charge of the same is one more
    } else {
      meter.charge(charge.amount, change.time);
    }
  }
  if (!reserved.empty() && !change.id.empty()) {
    auto& list = pending_[change.id];
    list.insert(list.end(), reserved.begin(), reserved.end());
  }
}

void Tally::apply_reset(const Change& change) {
  for (auto& [key, meter] : meters_) {
    const bool named =
        std::string_view(key.first).substr(0, key.first.find('|')) == change.reset_name;
    if (named && (!change.reset_key || *change.reset_key == key.second)) meter.reset(change.time);
  }
}

void Tally::fill(Book& book, WallTime now) const {
  for (const auto& [key, meter] : meters_) {
    const auto parts = meter.parts();
    if (parts.empty()) continue;
    const auto counter = book.counter(key.first, key.second, now);
    if (!counter) continue;
    const std::lock_guard lock(counter->mutex);
    counter->meter = Meter(counter->meter.window(), WallTime());
    counter->meter.restore(parts);
    (void)counter->meter.used(now);
  }
}

std::int64_t Tally::used(const std::string& family, const std::string& key, WallTime now) {
  const auto found = meters_.find({family, key});
  return found == meters_.end() ? 0 : found->second.used(now);
}

std::string Tally::serialize(WallTime now) const {
  std::string text(first_line);
  text += std::to_string(next_index_) + '\n';
  auto line = [&text](std::initializer_list<std::string_view> members) {
    bool first = true;
    for (const auto member : members) {
      if (!first) text += '\t';
      text += member;
      first = false;
    }
  };
  for (const auto& [key, meter] : meters_) {
    Meter copy = meter;
    if (copy.used(now) == 0) continue;
    line({"m", key.first, key.second});
    for (const auto& [part, amount] : copy.parts())
      text += '\t' + std::to_string(part) + '\t' + std::to_string(amount);
    text += '\n';
  }
  for (const auto& [decision, list] : pending_) {
    for (const Pending& one : list) {
      const auto meter = meters_.find(one.meter);
      if (meter == meters_.end() || meter->second.resets() != one.ticket.resets) continue;
      line({"p", decision, one.meter.first, one.meter.second, std::to_string(one.ticket.part),
            std::to_string(one.reserved)});
      text += '\n';
    }
  }
  return text;
}

Result<Tally> Tally::parse(std::string_view text) {
  Tally tally;
  const auto lines = split(text, '\n');
  if (lines.size() < 2 || !lines[0].starts_with(first_line) || !lines.back().empty())
    return std::unexpected(not_ours("not a tally, or not whole"));
  const auto index = parse_uint(lines[0].substr(first_line.size()));
  if (!index) return std::unexpected(not_ours("no index"));
  tally.next_index_ = *index;
  for (std::size_t at = 1; at + 1 < lines.size(); ++at) {
    const auto members = split(lines[at], '\t');
    const std::size_t family_at = members[0] == "p" ? 2 : 1;
    if (members.size() < family_at + 2) return std::unexpected(not_ours("a line is too short"));
    GH_ASSIGN(const auto family, parse_family(members[family_at]));
    const MeterKey key{std::string(members[family_at]), std::string(members[family_at + 1])};
    if (members[0] == "m") {
      std::vector<std::pair<std::int64_t, std::int64_t>> parts;
      for (std::size_t next = 3; next < members.size(); next += 2) {
        const auto part = number_in(members[next]);
        const auto amount = next + 1 < members.size() ? number_in(members[next + 1]) : std::nullopt;
        if (!part || !amount || !is_part(*part) || !is_sum(*amount))
          return std::unexpected(not_ours("a part of a counter is no number"));
        parts.emplace_back(*part, *amount);
      }
      if (parts.size() > parts_of_window + 1 || tally.meters_.contains(key))
        return std::unexpected(not_ours("a counter has too many parts or is there twice"));
      tally.meter_of(key, family.window, WallTime()).restore(parts);
    } else if (members[0] == "p" && members.size() == 6) {
      const auto part = number_in(members[4]);
      const auto reserved = number_in(members[5]);
      if (!part || !reserved || !is_part(*part) || !is_amount(*reserved))
        return std::unexpected(not_ours("a reservation is no number"));
      const Meter& meter = tally.meter_of(key, family.window, WallTime());
      tally.pending_[std::string(members[1])].push_back({key, {*part, meter.resets()}, *reserved});
    } else {
      return std::unexpected(not_ours("a line of an unknown kind"));
    }
  }
  return tally;
}

std::string Tally::seal(const crypto::Digest& key, WallTime now) const {
  const std::string text = serialize(now);
  return to_hex(crypto::hmac_sha256(key, bytes_of(text))) + '\n' + text;
}

Result<Tally> Tally::open(const crypto::Digest& key, std::string_view sealed) {
  if (sealed.size() <= digest_digits || sealed[digest_digits] != '\n')
    return std::unexpected(not_ours("not a tally"));
  const auto text = sealed.substr(digest_digits + 1);
  const std::string expected = to_hex(crypto::hmac_sha256(key, bytes_of(text)));
  if (!crypto::equal_constant_time(bytes_of(sealed.substr(0, digest_digits)), bytes_of(expected)))
    return std::unexpected(not_ours("the digest does not fit"));
  return parse(text);
}

}  // namespace gatehouse::limits
