// See mcp_sessions.h.
//
// Invariants
//   1. What is in memory is at least what is on disk; a join counts before it is written.
//   2. A line that is torn was not synced, so nothing of what it says has left.
#include "gateway/mcp_sessions.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "ledger/ledger.h"

namespace gatehouse::gateway {
namespace {

using Json = nlohmann::json;

constexpr std::string_view first_line = "gatehouse-mcp-sessions 1";
constexpr std::string_view forgotten = "*";
constexpr std::size_t name_digits = 16;
constexpr std::size_t largest_file = 256u << 20;
constexpr std::chrono::days write_again{1};
constexpr std::size_t most_pending = 100'000;  // decisions whose outcome is looked for

std::string_view name_of(std::string_view session) {
  return session.substr(0, name_digits);
}

std::string line_of(std::string_view name, Integrity integrity, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return std::string(name) + ' ' + std::string(to_string(integrity)) + ' ' +
         std::to_string(seconds) + '\n';
}

std::string text_of(const Json& json, const char* path) {
  const Json::json_pointer pointer(path);
  if (!json.contains(pointer)) return {};
  const auto& found = json.at(pointer);
  return found.is_string() ? found.get<std::string>() : std::string();
}

}  // namespace

Result<void> McpSessions::open(std::filesystem::path file,
                               const std::filesystem::path& ledger_directory, WallTime now) {
  file_ = std::move(file);
  const auto text = read_file(file_, largest_file);
  if (text) {
    load(*text, now);
  } else if (text.error().code == ErrorCode::not_found) {
    GH_TRY(take_from_ledger(ledger_directory, now));
  } else {
    return std::unexpected(text.error());
  }
  return rewrite();
}

// What cannot be read taints all sessions there may be.
void McpSessions::load(std::string_view text, WallTime now) {
  const auto lines = split(text, '\n');
  bool whole = lines.front() == first_line;
  for (std::size_t at = 1; whole && at + 1 < lines.size(); ++at) {
    const auto parts = split(lines[at], ' ');
    const auto integrity = parts.size() == 3 ? parse_integrity(parts[1])
                                             : fail(ErrorCode::invalid_argument, "not three parts");
    const auto seconds = parts.size() == 3 ? parse_uint(parts[2]) : std::nullopt;
    // Later than the year 9999 is no time.
    if (!integrity || !seconds || *seconds > 253'402'300'799) {
      whole = false;
    } else if (const WallTime time{std::chrono::seconds(*seconds)}; now - time < kept) {
      note(parts[0], *integrity, time);
    }
  }
  if (!whole) note(forgotten, Integrity::untrusted, now);
}

// Events of outcomes have the label of the session and of what was answered in it, those of the
// decisions before them its name.
Result<void> McpSessions::take_from_ledger(const std::filesystem::path& directory, WallTime now) {
  GH_ASSIGN(auto reader, ledger::EntryReader::open(directory, 0));
  std::map<std::string, std::string, std::less<>> pending;  // id of a decision -> session
  std::uint64_t index = 0;
  std::string entry;
  while (true) {
    GH_ASSIGN(const bool found, reader.next(index, entry));
    if (!found) return {};
    if (!entry.contains("\"mcp.call.")) continue;
    const Json event = Json::parse(entry, nullptr, false);
    if (!event.is_object()) continue;
    const auto type = text_of(event, "/type");
    const auto session = text_of(event, "/data/session");
    if (type == "mcp.call.decided" && !session.empty() &&
        event.contains("/subject/tool"_json_pointer)) {
      if (pending.size() == most_pending) pending.erase(pending.begin());
      pending.insert_or_assign(text_of(event, "/id"), session);
    }
    if (type != "mcp.call.completed") continue;
    const auto decided = pending.extract(text_of(event, "/data/decision"));
    const auto integrity = parse_integrity(text_of(event, "/label/integrity"));
    const auto time = parse_time(text_of(event, "/time"));
    if (decided.empty() || !integrity || !time || now - *time >= kept) continue;
    note(name_of(decided.mapped()), *integrity, *time);
  }
}

// Under mutex_, or before anybody else is there.
void McpSessions::note(std::string_view name, Integrity integrity, WallTime time) {
  if (integrity == Integrity::trusted) return;
  auto [entry, fresh] = seen_.try_emplace(std::string(name), Seen{integrity, time, {}});
  auto& seen = entry->second;
  // The least trusted wins.
  seen.integrity = std::max(seen.integrity, integrity);
  seen.last = std::max(seen.last, time);
  if (fresh && seen_.size() > most) make_room();
}

// Forgets the oldest tenth: what they were counts for all that are not known.
void McpSessions::make_room() {
  std::vector<WallTime> times;
  times.reserve(seen_.size());
  for (const auto& [name, seen] : seen_) times.push_back(seen.last);
  const auto nth = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 10);
  std::ranges::nth_element(times, nth);
  const WallTime oldest_kept = *nth;
  Integrity worst = Integrity::trusted;
  std::erase_if(seen_, [&](const auto& entry) {
    if (entry.first == forgotten || entry.second.last > oldest_kept) return false;
    worst = std::max(worst, entry.second.integrity);
    return true;
  });
  note(forgotten, worst, oldest_kept);
}

Integrity McpSessions::of(std::string_view session, WallTime now) const {
  const std::lock_guard lock(mutex_);
  Integrity integrity = Integrity::trusted;
  for (const auto name : {name_of(session), forgotten}) {
    const auto found = seen_.find(name);
    if (found != seen_.end() && now - found->second.last < kept)
      integrity = std::max(integrity, found->second.integrity);
  }
  return integrity;
}

bool McpSessions::holds(std::string_view session, Integrity integrity, WallTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = seen_.find(name_of(session));
  return found != seen_.end() && found->second.integrity >= integrity &&
         now - found->second.written < write_again;
}

Result<void> McpSessions::join(std::string_view session, Integrity integrity, WallTime now) {
  if (integrity == Integrity::trusted || session.empty() || holds(session, integrity, now))
    return {};
  std::string line;
  {
    const std::lock_guard lock(mutex_);
    note(name_of(session), integrity, now);
    const auto noted = seen_.find(name_of(session));
    if (noted == seen_.end()) return {};  // forgotten with others, which counts for all
    line = line_of(noted->first, noted->second.integrity, noted->second.last);
  }
  const std::lock_guard file_lock(file_mutex_);
  GH_TRY(lines_ < 2 * most ? append(line) : rewrite());
  const std::lock_guard lock(mutex_);
  if (const auto entry = seen_.find(name_of(session)); entry != seen_.end())
    entry->second.written = now;
  return {};
}

Result<void> McpSessions::rewrite() {
  std::string text = std::string(first_line) + '\n';
  std::size_t lines = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, seen] : seen_) {
      text += line_of(name, seen.integrity, seen.last);
      ++lines;
    }
  }
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  GH_TRY(write_file_atomically(file_, text));
  lines_ = lines;
  return {};
}

Result<void> McpSessions::append(std::string_view line) {
  const auto failed = [&](std::string_view what) {
    return fail(ErrorCode::unavailable,
                std::string(what) + ": " + std::generic_category().message(errno), file_.string());
  };
  // Until it has succeeded, the next line is written with all others: a torn one is gone then.
  const std::size_t lines = std::exchange(lines_, 2 * most);
  const int file = ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return failed("cannot open");
  Result<void> done;
  if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    done = failed("cannot write");
  } else if (::fdatasync(file) != 0) {
    done = failed("cannot sync");
  }
  ::close(file);
  if (done) lines_ = lines + 1;
  return done;
}

}  // namespace gatehouse::gateway
