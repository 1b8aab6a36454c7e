// gatehouse policy: check, test, show and copy policy sets. Nothing here needs a running gateway.
#include "policy/policy.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "base/file.h"
#include "cli/policy_verbs.h"
#include "cli/verbs.h"
#include "policy/builtin.h"

namespace gatehouse::cli {
namespace {

using policy::PolicySet;
using PolicySetPointer = std::shared_ptr<const PolicySet>;

constexpr std::string_view default_folder = "policies";

Exit fail_with(const Error& error, Exit exit) {
  std::cerr << error.describe() << '\n';
  return exit;
}

// What is wrong with the policies is 1; that there are none to look at is 2.
Exit exit_code(const Error& error) {
  return error.code == ErrorCode::invalid_argument ? 1 : 2;
}

std::string count(std::size_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

void print_warnings(const PolicySet& set) {
  for (const std::string& warning : set.warnings()) std::cout << "warning: " << warning << '\n';
}

Exit check(const std::string& folder) {
  const auto set = PolicySet::load(folder);
  if (!set) return fail_with(set.error(), exit_code(set.error()));
  print_warnings(**set);
  std::cout << fmt::format("{}: {}, no errors, {}\n", folder,
                           count((*set)->size(), "policy", "policies"), (*set)->digest());
  return 0;
}

void print_failure(const policy::TestReport::Case& one) {
  std::cout << fmt::format("FAILED {}: {}\n", one.where, one.name);
  std::size_t begin = 0;
  while (begin <= one.detail.size()) {
    const std::size_t end = std::min(one.detail.find('\n', begin), one.detail.size());
    std::cout << "    " << std::string_view(one.detail).substr(begin, end - begin) << '\n';
    begin = end + 1;
  }
}

Exit test(const std::string& folder) {
  const auto set = PolicySet::load(folder);
  if (!set) return fail_with(set.error(), exit_code(set.error()));
  const auto report = run_tests(**set, std::filesystem::path(folder) / "tests");
  if (!report) return fail_with(report.error(), exit_code(report.error()));
  for (const auto& one : report->cases)
    if (!one.passed) print_failure(one);
  std::cout << fmt::format("{} passed, {} failed\n", report->cases.size() - report->failures(),
                           report->failures());
  return report->failures() == 0 ? 0 : 1;
}

void print_policy(const policy::PolicyInfo& one) {
  std::cout << fmt::format("{} {}{}  ({})\n", one.forbid ? "forbid" : "permit", one.id,
                           one.shadow ? ", shadow" : "", one.where);
  if (!one.description.empty()) std::cout << "    " << one.description << '\n';
  for (const policy::Obligation& obligation : one.obligations)
    std::cout << fmt::format("    obliges: {}({})\n", obligation.name, obligation.value);
  if (!one.advice.empty()) std::cout << "    advice: " << one.advice << '\n';
}

Exit show(const std::string& folder) {
  const auto set = folder.empty() ? PolicySet::builtin() : PolicySet::load(folder);
  if (!set) return fail_with(set.error(), exit_code(set.error()));
  for (const policy::PolicyInfo& one : (*set)->policies()) print_policy(one);
  print_warnings(**set);
  std::cout << (folder.empty() ? "built-in set" : folder) << ", " << (*set)->digest() << '\n';
  return 0;
}

// Copies the built-in set to begin one's own with; never over something that is there.
Exit init(const std::string& folder) {
  const std::filesystem::path root(folder);
  std::error_code problem;
  if (std::filesystem::exists(root, problem) && !std::filesystem::is_empty(root, problem)) {
    std::cerr << folder << ": is there already and not empty\n";
    return 2;
  }
  for (const policy::BuiltinFile& file : policy::builtin_files()) {
    const std::filesystem::path path = root / file.name;
    std::filesystem::create_directories(path.parent_path(), problem);
    if (const auto written = write_file_atomically(path, file.text, 0644); !written)
      return fail_with(written.error(), 2);
    std::cout << path.string() << '\n';
  }
  return 0;
}

}  // namespace

void add_policy(CLI::App& app, Exit& exit) {
  CLI::App* policy = app.add_subcommand("policy", "Check, test, prove, compare and show policies");
  policy->require_subcommand(1);
  auto folder = std::make_shared<std::string>(default_folder);
  auto shown = std::make_shared<std::string>();

  CLI::App* check_verb =
      policy->add_subcommand("check", "Parse and validate a folder of Cedar policies");
  check_verb->add_option("DIR", *folder, "Folder with schema.cedarschema and *.cedar")
      ->capture_default_str();
  check_verb->callback([folder, &exit] { exit = check(*folder); });

  CLI::App* test_verb =
      policy->add_subcommand("test", "Run the cases in DIR/tests/*.yaml against the policies");
  test_verb->add_option("DIR", *folder, "Folder with the policies")->capture_default_str();
  test_verb->callback([folder, &exit] { exit = test(*folder); });

  CLI::App* show_verb =
      policy->add_subcommand("show", "List the policies, what they oblige to and where they are");
  show_verb->add_option("DIR", *shown, "Folder with the policies (default: the built-in set)");
  show_verb->callback([shown, &exit] { exit = show(*shown); });

  CLI::App* init_verb =
      policy->add_subcommand("init", "Copy the built-in set and its tests to begin your own with");
  init_verb->add_option("DIR", *folder, "Folder to make")->capture_default_str();
  init_verb->callback([folder, &exit] { exit = init(*folder); });

  add_policy_diff(*policy, exit);
  add_policy_prove(*policy, exit);
}

}  // namespace gatehouse::cli
