// gatehouse policy diff: what another policy set would have decided of the requests in a ledger.
//
// This thread reads the log in order while as many others as there are cores derive the decisions
// of the batch before. What is in the log beside calls changes what the decisions after it are
// derived from, so that a batch ends before every such entry. Nothing is kept of a request but
// counts and what is still to be printed.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_common.h"
#include "cli/audit_read.h"
#include "cli/policy_verbs.h"
#include "gateway/replay.h"
#include "ledger/ledger.h"
#include "ledger/query.h"
#include "policy/policy.h"
#include "store/state.h"

namespace gatehouse::cli {
namespace {

using gateway::WhatIf;
using nlohmann::ordered_json;
using PolicySetPointer = std::shared_ptr<const policy::PolicySet>;

constexpr std::size_t batch_entries = 8'192;
constexpr std::size_t most_problems_shown = 5;
constexpr std::size_t most_counted = 10'000;  // rows of each table; what is beyond is one row

struct DiffOptions {
  std::string old_folder;
  std::string new_folder;
  std::vector<std::string> where;
  std::string snapshots;
  std::string since;
  std::string until;
  std::size_t rows = 50;
  bool as_json = false;
};

struct Entry {
  std::uint64_t index = 0;
  std::string text;
};

struct Count {
  std::uint64_t requests = 0;
  std::uint64_t now_forbidden = 0;
  std::uint64_t now_permitted = 0;
  std::uint64_t other_obligations = 0;

  std::uint64_t changed() const { return now_forbidden + now_permitted + other_obligations; }
  Count& operator+=(const Count& other) {
    requests += other.requests;
    now_forbidden += other.now_forbidden;
    now_permitted += other.now_permitted;
    other_obligations += other.other_obligations;
    return *this;
  }
};

Count count_of(const WhatIf& one) {
  Count count{.requests = 1};
  if (!one.changed()) return count;
  if (one.before.permit == one.after.permit) {
    count.other_obligations = 1;
  } else {
    (one.after.permit ? count.now_permitted : count.now_forbidden) = 1;
  }
  return count;
}

// Requests may name anything; a table stays a table.
template <class Key>
void add(std::map<Key, Count>& counts, Key key, const Key& rest, const Count& count) {
  const auto known = counts.find(key);
  if (known != counts.end()) {
    known->second += count;
  } else if (counts.size() < most_counted) {
    counts.emplace(std::move(key), count);
  } else {
    counts[rest] += count;
  }
}

using PrincipalAndRoute = std::pair<std::string, std::string>;

struct Found {
  Count total;
  std::map<PrincipalAndRoute, Count> by_caller;
  std::map<std::string, Count> by_policy;  // those that made the difference
  std::vector<WhatIf> changes;             // in order
  std::vector<std::string> problems;
  std::uint64_t not_derived = 0;
  std::uint64_t incomplete = 0;
  std::map<std::string, std::uint64_t> not_compared;  // decisions of other kinds, by type
  std::string cut_short;                              // why not all of the log was read
  std::string first_time;
  std::string last_time;

  void count(const WhatIf& one) {
    const Count count = count_of(one);
    total += count;
    incomplete += one.incomplete ? 1 : 0;
    add(by_caller, PrincipalAndRoute(one.principal, one.route), {"(others)", ""}, count);
    if (!one.changed()) return;
    for (const std::string& policy : one.because())
      add(by_policy, policy, std::string("(others)"), count);
  }
  // All but the changes.
  void merge(const Found& part) {
    total += part.total;
    for (const auto& [key, count] : part.by_caller) add(by_caller, key, {"(others)", ""}, count);
    for (const auto& [key, count] : part.by_policy)
      add(by_policy, key, std::string("(others)"), count);
    problems.insert(problems.end(), part.problems.begin(), part.problems.end());
    not_derived += part.not_derived;
    incomplete += part.incomplete;
  }
};

// One thread's share of each batch. What was answered stays known as long as the state does.
class Judge {
 public:
  Judge(const PolicySetPointer& before, const PolicySetPointer& after)
      : before_(before), after_(after) {}

  void judge(const gateway::Replayer& replayer, std::span<const Entry> entries) {
    for (const Entry& entry : entries) judge(replayer, entry);
  }
  void forget() { known_.clear(); }
  Found found;

 private:
  static constexpr std::size_t most_known = 8'192;

  void judge(const gateway::Replayer& replayer, const Entry& entry) {
    auto facts = gateway::recorded_facts(entry.text);
    const auto known = facts ? known_.find(*facts) : known_.end();
    if (known != known_.end()) {
      found.count(known->second);
      if (!known->second.changed()) return;
      found.changes.push_back(known->second);
      found.changes.back().index = entry.index;
      found.changes.back().id = ledger::id_of(entry.text);
      return;
    }
    auto one = replayer.what_if(entry.index, entry.text, before_, after_);
    if (!one) {
      ++found.not_derived;
      if (found.problems.size() < most_problems_shown)
        found.problems.push_back(fmt::format("entry {}: {}", entry.index, one.error().describe()));
      return;
    }
    found.count(*one);
    if (one->changed()) found.changes.push_back(*one);
    if (!facts) return;
    if (known_.size() >= most_known) known_.clear();
    known_.emplace(std::move(*facts), std::move(*one));
  }

  gateway::DecisionCache before_;
  gateway::DecisionCache after_;
  std::unordered_map<std::string, WhatIf> known_;  // by recorded_facts()
};

// The type of an event and its time stand near its beginning (docs/events.md).
std::string_view text_near_begin(std::string_view entry, std::string_view key) {
  const std::string_view head = entry.substr(0, 512);
  const std::size_t at = head.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size();
  const std::size_t end = head.find('"', begin);
  return end == std::string_view::npos ? std::string_view() : head.substr(begin, end - begin);
}

std::string_view time_of(std::string_view entry) {
  return text_near_begin(entry, "\"time\":\"");
}

// As ledger::matches() does it, without reading all of the entry: most of a log is no decision.
bool is_within(const ledger::EntryFilter& period, std::string_view entry) {
  if (period.since.empty() && period.until.empty()) return true;
  const std::string_view time = time_of(entry);
  return !time.empty() && time >= period.since && (period.until.empty() || time < period.until);
}

class Run {
 public:
  // `show` is called with each change, in order, on the thread that calls read().
  Run(const DiffOptions& options, PolicySetPointer before, PolicySetPointer after,
      std::function<void(WhatIf&&)> show)
      : replayer_(options.snapshots), show_(std::move(show)) {
    const std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
    for (std::size_t at = 0; at < threads; ++at)
      judges_.push_back(std::make_unique<Judge>(before, after));
  }

  // A log that cannot be read to its end is read as far as it goes, and that is said.
  Result<void> read(const std::filesystem::path& directory, const ledger::EntryFilter& period) {
    GH_ASSIGN(auto reader, ledger::EntryReader::open(directory));
    Entry entry;
    while (true) {
      const auto more = reader.next(entry.index, entry.text);
      if (!more) {
        all_.cut_short = more.error().describe();
        break;
      }
      if (!*more) break;
      if (const auto taken = take(entry, period); !taken) {
        all_.cut_short = fmt::format("entry {}: {}", entry.index, taken.error().describe());
        break;
      }
    }
    judge();
    settle();
    return {};
  }

  Found found() {
    for (const auto& judge : judges_) all_.merge(judge->found);
    return std::move(all_);
  }

 private:
  Result<void> take(Entry& entry, const ledger::EntryFilter& period) {
    const std::string_view type = text_near_begin(entry.text, "\"type\":\"");
    if (store::is_state_event(type) || type == "snapshot.activated") {
      judge();  // decisions so far are of the state so far
      settle();
      for (const auto& judge : judges_) judge->forget();
      return replayer_.feed(entry.index, entry.text);
    }
    if (type != "request.decided") {
      if (type.empty() || (type.ends_with(".decided") && is_within(period, entry.text)))
        ++all_.not_compared[type.empty() ? "not an event" : std::string(type)];
      return {};
    }
    if (!is_within(period, entry.text)) return {};
    note_time(entry.text);
    if (filling_.size() <= filled_) filling_.emplace_back();
    std::swap(filling_[filled_++], entry);
    if (filled_ == batch_entries) judge();
    return {};
  }

  void note_time(std::string_view entry) {
    const std::string_view time = time_of(entry);
    if (all_.first_time.empty() || time < all_.first_time) all_.first_time = time;
    if (time > all_.last_time) all_.last_time = time;
  }

  // Begins with what was gathered, when what was begun before is done.
  void judge() {
    settle();
    if (filled_ == 0) return;
    filling_.swap(judging_);
    const std::size_t size = std::exchange(filled_, 0);
    const std::size_t share = (size + judges_.size() - 1) / judges_.size();
    for (std::size_t at = 0; at < judges_.size(); ++at) {
      const std::size_t begin = std::min(size, at * share);
      const std::span entries(judging_.data() + begin, std::min(share, size - begin));
      threads_.emplace_back([this, at, entries] { judges_[at]->judge(replayer_, entries); });
    }
  }

  void settle() {
    threads_.clear();  // joins
    for (const auto& judge : judges_) {
      for (WhatIf& one : judge->found.changes) show_(std::move(one));
      judge->found.changes.clear();
    }
  }

  gateway::Replayer replayer_;
  std::function<void(WhatIf&&)> show_;
  std::vector<std::unique_ptr<Judge>> judges_;
  std::vector<Entry> filling_;  // used again and again; the first filled_ count
  std::vector<Entry> judging_;
  std::size_t filled_ = 0;
  Found all_;
  std::vector<std::jthread> threads_;  // last: they are joined before what they use goes
};

std::vector<std::string> texts_of(const std::vector<policy::Obligation>& obligations) {
  std::vector<std::string> texts;
  texts.reserve(obligations.size());
  for (const auto& [name, value] : obligations) texts.push_back(fmt::format("{}({})", name, value));
  return texts;
}

ordered_json json_of(const policy::Decision& decision) {
  return {{"effect", decision.permit ? "permit" : "forbid"},
          {"policies", decision.determining},
          {"obligations", texts_of(decision.obligations)},
          {"errors", decision.errors}};
}

ordered_json json_of(const Count& row) {
  return {{"requests", row.requests},
          {"now_forbidden", row.now_forbidden},
          {"now_permitted", row.now_permitted},
          {"other_obligations", row.other_obligations}};
}

void print_line(const ordered_json& line) {
  std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void print_change_json(const WhatIf& one) {
  print_line({{"index", one.index},
              {"id", one.id},
              {"principal", one.principal},
              {"route", one.route},
              {"model", one.model},
              {"before", json_of(one.before)},
              {"after", json_of(one.after)},
              {"because", one.because()},
              {"incomplete", one.incomplete}});
}

void print_summary_json(const Found& found) {
  ordered_json callers = ordered_json::array();
  for (const auto& [key, row] : found.by_caller) {
    ordered_json line = {{"principal", key.first}, {"route", key.second}};
    line.update(json_of(row));
    callers.push_back(std::move(line));
  }
  ordered_json policies = ordered_json::array();
  for (const auto& [policy, row] : found.by_policy) {
    ordered_json line = {{"policy", policy}};
    line.update(json_of(row));
    line.erase("requests");
    policies.push_back(std::move(line));
  }
  ordered_json summary = json_of(found.total);
  summary["first"] = found.first_time;
  summary["last"] = found.last_time;
  summary["by_principal_and_route"] = std::move(callers);
  summary["by_policy"] = std::move(policies);
  summary["incomplete"] = found.incomplete;
  summary["not_derived"] = found.not_derived;
  summary["not_compared"] = found.not_compared;
  summary["cut_short"] = found.cut_short;
  print_line(summary);
}

std::string shown(const policy::Decision& decision) {
  std::string text = decision.permit ? "permit" : "forbid";
  const auto names = decision.permit ? texts_of(decision.obligations) : decision.determining;
  if (!names.empty()) text += fmt::format(" ({})", fmt::join(names, ", "));
  return text;
}

void print_changes(const Found& found, std::size_t rows) {
  if (found.changes.empty()) return;
  std::cout << fmt::format("{:>10}  {:<24} {:<17} {:<20} BEFORE -> AFTER\n", "ENTRY", "PRINCIPAL",
                           "ROUTE", "MODEL");
  for (const WhatIf& one : found.changes)
    std::cout << fmt::format("{:>10}  {:<24} {:<17} {:<20} {} -> {}{}\n", one.index,
                             printable(one.principal), one.route, printable(one.model),
                             printable(shown(one.before)), printable(shown(one.after)),
                             one.incomplete ? "  (as far as recorded)" : "");
  if (found.total.changed() > rows)
    std::cout << fmt::format("… and {} more (--rows, or --json for all)\n",
                             found.total.changed() - rows);
  std::cout << '\n';
}

// Most changes first.
template <class Key>
std::vector<std::pair<Key, Count>> by_changes(const std::map<Key, Count>& counts) {
  std::vector<std::pair<Key, Count>> rows;
  for (const auto& row : counts)
    if (row.second.changed() > 0) rows.emplace_back(row);
  std::ranges::sort(rows, [](const auto& one, const auto& other) {
    const auto [changed, others] = std::pair(one.second.changed(), other.second.changed());
    return changed != others ? changed > others : one.first < other.first;
  });
  return rows;
}

void print_counts(const Found& found) {
  std::cout << fmt::format("{:<42} {:>10} {:>10} {:>12}\n", "BECAUSE OF POLICY", "FORBIDDEN",
                           "PERMITTED", "OBLIGATIONS");
  for (const auto& [policy, row] : by_changes(found.by_policy))
    std::cout << fmt::format("{:<42} {:>10} {:>10} {:>12}\n", printable(policy), row.now_forbidden,
                             row.now_permitted, row.other_obligations);
  std::cout << fmt::format("\n{:<24} {:<17} {:>10} {:>10} {:>10} {:>12}\n", "PRINCIPAL", "ROUTE",
                           "REQUESTS", "FORBIDDEN", "PERMITTED", "OBLIGATIONS");
  for (const auto& [caller, row] : by_changes(found.by_caller))
    std::cout << fmt::format("{:<24} {:<17} {:>10} {:>10} {:>10} {:>12}\n", printable(caller.first),
                             caller.second, row.requests, row.now_forbidden, row.now_permitted,
                             row.other_obligations);
  std::cout << '\n';
}

void print_people(const Found& found, std::size_t rows) {
  print_changes(found, rows);
  const Count& total = found.total;
  if (total.changed() > 0) print_counts(found);
  const std::string period =
      total.requests > 0 ? fmt::format(" from {} to {}", found.first_time, found.last_time) : "";
  std::cout << fmt::format(
      "{} requests{}: {} would be forbidden, {} permitted, {} have other obligations; {} as "
      "before\n",
      total.requests, printable(period), total.now_forbidden, total.now_permitted,
      total.other_obligations, total.requests - total.changed());
  if (found.incomplete > 0)
    std::cout << fmt::format(
        "{} of them: policies were told something the event does not have; compared as far as "
        "recorded\n",
        found.incomplete);
  for (const auto& [type, number] : found.not_compared)
    std::cout << fmt::format("{} decisions of another kind ({}) were not compared\n", number,
                             printable(type));
}

Result<Found> find_changes(DiffOptions options) {
  GH_ASSIGN(const auto before, policy::PolicySet::load(options.old_folder));
  GH_ASSIGN(const auto after, policy::PolicySet::load(options.new_folder));
  const std::filesystem::path directory = directory_of(options.where);
  if (options.snapshots.empty())
    options.snapshots = (directory / ".." / "snapshots").lexically_normal().string();
  ledger::EntryFilter period;
  const WallTime now = SystemClock().wall();
  if (!options.since.empty()) {
    GH_ASSIGN(period.since, ledger::parse_time_bound(options.since, now));
  }
  if (!options.until.empty()) {
    GH_ASSIGN(period.until, ledger::parse_time_bound(options.until, now));
  }
  std::vector<WhatIf> first;
  Run run(options, before, after, [&](WhatIf&& one) {
    if (options.as_json) return print_change_json(one);
    if (first.size() < options.rows) first.push_back(std::move(one));
  });
  GH_TRY(run.read(directory, period));
  Found found = run.found();
  found.changes = std::move(first);
  return found;
}

// What could not be found out, on stderr; false where there is none.
bool print_doubts(const Found& found) {
  for (const std::string& problem :
       std::span(found.problems).first(std::min(most_problems_shown, found.problems.size())))
    std::cerr << "gatehouse: " << printable(problem) << '\n';
  if (found.not_derived > 0)
    std::cerr << fmt::format("gatehouse: {} decisions could not be derived\n", found.not_derived);
  if (!found.cut_short.empty())
    std::cerr << "gatehouse: the ledger was not read to its end: " << printable(found.cut_short)
              << "; `gatehouse audit verify` says what is wrong with it\n";
  return found.not_derived > 0 || !found.cut_short.empty();
}

// 0: nothing would change; 1: something would; 2: it could not be found out, at least not for all.
int diff(const DiffOptions& options) {
  const auto found = find_changes(options);
  if (!found) {
    std::cerr << "gatehouse: " << printable(found.error().describe()) << '\n';
    return 2;
  }
  options.as_json ? print_summary_json(*found) : print_people(*found, options.rows);
  if (print_doubts(*found)) return 2;
  return found->total.changed() == 0 ? 0 : 1;
}

}  // namespace

void add_policy_diff(CLI::App& policy, Exit& exit) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* verb = policy.add_subcommand(
      "diff", "What NEW would have decided otherwise than OLD of the requests in the ledger");
  verb->add_option("OLD", options->old_folder, "Folder with policies")->required();
  verb->add_option("NEW", options->new_folder, "Another one")->required();
  verb->add_option("DIR", options->where, "The ledger (data/ledger)")->expected(0, 1);
  verb->add_option("--snapshots", options->snapshots, "Folder of sources (snapshots beside DIR)");
  verb->add_option("--since", options->since, "Time or age: 7d");
  verb->add_option("--until", options->until, "Time or age");
  verb->add_option("--rows", options->rows, "Changes shown")->capture_default_str();
  verb->add_flag("--json", options->as_json, "Print JSON, a line a change, then the counts");
  verb->callback([options, &exit] { exit = diff(*options); });
}

}  // namespace gatehouse::cli
