// gatehouse inspect: list the detector rules, scan a text, check a folder of rules. Nothing here
// needs a running gateway. What a scan prints never holds the text it found.
#include "inspect/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using RuleSetPointer = std::shared_ptr<const inspect::RuleSet>;

struct InspectOptions {
  std::string folder;  // of rules; empty: the built-in ones
  std::string file;    // to scan; "-": standard input
  std::vector<std::string> locales;
  bool json = false;
  bool tell_by_exit = false;  // 1 where something is found
};

// A file that cannot be read, rules that are wrong or not there.
constexpr Exit nothing_done = 2;

Exit fail_with(const Error& error) {
  std::cerr << error.describe() << '\n';
  return nothing_done;
}

// Whatever no rule is for, a misspelt country above all, is said.
void tell_of_unknown(const std::vector<std::string>& wanted, const inspect::RuleSet& set) {
  for (const std::string& locale : wanted)
    if (!std::ranges::binary_search(set.locales(), locale))
      std::cerr << fmt::format("--locale {}: no rule is for it; rules are for {}\n", locale,
                               set.locales().empty()
                                   ? "no country in particular"
                                   : fmt::format("{}", fmt::join(set.locales(), ", ")));
}

Result<RuleSetPointer> load(const InspectOptions& options) {
  inspect::RuleSetOptions wanted;
  for (const std::string& locale : options.locales) {
    if (locale == "all") {
      wanted.all_locales = true;
    } else if (const auto country = inspect::read_locale(locale)) {
      wanted.locales.push_back(*country);
    } else {
      return fail(ErrorCode::invalid_argument,
                  "--locale " + locale + ": neither all nor two letters of ISO 3166");
    }
  }
  auto set = options.folder.empty() ? inspect::RuleSet::builtin(wanted)
                                    : inspect::RuleSet::load(options.folder, wanted);
  if (set) tell_of_unknown(wanted.locales, **set);
  return set;
}

void add_rule_options(CLI::App& verb, InspectOptions& options) {
  verb.add_option("--rules", options.folder, "Folder of rules instead of the built-in ones");
  verb.add_option("--locale", options.locales,
                  "Countries (ISO 3166; uk is gb) whose rules are wanted besides those for "
                  "everywhere: de,fr or all")
      ->delimiter(',');
}

void print_json_line(const std::string& line) {
  std::cout << line << '\n';
}

void print_rule(const inspect::Rule& rule, bool json) {
  if (!json) {
    std::cout << fmt::format("{:<34} {:<12} {:<12} p {:<6g} {}\n", rule.id,
                             inspect::to_string(rule.category), rule.kind, rule.p_value,
                             rule.description);
    return;
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("id").string(rule.id);
  writer.key("category").string(inspect::to_string(rule.category));
  writer.key("kind").string(rule.kind).key("p_value").number(rule.p_value);
  writer.key("description").string(rule.description).end_object();
  print_json_line(out);
}

Exit list_rules(const InspectOptions& options) {
  const auto set = load(options);
  if (!set) return fail_with(set.error());
  for (const inspect::Rule& rule : (*set)->rules()) print_rule(rule, options.json);
  if (!options.json)
    std::cout << fmt::format("{} rules, sha256:{}\n", (*set)->rules().size(),
                             to_hex((*set)->digest()));
  return 0;
}

// Lines and columns from 1; a column counts characters.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {}

  struct Place {
    std::size_t line = 1;
    std::size_t column = 1;
  };
  // Positions must be asked for in rising order.
  Place of(std::size_t position) {
    for (; at_ < position; ++at_) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if ((byte & 0xc0) != 0x80) {
        ++place_.column;
      }
    }
    return place_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  Place place_;
};

void print_finding(const inspect::RuleSet& set, const inspect::Finding& finding,
                   Places::Place place, const InspectOptions& options) {
  const inspect::Rule& rule = set.rules()[finding.rule];
  if (!options.json) {
    std::cout << fmt::format("{}:{}:{}: {} ({}, {}, {} bytes, p {:g})\n", options.file, place.line,
                             place.column, rule.id, inspect::to_string(rule.category), rule.kind,
                             finding.span.end - finding.span.begin, finding.p_value);
    return;
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("file").string(options.file);
  writer.key("line").number(place.line).key("column").number(place.column);
  writer.key("begin").number(finding.span.begin).key("end").number(finding.span.end);
  writer.key("rule").string(rule.id);
  writer.key("category").string(inspect::to_string(rule.category));
  writer.key("kind").string(rule.kind).key("p_value").number(finding.p_value).end_object();
  print_json_line(out);
}

Result<std::string> read_input(const std::string& file) {
  if (file != "-") return read_file(file);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

Exit scan(const InspectOptions& options) {
  const auto text = read_input(options.file);
  if (!text) return fail_with(text.error());
  const auto set = load(options);
  if (!set) return fail_with(set.error());
  inspect::Scanner scanner(*set);
  Places places(*text);
  const std::vector<inspect::Finding> findings = scanner.scan(*text);
  for (const inspect::Finding& finding : findings)
    print_finding(**set, finding, places.of(finding.span.begin), options);
  if (findings.empty()) std::cerr << options.file << ": nothing found\n";
  return options.tell_by_exit && !findings.empty() ? 1 : 0;
}

Exit check(const InspectOptions& options) {
  const auto set = inspect::RuleSet::load(options.folder, true);
  if (!set) return fail_with(set.error());
  std::cout << fmt::format("{}: {} rules, every example holds, sha256:{}\n", options.folder,
                           (*set)->rules().size(), to_hex((*set)->digest()));
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Exit& exit) {
  auto* verb =
      app.add_subcommand("inspect", "What is in a text: list, try and check detector rules");
  verb->require_subcommand(1);
  auto options = std::make_shared<InspectOptions>();

  auto* rules = verb->add_subcommand("rules", "List the rules");
  add_rule_options(*rules, *options);
  rules->add_flag("--json", options->json, "One JSON object a line");
  rules->callback([options, &exit] { exit = list_rules(*options); });

  auto* scanning = verb->add_subcommand("scan", "Print what is found in a file, without the text");
  scanning->add_option("file", options->file, "The file, or - for standard input")->required();
  add_rule_options(*scanning, *options);
  scanning->add_flag("--json", options->json, "One JSON object a line");
  scanning->add_flag(
      "--exit-code", options->tell_by_exit,
      "Exit with 1 where something is found, with 0 where nothing is; 2: the file or "
      "the rules could not be read");
  scanning->callback([options, &exit] { exit = scan(*options); });

  auto* checking = verb->add_subcommand("check", "Load a folder of rules and run their examples");
  checking->add_option("folder", options->folder, "The folder")->required();
  checking->callback([options, &exit] { exit = check(*options); });

  add_inspect_calibrate(*verb, exit);
  add_inspect_dictionary(*verb, exit);
  add_inspect_eval(*verb, exit);
  add_inspect_grounding(*verb, exit);
  add_inspect_train(*verb, exit);
}

}  // namespace gatehouse::cli
