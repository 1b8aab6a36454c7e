// gatehouse audit replay: recorded decisions, derived again.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/audit_read.h"
#include "gateway/replay.h"
#include "ledger/ledger.h"
#include "ledger/query.h"

namespace gatehouse::cli {
namespace {

using nlohmann::ordered_json;

struct ReplayOptions {
  std::vector<std::string> where;  // [DIR] ID, or [DIR] with --all
  std::string snapshots;
  std::string content;
  std::string since;
  std::string until;
  bool all = false;
  bool as_json = false;
};

int report(const Error& error) {
  std::cerr << "gatehouse: " << printable(error.describe()) << '\n';
  return error.code == ErrorCode::data_loss ? 1 : 2;
}

int exit_of(gateway::Replayed::Outcome outcome) {
  switch (outcome) {
    case gateway::Replayed::Outcome::same:
    case gateway::Replayed::Outcome::same_as_recorded:
      return 0;
    case gateway::Replayed::Outcome::differs:
      return 1;
    case gateway::Replayed::Outcome::undetermined:
      return 2;
  }
  return 2;
}

void print_json(const gateway::Replayed& replayed) {
  ordered_json differences = ordered_json::array();
  for (const auto& one : replayed.differences)
    differences.push_back({{"member", one.member},
                           {"recorded", nlohmann::json::parse(one.recorded)},
                           {"derived", nlohmann::json::parse(one.derived)}});
  std::cout << ordered_json{{"index", replayed.index},
                            {"id", replayed.id},
                            {"outcome", to_string(replayed.outcome)},
                            {"effect", replayed.effect},
                            {"differences", std::move(differences)},
                            {"incomplete", replayed.incomplete},
                            {"notes", replayed.notes}}
                   .dump()
            << '\n';
}

void print_people(const gateway::Replayed& replayed) {
  std::cout << to_string(replayed.outcome) << ": entry " << replayed.index << "  " << replayed.id
            << "  " << replayed.effect << '\n';
  for (const auto& one : replayed.differences)
    std::cout << "  " << one.member << ": recorded " << printable(one.recorded) << ", derived "
              << printable(one.derived) << '\n';
  for (const auto& what : replayed.incomplete)
    std::cout << "  incomplete  " << printable(what) << '\n';
  for (const auto& note : replayed.notes) std::cout << "  note        " << printable(note) << '\n';
}

std::filesystem::path snapshots_of(const ReplayOptions& options, const std::string& directory) {
  if (!options.snapshots.empty()) return options.snapshots;
  return (std::filesystem::path(directory) / ".." / "snapshots").lexically_normal();
}

// ---- one ------------------------------------------------------------------------------------

Result<gateway::Replayed> replay_one(const ReplayOptions& options, const std::string& directory,
                                     const std::string& reference) {
  std::optional<std::string> content;
  if (!options.content.empty()) {
    GH_ASSIGN(content, read_file(options.content));
  }
  GH_ASSIGN(const auto found, ledger::find_entry(directory, reference));
  gateway::Replayer replayer(snapshots_of(options, directory));
  GH_ASSIGN(auto reader, ledger::EntryReader::open(directory));
  std::uint64_t index = 0;
  std::string entry;
  for (std::uint64_t next = 0; next < found.index; next = index + 1) {
    GH_ASSIGN(const bool more, reader.next(index, entry));
    if (!more) break;
    GH_TRY(replayer.feed(index, entry));
  }
  return replayer.replay(found.index, found.entry, content);
}

int replay(ReplayOptions options) {
  const std::string reference = options.where.back();
  options.where.pop_back();
  const auto replayed = replay_one(options, directory_of(options.where), reference);
  if (!replayed) return report(replayed.error());
  options.as_json ? print_json(*replayed) : print_people(*replayed);
  return exit_of(replayed->outcome);
}

// ---- many -----------------------------------------------------------------------------------

struct Tally {
  std::uint64_t same = 0;
  std::uint64_t same_as_recorded = 0;
  std::uint64_t differs = 0;
  std::uint64_t undetermined = 0;
  std::uint64_t not_replayed = 0;
  bool damaged = false;

  void count(gateway::Replayed::Outcome outcome) {
    switch (outcome) {
      case gateway::Replayed::Outcome::same:
        ++same;
        return;
      case gateway::Replayed::Outcome::same_as_recorded:
        ++same_as_recorded;
        return;
      case gateway::Replayed::Outcome::differs:
        ++differs;
        return;
      case gateway::Replayed::Outcome::undetermined:
        ++undetermined;
        return;
    }
  }
};

// Prints what is not simply the same.
void replay_and_count(gateway::Replayer& replayer, std::uint64_t index, const std::string& entry,
                      bool as_json, Tally& tally) {
  const auto replayed = replayer.replay(index, entry);
  if (!replayed) {
    ++tally.not_replayed;
    tally.damaged |= replayed.error().code == ErrorCode::data_loss;
    std::cerr << "gatehouse: entry " << index << ": " << printable(replayed.error().describe())
              << '\n';
    return;
  }
  tally.count(replayed->outcome);
  if (replayed->outcome == gateway::Replayed::Outcome::same) return;
  as_json ? print_json(*replayed) : print_people(*replayed);
}

Result<Tally> replay_range(const ReplayOptions& options, const std::string& directory,
                           const ledger::EntryFilter& filter) {
  gateway::Replayer replayer(snapshots_of(options, directory));
  GH_ASSIGN(auto reader, ledger::EntryReader::open(directory));
  Tally tally;
  std::uint64_t index = 0;
  std::string entry;
  while (true) {
    GH_ASSIGN(const bool more, reader.next(index, entry));
    if (!more) return tally;
    GH_TRY(replayer.feed(index, entry));
    if (matches(filter, entry)) replay_and_count(replayer, index, entry, options.as_json, tally);
  }
}

int replay_all(const ReplayOptions& options) {
  ledger::EntryFilter filter{.type = "request.decided"};
  const WallTime now = SystemClock().wall();
  for (const auto& [text, bound] :
       {std::pair(&options.since, &filter.since), std::pair(&options.until, &filter.until)}) {
    if (text->empty()) continue;
    auto parsed = ledger::parse_time_bound(*text, now);
    if (!parsed) return report(parsed.error());
    *bound = std::move(*parsed);
  }
  const auto tally = replay_range(options, directory_of(options.where), filter);
  if (!tally) return report(tally.error());
  if (options.as_json) {
    std::cout << ordered_json{{"same", tally->same},
                              {"same_as_recorded", tally->same_as_recorded},
                              {"differs", tally->differs},
                              {"undetermined", tally->undetermined},
                              {"not_replayed", tally->not_replayed}}
                     .dump()
              << '\n';
  } else {
    std::cout << tally->same << " the same, " << tally->same_as_recorded
              << " the same as far as recorded, " << tally->differs << " differ, "
              << tally->undetermined << " cannot be compared in full, " << tally->not_replayed
              << " could not be derived\n";
  }
  if (tally->differs > 0 || tally->damaged) return 1;
  return tally->undetermined > 0 || tally->not_replayed > 0 ? 2 : 0;
}

}  // namespace

void add_audit_replay(CLI::App& audit, Exit& exit) {
  auto options = std::make_shared<ReplayOptions>();
  auto* verb = audit.add_subcommand(
      "replay", "Derive a recorded decision again from its snapshot; exit 1 names what differs");
  verb->add_option("ID", options->where,
                   "[DIR] and the id or index of a decision; with --all only [DIR]")
      ->expected(0, 2);
  verb->add_option("--snapshots", options->snapshots, "Folder of sources (snapshots beside DIR)");
  auto* content =
      verb->add_option("--content", options->content, "The body as it came: inspect it again, too");
  auto* all = verb->add_flag("--all", options->all, "Every decision; prints those not the same");
  all->excludes(content);
  verb->add_option("--since", options->since, "Time or age, with --all")->needs(all);
  verb->add_option("--until", options->until, "Time or age, with --all")->needs(all);
  verb->add_flag("--json", options->as_json, "Print JSON");
  verb->callback([options, &exit] {
    if (options->all ? options->where.size() > 1 : options->where.empty()) {
      std::cerr << "gatehouse: give the id of one decision, or --all\n";
      exit = 2;
      return;
    }
    exit = options->all ? replay_all(*options) : replay(*options);
  });
}

}  // namespace gatehouse::cli
