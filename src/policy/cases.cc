// Policy tests: YAML cases become requests (case_request.cc), decisions are compared with what the
// case expects.
// docs/policies.md describes the format.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/config.h"
#include "policy/case_request.h"
#include "policy/policy.h"

namespace gatehouse::policy {
namespace {

constexpr std::size_t max_test_files = 1000;

// What a case expects; nothing where it does not say.
struct Expected {
  bool permit = false;
  std::optional<std::vector<Obligation>> obligations;
  std::optional<std::vector<std::string>> determining;
  std::optional<std::vector<std::string>> shadow;
};

struct TestCase {
  std::string name;
  std::string where;
  Request request;
  Expected expected;
};

std::string file_and_line(const ConfigNode& node) {
  const std::string where = node.where();
  return where.substr(0, where.find(": "));
}

// Passes the errors of a nested map on to the reader of the map around it.
void close(ConfigReader& inner, ConfigReader& outer) {
  if (auto finished = inner.finish(); !finished) outer.note(std::move(finished).error());
}

std::vector<Obligation> read_obligations(const ConfigNode& node, ConfigReader& outer) {
  std::vector<Obligation> obligations;
  ConfigReader reader(node);
  for (const auto& [name, value] : node.members())
    for (std::string& item : reader.strings(name)) obligations.push_back({name, std::move(item)});
  close(reader, outer);
  std::ranges::sort(obligations);
  return obligations;
}

std::optional<std::vector<std::string>> read_ids(ConfigReader& reader, const ConfigNode& map,
                                                 std::string_view key) {
  std::vector<std::string> ids = reader.strings(key);
  if (!map.find(key)) return std::nullopt;
  std::ranges::sort(ids);
  return ids;
}

Expected read_expected(const std::optional<ConfigNode>& node, ConfigReader& outer,
                       const ConfigNode& test) {
  if (!node) {
    outer.note(test.error("the case has no 'expect'"));
    return {};
  }
  ConfigReader reader(*node);
  if (node->is_map() && !node->find("decision"))
    reader.note(node->error("the key 'decision' is missing: permit or forbid"));
  Expected expected;
  expected.permit = reader.choice("decision", 1, {"permit", "forbid"}) == 0;
  if (const auto obligations = reader.child("obligations"))
    expected.obligations = read_obligations(*obligations, reader);
  expected.determining = read_ids(reader, *node, "determining");
  expected.shadow = read_ids(reader, *node, "shadow");
  close(reader, outer);
  return expected;
}

TestCase read_case(const ConfigNode& node, ConfigReader& outer) {
  ConfigReader reader(node);
  TestCase test;
  test.name = reader.required_string("name");
  test.where = file_and_line(node);
  test.request = read_case_request(reader);
  test.expected = read_expected(reader.child("expect"), reader, node);
  close(reader, outer);
  return test;
}

Result<std::vector<TestCase>> read_cases(const std::filesystem::path& path) {
  GH_ASSIGN(const ConfigNode root, ConfigNode::parse_file(path));
  ConfigReader reader(root);
  std::vector<TestCase> cases;
  for (const ConfigNode& node : reader.list("cases")) cases.push_back(read_case(node, reader));
  if (root.is_map() && cases.empty()) reader.note(root.error("there is no case in 'cases'"));
  GH_TRY(reader.finish());
  return cases;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> shadow_ids(const Decision& decision) {
  std::vector<std::string> ids;
  ids.reserve(decision.shadow.size());
  for (const Decision::Shadow& shadow : decision.shadow) ids.push_back(shadow.policy);
  return sorted(std::move(ids));
}

std::vector<std::string> describe(const std::vector<Obligation>& obligations) {
  std::vector<std::string> lines;
  lines.reserve(obligations.size());
  for (const Obligation& one : obligations)
    lines.push_back(fmt::format("{}({})", one.name, one.value));
  return lines;
}

void compare(std::vector<std::string>& differences, std::string_view what,
             const std::vector<std::string>& expected, const std::vector<std::string>& got) {
  if (expected == got) return;
  differences.push_back(fmt::format("{}: expected [{}], got [{}]", what, fmt::join(expected, ", "),
                                    fmt::join(got, ", ")));
}

// Each difference on a line; empty where the decision is as expected. An error is never expected:
// it denies, but for a reason no case can mean.
std::string differences(const Expected& expected, const Decision& decision) {
  std::vector<std::string> lines;
  lines.reserve(decision.errors.size() + 4);
  const auto name = [](bool permit) { return permit ? "permit" : "forbid"; };
  for (const std::string& error : decision.errors) lines.push_back("error: " + error);
  if (expected.permit != decision.permit) {
    lines.push_back(fmt::format("decision: expected {}, got {} (determined by [{}])",
                                name(expected.permit), name(decision.permit),
                                fmt::join(decision.determining, ", ")));
  }
  if (expected.obligations)
    compare(lines, "obligations", describe(*expected.obligations), describe(decision.obligations));
  if (expected.determining)
    compare(lines, "determining", *expected.determining, sorted(decision.determining));
  if (expected.shadow) compare(lines, "shadow", *expected.shadow, shadow_ids(decision));
  return fmt::format("{}", fmt::join(lines, "\n"));
}

Result<std::vector<std::filesystem::path>> test_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code problem;
  std::filesystem::directory_iterator entry(folder, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    if (entry->path().extension() == ".yaml") files.push_back(entry->path());
    if (files.size() > max_test_files)
      return fail(ErrorCode::invalid_argument, fmt::format("more than {} files", max_test_files),
                  folder.string());
  }
  if (problem) return fail(ErrorCode::not_found, problem.message(), folder.string());
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::size_t TestReport::failures() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const Case& one) { return !one.passed; }));
}

Result<TestReport> run_tests(const PolicySet& policies, const std::filesystem::path& folder) {
  GH_ASSIGN(const auto files, test_files(folder));
  TestReport report;
  for (const auto& file : files) {
    GH_ASSIGN(const auto cases, read_cases(file));
    for (const TestCase& test : cases) {
      std::string detail = differences(test.expected, policies.decide(test.request));
      const bool passed = detail.empty();
      report.cases.push_back({test.name, test.where, passed, std::move(detail)});
    }
  }
  if (report.cases.empty())
    return fail(ErrorCode::not_found, "there is no test case (*.yaml)", folder.string());
  return report;
}

}  // namespace gatehouse::policy
