#include "ledger/query.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ledger/disk.h"
#include "ledger/ledger.h"
#include "ledger/log_files.h"
#include "ledger/segment_reader.h"

namespace gatehouse::ledger {

std::string_view id_of(std::string_view entry) {
  constexpr std::string_view start = "{\"id\":\"";
  if (!entry.starts_with(start)) return {};
  entry.remove_prefix(start.size());
  return entry.substr(0, std::min(entry.find('"'), entry.size()));
}

namespace {

// Entries with near ids stand near each other; how far apart threads can get them, in bundles.
constexpr std::uint64_t near_bundles = 8;
// Entries stand nearly in the order of their times; how far a clock that was set back or forth, or
// a slow thread, may have put them elsewhere.
constexpr std::chrono::minutes clock_margin(5);
// So many entries in a row behind the end of a span end the search in it.
constexpr std::uint64_t entries_past_the_end = tile_width;

// As event.cc writes it, right behind the id; empty for an entry of another shape.
std::string_view time_of(std::string_view entry) {
  constexpr std::string_view start = "\",\"time\":\"";
  const std::string_view id = id_of(entry);
  if (id.empty()) return {};
  entry.remove_prefix(static_cast<std::size_t>(id.data() - entry.data()) + id.size());
  if (!entry.starts_with(start)) return {};
  entry.remove_prefix(start.size());
  return entry.substr(0, std::min(entry.find('"'), entry.size()));
}

// A time bound of a filter, moved; absent when it is no time.
std::optional<std::string> moved(const std::string& time, std::chrono::minutes by) {
  const auto parsed = parse_time(time);
  if (!parsed) return std::nullopt;
  return format_time(*parsed + by);
}

Result<std::optional<FoundEntry>> scan_for_id(const std::filesystem::path& directory,
                                              std::string_view id, std::uint64_t from,
                                              std::uint64_t to) {
  GH_ASSIGN(auto reader, EntryReader::open(directory, from));
  FoundEntry found;
  while (true) {
    GH_ASSIGN(const bool more, reader.next(found.index, found.entry));
    if (!more || found.index >= to) return std::nullopt;
    if (id_of(found.entry) == id) return found;
  }
}

Result<FoundEntry> entry_at(const std::filesystem::path& directory, std::uint64_t index) {
  GH_ASSIGN(auto reader, EntryReader::open(directory, index));
  FoundEntry found;
  GH_ASSIGN(const bool there, reader.next(found.index, found.entry));
  if (there) return found;
  GH_ASSIGN(const std::uint64_t end, log_end(directory));
  return fail(ErrorCode::not_found,
              fmt::format("there is no entry {}; the log has {}", index, end));
}

// The last bundle whose first entry is `early`; 0 when none is.
Result<std::uint64_t> bisect(const std::filesystem::path& directory, std::uint64_t end,
                             const std::function<bool(std::string_view entry)>& early) {
  std::uint64_t low = 0;
  std::uint64_t high = end / tile_width;
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    auto first = entry_at(directory, middle * tile_width);
    if (!first && first.error().code != ErrorCode::not_found) {
      return std::unexpected(std::move(first).error());
    }
    if (first && early(first->entry)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// How deep an actor is looked into.
constexpr int max_depth = 16;

bool any_string_equals(const nlohmann::json& value, const std::string& wanted, int depth = 0) {
  if (value.is_string()) return value.get_ref<const std::string&>() == wanted;
  if (!value.is_structured() || depth == max_depth) return false;
  return std::ranges::any_of(value, [&](const nlohmann::json& item) {
    return any_string_equals(item, wanted, depth + 1);
  });
}

// Whether the text cannot be in the entry, told without parsing; text that JSON would escape can.
bool surely_absent(std::string_view entry, const std::string& text) {
  const bool plain = std::ranges::none_of(
      text, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  return plain && !entry.contains(text);
}

std::string string_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::chrono::seconds> parse_ago(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto count = parse_uint(text.substr(0, text.size() - 1));
  if (!count || *count > 1'000'000'000) return std::nullopt;
  const auto amount = static_cast<std::int64_t>(*count);
  switch (text.back()) {
    case 's':
      return std::chrono::seconds(amount);
    case 'm':
      return std::chrono::minutes(amount);
    case 'h':
      return std::chrono::hours(amount);
    case 'd':
      return std::chrono::days(amount);
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<std::uint64_t> log_end(const std::filesystem::path& directory) {
  RealDisk disk;
  const LogPaths paths(directory.string());
  auto key = read_verifier_key(disk, paths.verifier_key);
  if (!key && key.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, "there is no log here", directory.string());
  }
  if (!key) return std::unexpected(std::move(key).error());
  GH_ASSIGN(const auto items, list_directory(disk, paths.wal));
  std::optional<std::uint64_t> last;
  for (const DirectoryItem& item : items) {
    if (const auto first = parse_segment_name(item.name)) last = first;
  }
  if (!last) {
    GH_ASSIGN(const auto opened, read_checkpoint(disk, paths.checkpoint, *key));
    return opened.checkpoint.size;
  }
  GH_ASSIGN(auto segment, SegmentReader::open(disk, paths.wal + '/' + segment_name(*last)));
  GH_TRY(segment.skip_to(max_tree_size));
  return segment.position();
}

Result<FoundEntry> find_entry(const std::filesystem::path& directory, std::string_view reference) {
  if (const auto index = parse_uint(reference)) return entry_at(directory, *index);
  GH_ASSIGN(const std::uint64_t end, log_end(directory));
  GH_ASSIGN(const std::uint64_t bundle, bisect(directory, end, [&](std::string_view entry) {
              return id_of(entry) <= reference;
            }));
  const std::uint64_t from = (bundle - std::min(bundle, near_bundles)) * tile_width;
  GH_ASSIGN(auto near,
            scan_for_id(directory, reference, from, (bundle + near_bundles + 1) * tile_width));
  if (near) return std::move(*near);
  GH_ASSIGN(auto anywhere, scan_for_id(directory, reference, 0, max_tree_size));
  if (anywhere) return std::move(*anywhere);
  return fail(ErrorCode::not_found, fmt::format("no entry has the id {}", reference));
}

bool EntryFilter::empty() const {
  return type.empty() && actor.empty() && since.empty() && until.empty() && contains.empty();
}

bool matches(const EntryFilter& filter, std::string_view entry) {
  if (!filter.contains.empty() && !entry.contains(filter.contains)) return false;
  if (filter.type.empty() && filter.actor.empty() && filter.since.empty() && filter.until.empty()) {
    return true;
  }
  if (surely_absent(entry, filter.type) || surely_absent(entry, filter.actor)) return false;
  const auto json = nlohmann::json::parse(entry, nullptr, false);
  if (!json.is_object()) return false;
  if (!filter.type.empty()) {
    const std::string type = string_at(json, "type");
    const bool prefix = filter.type.back() == '.' && type.starts_with(filter.type);
    if (type != filter.type && !prefix) return false;
  }
  if (!filter.since.empty() || !filter.until.empty()) {
    const std::string time = string_at(json, "time");
    if (time.empty() || time < filter.since) return false;
    if (!filter.until.empty() && time >= filter.until) return false;
  }
  if (filter.actor.empty()) return true;
  const auto actor = json.find("actor");
  return actor != json.end() && any_string_equals(*actor, filter.actor);
}

Result<std::string> parse_time_bound(std::string_view text, WallTime now) {
  if (const auto ago = parse_ago(text)) return format_time(now - *ago);
  constexpr std::string_view shape = "0000-00-00T00:00:00.000000Z";
  const Error bad{
      ErrorCode::invalid_argument,
      fmt::format("{} is neither a time like 2026-11-23T17:43:50Z nor an age like 24h", text),
      {}};
  const bool has_zone = text.ends_with('Z');
  if (has_zone) text.remove_suffix(1);
  const bool known_length = text.size() == 10 || text.size() == 16 || text.size() == 19 ||
                            (text.size() > 20 && text.size() <= 26);
  if (!known_length || (text.size() > 10) != has_zone) return std::unexpected(bad);
  std::string out(shape);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !digit : text[i] != shape[i]) return std::unexpected(bad);
    out[i] = text[i];
  }
  const std::string_view month = std::string_view(out).substr(5, 2);
  const std::string_view day = std::string_view(out).substr(8, 2);
  if (month < "01" || month > "12" || day < "01" || day > "31" || out.substr(11, 2) > "23" ||
      out.substr(14, 2) > "59" || out.substr(17, 2) > "60") {
    return std::unexpected(bad);
  }
  return out;
}

Result<std::uint64_t> first_since(const std::filesystem::path& directory,
                                  const std::string& since) {
  const auto early = since.empty() ? std::nullopt : moved(since, -clock_margin);
  if (!early) return 0;
  GH_ASSIGN(const std::uint64_t end, log_end(directory));
  // An entry without a time says nothing: look from further ahead.
  GH_ASSIGN(const std::uint64_t bundle, bisect(directory, end, [&](std::string_view entry) {
              const std::string_view time = time_of(entry);
              return !time.empty() && time < *early;
            }));
  return bundle * tile_width;
}

Result<void> scan(const std::filesystem::path& directory, std::uint64_t from,
                  const EntryFilter& filter, const std::function<bool(const FoundEntry&)>& each) {
  GH_ASSIGN(auto reader, EntryReader::open(directory, from));
  const auto late = filter.until.empty() ? std::nullopt : moved(filter.until, clock_margin);
  std::uint64_t late_in_a_row = 0;
  FoundEntry found;
  while (true) {
    GH_ASSIGN(const bool more, reader.next(found.index, found.entry));
    if (!more) return {};
    if (matches(filter, found.entry) && !each(found)) return {};
    late_in_a_row = late && time_of(found.entry) >= *late ? late_in_a_row + 1 : 0;
    if (late_in_a_row == entries_past_the_end) return {};
  }
}

}  // namespace gatehouse::ledger
