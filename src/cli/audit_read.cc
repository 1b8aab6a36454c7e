// gatehouse audit show|tail|find: reading a ledger directory, also beside a running gateway.
#include "cli/audit_read.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_common.h"
#include "ledger/ledger.h"
#include "ledger/merkle.h"
#include "ledger/query.h"

namespace gatehouse::cli {
namespace {

using nlohmann::ordered_json;

// How often --follow looks for new entries.
constexpr std::chrono::milliseconds follow_interval(200);

struct ReadOptions {
  std::vector<std::string> where;
  std::uint64_t last = 20;
  std::uint64_t limit = 0;  // of found entries; 0: all
  bool follow = false;
  bool as_json = false;
  std::string since;
  std::string until;
  ledger::EntryFilter filter;
};

// Ours have four levels. What is much deeper is somebody's trap: indenting it makes gigabytes of
// spaces, and printing it by recursion overflows the stack.
constexpr int max_depth = 16;

bool is_too_deep(std::string_view entry) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < entry.size(); ++at) {
    const char c = entry[at];
    if (in_string) {
      at += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

// Discarded: not JSON, or too deep to be printed as such.
ordered_json parse(std::string_view entry) {
  if (is_too_deep(entry)) return ordered_json(ordered_json::value_t::discarded);
  return ordered_json::parse(entry, nullptr, false);
}

// A member as text that is safe on a terminal: control characters stay escaped.
std::string member(const ordered_json& json, const char* name) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  if (!json.is_object() || found == json.end()) return "-";
  const std::string text = found->dump(-1, ' ', true);
  return found->is_string() ? text.substr(1, text.size() - 2) : text;
}

void print_json(const ledger::FoundEntry& found) {
  ordered_json out = {{"index", found.index}};
  if (auto json = parse(found.entry); !json.is_discarded()) {
    out["entry"] = std::move(json);
  } else {
    out["entry_base64"] = to_base64(bytes_of(found.entry));
  }
  std::cout << out.dump() << '\n';
}

void print_line(const ledger::FoundEntry& found) {
  const auto json = parse(found.entry);
  const auto actor = json.is_object() ? json.find("actor") : json.end();
  const bool has_actor = json.is_object() && actor != json.end() && actor->is_object();
  std::cout << found.index << "  " << member(json, "time") << "  " << member(json, "type") << "  "
            << (has_actor ? member(*actor, "id") : "-") << "  " << member(json, "subject") << "  "
            << member(json, "data") << '\n';
}

void print(const ledger::FoundEntry& found, bool as_json) {
  as_json ? print_json(found) : print_line(found);
}

int show(ReadOptions options) {
  const std::string reference = options.where.back();
  options.where.pop_back();
  const auto found = ledger::find_entry(directory_of(options.where), reference);
  if (!found) return report(found.error());
  if (options.as_json) {
    print_json(*found);
    return 0;
  }
  const auto json = parse(found->entry);
  const auto raw = [&] {
    return is_too_deep(found->entry) ? "raw        " + printable(found->entry)
                                     : "base64     " + to_base64(bytes_of(found->entry));
  };
  std::cout << "index      " << found->index << '\n'
            << "leaf hash  " << to_base64(ledger::leaf_hash(found->entry)) << '\n'
            << (json.is_discarded() ? raw() : json.dump(2, ' ', true)) << '\n';
  return 0;
}

int tail(const ReadOptions& options) {
  const std::string directory = directory_of(options.where);
  const auto end = ledger::log_end(directory);
  if (!end) return report(end.error());
  auto reader = ledger::EntryReader::open(directory, *end - std::min(*end, options.last));
  if (!reader) return report(reader.error());
  ledger::FoundEntry found;
  while (true) {
    const auto more = reader->next(found.index, found.entry);
    if (!more) return report(more.error());
    if (*more) {
      print(found, options.as_json);
      continue;
    }
    std::cout.flush();
    if (!options.follow) return 0;
    std::this_thread::sleep_for(follow_interval);
  }
}

int find(ReadOptions options) {
  const WallTime now = SystemClock().wall();
  for (const auto& [text, bound] : {std::pair(&options.since, &options.filter.since),
                                    std::pair(&options.until, &options.filter.until)}) {
    if (text->empty()) continue;
    auto parsed = ledger::parse_time_bound(*text, now);
    if (!parsed) return report(parsed.error());
    *bound = std::move(*parsed);
  }
  const std::string directory = directory_of(options.where);
  const auto from = ledger::first_since(directory, options.filter.since);
  if (!from) return report(from.error());
  std::uint64_t printed = 0;
  const auto done =
      ledger::scan(directory, *from, options.filter, [&](const ledger::FoundEntry& found) {
        print(found, options.as_json);
        return ++printed != options.limit;
      });
  return done ? 0 : report(done.error());
}

}  // namespace

void add_audit_read(CLI::App& audit, Exit& exit) {
  auto options = std::make_shared<ReadOptions>();

  auto* show_verb = audit.add_subcommand("show", "Print one entry");
  show_verb->add_option("ID", options->where, "[DIR] and the entry's id or index")
      ->required()
      ->expected(1, 2);
  show_verb->add_flag("--json", options->as_json, "Print JSON");
  show_verb->callback([options, &exit] { exit = show(*options); });

  auto* tail_verb = audit.add_subcommand("tail", "Print the last entries");
  tail_verb->add_option("DIR", options->where, "Ledger directory (./var/ledger)")->expected(0, 1);
  tail_verb->add_option("-n,--lines", options->last, "How many (20)");
  tail_verb->add_flag("-f,--follow", options->follow, "Wait for more");
  tail_verb->add_flag("--json", options->as_json, "Print JSON, one object a line");
  tail_verb->callback([options, &exit] { exit = tail(*options); });

  auto* find_verb = audit.add_subcommand("find", "Print the entries that match");
  find_verb->add_option("DIR", options->where, "Ledger directory (./var/ledger)")->expected(0, 1);
  find_verb->add_option("--type", options->filter.type, "Type; with a final '.', all below it");
  find_verb->add_option("--actor", options->filter.actor, "A value in the actor, such as its id");
  find_verb->add_option("--since", options->since, "Time (2026-11-23T17:43:50Z) or age (24h)");
  find_verb->add_option("--until", options->until, "Time or age");
  find_verb->add_option("--limit", options->limit, "At most so many entries (all)");
  find_verb->add_option("--contains", options->filter.contains, "Bytes in the entry");
  find_verb->add_flag("--json", options->as_json, "Print JSON, one object a line");
  find_verb->callback([options, &exit] { exit = find(*options); });
}

}  // namespace gatehouse::cli
