// gatehouse policy diff: what another policy set would have decided of the requests in a ledger.
// The log is read in order on this thread; decisions are derived again on as many as there are
// cores.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
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

namespace gatehouse::cli {
namespace {

using gateway::WhatIf;
using nlohmann::ordered_json;
using PolicySetPointer = std::shared_ptr<const policy::PolicySet>;

constexpr std::size_t batch_entries = 32'768;
constexpr std::size_t most_problems_shown = 5;

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

// By principal and route.
struct Count {
  std::uint64_t requests = 0;
  std::uint64_t now_forbidden = 0;
  std::uint64_t now_permitted = 0;
  std::uint64_t other_obligations = 0;
};
using Counts = std::map<std::pair<std::string, std::string>, Count, std::less<>>;

struct Found {
  std::vector<WhatIf> changes;  // in order
  Counts counts;
  std::vector<std::string> problems;
  std::uint64_t not_derived = 0;
  std::uint64_t incomplete = 0;
};

void count(Counts& counts, const WhatIf& one) {
  Count& row = counts[{one.principal, one.route}];
  ++row.requests;
  if (!one.changed()) return;
  if (one.before.permit == one.after.permit) {
    ++row.other_obligations;
  } else if (one.after.permit) {
    ++row.now_permitted;
  } else {
    ++row.now_forbidden;
  }
}

// One thread's share of a batch. The caches live as long as the run.
class Judge {
 public:
  Judge(const PolicySetPointer& before, const PolicySetPointer& after)
      : before_(before), after_(after) {}

  void judge(const gateway::Replayer& replayer, std::span<const Entry> entries) {
    for (const Entry& entry : entries) judge(replayer, entry);
  }
  Found found;

 private:
  void judge(const gateway::Replayer& replayer, const Entry& entry) {
    auto one = replayer.what_if(entry.index, entry.text, before_, after_);
    if (!one) {
      ++found.not_derived;
      if (found.problems.size() < most_problems_shown)
        found.problems.push_back(fmt::format("entry {}: {}", entry.index, one.error().describe()));
      return;
    }
    found.incomplete += one->incomplete ? 1 : 0;
    count(found.counts, *one);
    if (one->changed()) found.changes.push_back(std::move(*one));
  }

  gateway::DecisionCache before_;
  gateway::DecisionCache after_;
};

class Run {
 public:
  Run(const DiffOptions& options, PolicySetPointer before, PolicySetPointer after)
      : replayer_(options.snapshots) {
    const std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
    for (std::size_t at = 0; at < threads; ++at)
      judges_.push_back(std::make_unique<Judge>(before, after));
  }

  Result<void> read(const std::filesystem::path& directory, const ledger::EntryFilter& filter) {
    GH_ASSIGN(auto reader, ledger::EntryReader::open(directory));
    std::vector<Entry> batch;
    Entry entry;
    while (true) {
      GH_ASSIGN(const bool more, reader.next(entry.index, entry.text));
      if (!more) break;
      GH_TRY(replayer_.feed(entry.index, entry.text));
      if (!matches(filter, entry.text)) continue;
      batch.push_back(entry);
      if (batch.size() == batch_entries) judge(batch);
    }
    judge(batch);
    return {};
  }

  Found found() {
    Found all;
    for (auto& judge : judges_) merge(all, judge->found);
    std::ranges::sort(all.changes, {}, &WhatIf::index);
    return all;
  }

 private:
  void judge(std::vector<Entry>& batch) {
    const std::size_t share = (batch.size() + judges_.size() - 1) / judges_.size();
    std::vector<std::jthread> threads;
    for (std::size_t at = 0; at < judges_.size(); ++at) {
      const std::size_t begin = std::min(batch.size(), at * share);
      const std::span entries(batch.data() + begin, std::min(share, batch.size() - begin));
      threads.emplace_back([this, at, entries] { judges_[at]->judge(replayer_, entries); });
    }
    threads.clear();
    batch.clear();
  }

  static void merge(Found& all, Found& part) {
    std::ranges::move(part.changes, std::back_inserter(all.changes));
    std::ranges::move(part.problems, std::back_inserter(all.problems));
    all.not_derived += part.not_derived;
    all.incomplete += part.incomplete;
    for (const auto& [key, row] : part.counts) {
      Count& sum = all.counts[key];
      sum.requests += row.requests;
      sum.now_forbidden += row.now_forbidden;
      sum.now_permitted += row.now_permitted;
      sum.other_obligations += row.other_obligations;
    }
  }

  gateway::Replayer replayer_;
  std::vector<std::unique_ptr<Judge>> judges_;
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

Count total_of(const Counts& counts) {
  Count total;
  for (const auto& [key, row] : counts) {
    total.requests += row.requests;
    total.now_forbidden += row.now_forbidden;
    total.now_permitted += row.now_permitted;
    total.other_obligations += row.other_obligations;
  }
  return total;
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

void print_json(const Found& found) {
  for (const WhatIf& one : found.changes)
    print_line({{"index", one.index},
                {"id", one.id},
                {"principal", one.principal},
                {"route", one.route},
                {"model", one.model},
                {"before", json_of(one.before)},
                {"after", json_of(one.after)},
                {"incomplete", one.incomplete}});
  ordered_json rows = ordered_json::array();
  for (const auto& [key, row] : found.counts) {
    ordered_json line = {{"principal", key.first}, {"route", key.second}};
    line.update(json_of(row));
    rows.push_back(std::move(line));
  }
  ordered_json summary = json_of(total_of(found.counts));
  summary["by_principal_and_route"] = std::move(rows);
  summary["incomplete"] = found.incomplete;
  summary["not_derived"] = found.not_derived;
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
  for (const WhatIf& one : std::span(found.changes).first(std::min(rows, found.changes.size())))
    std::cout << fmt::format("{:>10}  {:<24} {:<17} {:<20} {} -> {}{}\n", one.index,
                             printable(one.principal), one.route, printable(one.model),
                             printable(shown(one.before)), printable(shown(one.after)),
                             one.incomplete ? "  (as far as recorded)" : "");
  if (found.changes.size() > rows)
    std::cout << fmt::format("… and {} more (--rows, or --json for all)\n",
                             found.changes.size() - rows);
  std::cout << '\n';
}

void print_counts(const Counts& counts) {
  std::cout << fmt::format("{:<24} {:<17} {:>10} {:>10} {:>10} {:>12}\n", "PRINCIPAL", "ROUTE",
                           "REQUESTS", "FORBIDDEN", "PERMITTED", "OBLIGATIONS");
  for (const auto& [key, row] : counts) {
    if (row.now_forbidden + row.now_permitted + row.other_obligations == 0) continue;
    std::cout << fmt::format("{:<24} {:<17} {:>10} {:>10} {:>10} {:>12}\n", printable(key.first),
                             key.second, row.requests, row.now_forbidden, row.now_permitted,
                             row.other_obligations);
  }
}

void print_people(const Found& found, std::size_t rows) {
  print_changes(found, rows);
  const Count total = total_of(found.counts);
  if (!found.changes.empty()) print_counts(found.counts);
  std::cout << fmt::format(
      "{} requests: {} would be forbidden, {} permitted, {} have other obligations; {} as before\n",
      total.requests, total.now_forbidden, total.now_permitted, total.other_obligations,
      total.requests - found.changes.size());
  if (found.incomplete > 0)
    std::cout << fmt::format("{} were told something their event does not have\n",
                             found.incomplete);
}

Result<Found> find_changes(DiffOptions options) {
  GH_ASSIGN(const auto before, policy::PolicySet::load(options.old_folder));
  GH_ASSIGN(const auto after, policy::PolicySet::load(options.new_folder));
  const std::filesystem::path directory = directory_of(options.where);
  if (options.snapshots.empty())
    options.snapshots = (directory / ".." / "snapshots").lexically_normal().string();
  ledger::EntryFilter filter{.type = "request.decided"};
  const WallTime now = SystemClock().wall();
  if (!options.since.empty()) {
    GH_ASSIGN(filter.since, ledger::parse_time_bound(options.since, now));
  }
  if (!options.until.empty()) {
    GH_ASSIGN(filter.until, ledger::parse_time_bound(options.until, now));
  }
  Run run(options, before, after);
  GH_TRY(run.read(directory, filter));
  return run.found();
}

// 0: nothing would change; 1: something would; 2: it could not be found out.
int diff(const DiffOptions& options) {
  const auto found = find_changes(options);
  if (!found) {
    std::cerr << "gatehouse: " << printable(found.error().describe()) << '\n';
    return 2;
  }
  options.as_json ? print_json(*found) : print_people(*found, options.rows);
  for (const std::string& problem : found->problems)
    std::cerr << "gatehouse: " << printable(problem) << '\n';
  if (found->not_derived > 0) {
    std::cerr << fmt::format("gatehouse: {} decisions could not be derived\n", found->not_derived);
    return 2;
  }
  return found->changes.empty() ? 0 : 1;
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
