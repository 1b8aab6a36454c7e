// What is wrong with a policy set is said with file, line, column and, for types, the attribute.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "policy/fixture.h"

namespace gatehouse::policy {
namespace {

class Folder {
 public:
  Folder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "gatehouse-policy-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  void write(std::string_view name, std::string_view text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  void write_defaults() const {
    for (const BuiltinFile& file : builtin_files()) write(file.name, file.text);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(Load, ATypeErrorNamesFileLineAndAttribute) {
  const Folder folder;
  folder.write_defaults();
  folder.write("40-night.cedar",
               "@id(\"night\")\n"
               "forbid (principal, action == Gatehouse::Action::\"infer\", resource)\n"
               "when { context.hour < \"7\" };\n");
  const auto set = PolicySet::load(folder.path());
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(set.error().message,
            fmt::format("{}/40-night.cedar:3:23: unexpected type: expected Long but saw String; "
                        "attribute context.hour; in policy night",
                        folder.path().string()));
}

TEST(Load, AMisspeltAttributeGetsAHint) {
  const std::string error =
      load_error(fmt::format("{}\nwhen {{ context.findings.credential > 0 }};", forbid_infer));
  EXPECT_TRUE(error.starts_with("a.cedar:2:8: ")) << error;
  EXPECT_TRUE(error.contains("attribute context.findings.credential;")) << error;
  EXPECT_TRUE(error.contains("did you mean `credentials`?")) << error;
}

TEST(Load, AllProblemsAreListedByPlace) {
  const Files files = {
      {"schema.cedarschema", "namespace Gatehouse { entity User; entity Model = ; }"},
      {"b.cedar", "permit (principal, action, resource)\nwhen { };"},
      {"a.cedar", "permit (principal, action, resource);\nforbid"}};
  const auto set = PolicySet::parse(files);
  ASSERT_FALSE(set.has_value());
  const std::string& message = set.error().message;
  const std::size_t a = message.find("a.cedar:2:");
  const std::size_t b = message.find("b.cedar:2:");
  const std::size_t schema = message.find("schema.cedarschema:1:");
  EXPECT_LT(a, b) << message;
  EXPECT_LT(b, schema) << message;
  EXPECT_NE(schema, std::string::npos) << message;
}

struct Wrong {
  std::string_view input;
  std::string_view error;
};

TEST(Load, AnnotationsAreAClosedList) {
  const Wrong permits[] = {
      {"@redcat(\"personal\")", "a.cedar:1:1: unknown annotation @redcat; known are @id"},
      {"@redact(\"personel\")",
       "a.cedar:1:1: @redact has no value \"personel\"; each item is one of: credentials, "
       "personal"},
      {"@redact(\"personal,\")", "@redact has no value \"\""},
      {"@redact", "@redact has no value \"\""},
      {"@redact_answer(\"secrets\")", "@redact_answer has no value \"secrets\""},
      {"@check(\"links\")", "@check has \"links\"; write \"NAME:block\""},
      {"@check(\":block\")", "@check has \":block\""},
      {"@check(\"links:explode\")", "each item is one of: block, retry, redact, flag"},
      {"@canary(\"true\")", "@canary has no value \"true\"; it is one of: block, retry"},
      {"@require_validation(\"xml\")", "it is one of: json"},
      {"@log_content(\"some\")", "it is one of: none, flagged, all"},
      {"@shadow(\"false\")", "@shadow has no value \"false\""},
      {"@rollout(\"101\")", "@rollout: it is a number of per cent, 0 to 100"},
      {"@rollout(\"some\")", "@rollout: it is a number of per cent, 0 to 100"},
      {"@require_approval(\"count=0\")", "@require_approval: count is a number from 1 to 16"},
      {"@limit(\"hops=1\")", "@limit: there is no term hops"},
      {"@watermark_header(\"date\")",
       "@watermark_header: \"date\" is no header a policy may write"},
      {"@tokenise(\"all\")", "@tokenise has no value \"all\"; each item is one of: credentials"},
      {"@id(\"\")", "@id is empty"},
  };
  for (const Wrong& wrong : permits) {
    const std::string error = load_error(fmt::format("{}\n{};", wrong.input, permit_infer));
    EXPECT_TRUE(error.contains(wrong.error)) << error;
  }
}

TEST(Load, ObligationsThatAForbidCannotHaveAreErrors) {
  for (const std::string_view annotation :
       {"@redact(\"personal\")", "@redact_answer(\"personal\")", "@require_validation(\"json\")"}) {
    const std::string error = load_error(fmt::format("{}{};", annotation, forbid_infer));
    EXPECT_TRUE(error.contains("has nothing to act on")) << error;
  }
  EXPECT_NE(policies(fmt::format("@log_content(\"none\"){};", forbid_infer)), nullptr);
}

TEST(Load, PlacesAnnotationErrorsOnTheirLine) {
  const std::string error =
      load_error(fmt::format("{0};\n\n@id(\"x\")\n  @redact(\"all\")\n{0};", permit_infer));
  EXPECT_TRUE(error.starts_with("a.cedar:4:3: @redact")) << error;
  EXPECT_TRUE(error.ends_with("in policy x")) << error;
}

TEST(Load, IdsAreUniqueAcrossFilesAndDefaultToFileAndNumber) {
  const auto set = policies(fmt::format("@id(\"x\") {0};\n{0};\n", permit_infer));
  EXPECT_EQ(set->size(), 2u);
  EXPECT_EQ(set->policies()[0].id, "x");
  EXPECT_EQ(set->policies()[1].id, "a.cedar#2");
  EXPECT_EQ(set->policies()[1].where, "a.cedar:2");
  const std::string error =
      load_error(fmt::format("@id(\"x\") {0};\n@id(\"x\") {0};", permit_infer));
  EXPECT_TRUE(error.starts_with("a.cedar:2:1: policy id \"x\" is already used at a.cedar:1"))
      << error;
}

TEST(Load, WarnsOfWhatIsProbablyNotMeant) {
  const auto set =
      policies(fmt::format("{0} when {{ context.hour < 5 && context.stream && !context.stream }};\n"
                           "@advice(\"never seen\") {0} when {{ resource is Gatehouse::Gateway }};",
                           permit_infer));
  ASSERT_EQ(set->warnings().size(), 2u) << fmt::format("{}", fmt::join(set->warnings(), "\n"));
  EXPECT_TRUE(set->warnings()[0].starts_with("a.cedar:2:1: @advice on a permit"))
      << set->warnings()[0];
  EXPECT_TRUE(set->warnings()[1].contains("impossible")) << set->warnings()[1];
}

TEST(Load, ContentIsKeptWithoutAWarning) {
  const auto set = policies(
      fmt::format("@log_content(\"all\") {0};\n@log_content(\"none\") {0};", permit_infer));
  EXPECT_TRUE(set->warnings().empty());
  EXPECT_EQ(set->policies()[0].obligations, (std::vector<Obligation>{{"log_content", "all"}}));
}

TEST(Load, TextThatNestsTooDeepIsRefused) {
  const std::string deep = std::string(5000, '(') + "true" + std::string(5000, ')');
  const std::string error = load_error(fmt::format("{}\nwhen {{ {} }};", permit_infer, deep));
  EXPECT_EQ(error, "a.cedar:2:71: brackets nest deeper than 64");
}

TEST(Load, TemplatesAreRefused) {
  const std::string error = load_error("permit (principal == ?principal, action, resource);");
  EXPECT_TRUE(error.contains("templates are not supported")) << error;
}

TEST(Load, FilesAreChecked) {
  const auto error_of = [](const Files& files) {
    const auto set = PolicySet::parse(files);
    EXPECT_FALSE(set.has_value());
    return set ? std::string() : set.error().describe();
  };
  const std::string schema = "namespace Gatehouse { entity User; }";
  EXPECT_EQ(error_of({}), "there is no schema.cedarschema");
  EXPECT_EQ(error_of({{"schema.cedarschema", schema}, {"a.cedar", "\xff"}}),
            "a.cedar: not UTF-8 text");
  EXPECT_EQ(error_of({{"schema.cedarschema", schema}, {"a.cedar", ""}, {"a.cedar", " "}}),
            "a.cedar: two files have this name");
  EXPECT_EQ(error_of({{"schema.cedarschema", schema}, {"a.cedar", std::string(1u << 21, ' ')}}),
            "a.cedar: larger than 1024 KiB");
}

TEST(Load, FoldersAreChecked) {
  const Folder folder;
  const auto empty = PolicySet::load(folder.path());
  ASSERT_FALSE(empty.has_value());
  EXPECT_EQ(empty.error().describe(), folder.path().string() + ": there is no schema.cedarschema");
  const auto absent = PolicySet::load(folder.path() / "absent");
  ASSERT_FALSE(absent.has_value());
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
}

TEST(Load, TheDigestCoversNamesAndTexts) {
  const auto digest = [](const Files& files) {
    const auto set = PolicySet::parse(files);
    EXPECT_TRUE(set.has_value()) << set.error().describe();
    return (*set)->digest();
  };
  const std::string schema =
      "namespace Gatehouse { entity User; entity Model; action infer appliesTo "
      "{ principal: User, resource: Model }; }";
  const std::string permit = "permit (principal, action, resource);";
  const std::string first = digest({{"schema.cedarschema", schema}, {"a.cedar", permit}});
  EXPECT_EQ(first, digest({{"a.cedar", permit}, {"schema.cedarschema", schema}}));
  EXPECT_NE(first, digest({{"schema.cedarschema", schema}, {"b.cedar", permit}}));
  EXPECT_NE(first, digest({{"schema.cedarschema", schema}, {"a.cedar", permit + " "}}));
  EXPECT_NE(first, digest({{"schema.cedarschema", schema + " "}, {"a.cedar", permit}}));
}

// --- docs/policies.md
// -----------------------------------------------------------------------------

// The fenced blocks of the page that begin with `start`.
std::vector<std::string> blocks_of_the_page(std::string_view start) {
  std::ifstream page(std::filesystem::path(GATEHOUSE_SOURCE_DIR) / "docs/policies.md");
  std::vector<std::string> blocks;
  std::string block;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("```")) {
      if (inside) block += line + "\n";
      continue;
    }
    if (inside && block.starts_with(start)) blocks.push_back(block);
    inside = !inside;
    block.clear();
  }
  return blocks;
}

TEST(Page, ItsExamplesLoadAndPassTheirTests) {
  const auto examples = blocks_of_the_page("@id(");
  const auto tests = blocks_of_the_page("cases:");
  ASSERT_EQ(examples.size(), 5u);
  ASSERT_EQ(tests.size(), 1u);
  const Folder folder;
  folder.write_defaults();
  for (std::size_t i = 0; i < examples.size(); ++i)
    folder.write(fmt::format("5{}-example.cedar", i), examples[i]);
  folder.write("tests/example.yaml", tests[0]);
  const auto set = PolicySet::load(folder.path());
  ASSERT_TRUE(set.has_value()) << set.error().describe();
  EXPECT_EQ((*set)->warnings(), std::vector<std::string>{});
  const auto report = run_tests(**set, folder.path() / "tests");
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  EXPECT_GT(report->cases.size(), 14u);
  for (const auto& one : report->cases) EXPECT_TRUE(one.passed) << one.name << "\n" << one.detail;
}

// --- the test runner ----------------------------------------------------------------------------

Result<TestReport> run(std::string_view yaml) {
  const Folder folder;
  folder.write("cases.yaml", yaml);
  const auto set = PolicySet::builtin();
  EXPECT_TRUE(set.has_value());
  return run_tests(**set, folder.path());
}

TEST(Cases, AFailureSaysWhereAndWhat) {
  const auto report =
      run("cases:\n"
          "  - name: right\n"
          "    expect: { decision: permit }\n"
          "  - name: wrong in every way\n"
          "    context: { findings: { personal: 1 } }\n"
          "    expect:\n"
          "      decision: forbid\n"
          "      obligations: { redact: [personal, credentials] }\n"
          "      determining: [nobody]\n"
          "      shadow: [ghost]\n");
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  ASSERT_EQ(report->cases.size(), 2u);
  EXPECT_EQ(report->failures(), 1u);
  EXPECT_TRUE(report->cases[0].passed);
  EXPECT_TRUE(report->cases[1].where.ends_with("cases.yaml:4")) << report->cases[1].where;
  EXPECT_EQ(report->cases[1].detail,
            "decision: expected forbid, got permit (determined by [registered-models, "
            "personal-data-as-placeholders])\n"
            "obligations: expected [redact(credentials), redact(personal)], got "
            "[redact(personal), redact_answer(credentials)]\n"
            "determining: expected [nobody], got [personal-data-as-placeholders, "
            "registered-models]\n"
            "shadow: expected [ghost], got []");
}

TEST(Cases, AnErrorNeverPassesAsAForbid) {
  const auto report =
      run("cases:\n"
          "  - name: no such principal\n"
          "    principal: { type: Ghost, id: boo }\n"
          "    expect: { decision: forbid }\n");
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->failures(), 1u);
  EXPECT_TRUE(report->cases[0].detail.contains("error: principal: unknown entity type \"Ghost\""));
}

TEST(Cases, EveryPartCanBeSet) {
  const auto report =
      run("cases:\n"
          "  - name: everything\n"
          "    principal: { type: Service, id: mailer, team: red, cost_center: '42' }\n"
          "    action: infer\n"
          "    resource: { id: m, provider: p, trust: internal, registered: true, name: em }\n"
          "    context:\n"
          "      dialect: anthropic\n"
          "      route: messages\n"
          "      stream: true\n"
          "      purpose: support\n"
          "      hour: 3\n"
          "      weekday: 7\n"
          "      peer: 2001:db8::1\n"
          "      label: { confidentiality: restricted, categories: [a, b], integrity: 2 }\n"
          "      findings: { credentials: 1, personal: 2 }\n"
          "      uninspectable: true\n"
          "      tools: [search]\n"
          "    expect: { decision: permit }\n"
          "  - name: short forms\n"
          "    principal: ada\n"
          "    resource: gpt-4o\n"
          "    expect: { decision: permit }\n");
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  EXPECT_EQ(report->failures(), 0u) << report->cases[0].detail << report->cases[1].detail;
}

TEST(Cases, TheLabelIsTheOneTheGatewayWouldMake) {
  const auto set =
      policies(fmt::format("{0}; @id(\"secret\") {1} when {{ context.label.confidentiality >= 3 && "
                           "context.label.categories.contains(\"credentials\") }};"
                           "@id(\"trusted\") {1} when {{ context.label.integrity < 1 }};",
                           permit_infer, forbid_infer));
  const Folder folder;
  folder.write("cases.yaml",
               "cases:\n"
               "  - name: unverified\n"
               "    expect: { decision: permit }\n"
               "  - name: restricted by its findings\n"
               "    context: { findings: { credentials: 1 } }\n"
               "    expect: { decision: forbid, determining: [secret] }\n"
               "  - name: what the case says holds\n"
               "    context: { findings: { credentials: 1 }, label: { confidentiality: public, "
               "integrity: trusted } }\n"
               "    expect: { decision: forbid, determining: [trusted] }\n");
  const auto report = run_tests(*set, folder.path());
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  for (const auto& one : report->cases) EXPECT_TRUE(one.passed) << one.name << "\n" << one.detail;
}

TEST(Cases, WrongFilesAreErrorsWithLines) {
  const Wrong files[] = {
      {"cases:\n  - name: x\n", "cases.yaml:2"},
      {"cases:\n  - name: x\n    expect: { decision: maybe }\n", "expected one of: permit, forbid"},
      {"cases:\n  - name: x\n    expect: { obligations: {} }\n", "'decision' is missing"},
      {"cases:\n  - expect: { decision: permit }\n", "'name' is missing"},
      {"cases:\n  - name: x\n    contxt: {}\n    expect: { decision: permit }\n", "cases.yaml:3"},
      {"cases:\n  - name: x\n    context: { hour: 24 }\n    expect: { decision: permit }\n",
       "hour"},
      {"cases:\n  - name: x\n    context: { findings: { secrets: 1 } }\n    expect: { decision: "
       "permit }\n",
       "secrets"},
      {"cases: []\n", "there is no case"},
      {"cases: [", "not valid YAML"},
      {"", "cases.yaml:1"},
  };
  for (const Wrong& wrong : files) {
    const auto report = run(wrong.input);
    ASSERT_FALSE(report.has_value()) << wrong.input;
    EXPECT_TRUE(report.error().describe().contains(wrong.error)) << report.error().describe();
  }
}

TEST(Cases, AFolderWithoutCasesIsAnError) {
  const Folder folder;
  const auto set = PolicySet::builtin();
  EXPECT_EQ(run_tests(**set, folder.path()).error().code, ErrorCode::not_found);
  EXPECT_EQ(run_tests(**set, folder.path() / "absent").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace gatehouse::policy
