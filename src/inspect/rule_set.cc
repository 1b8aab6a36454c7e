// Makes a RuleSet of rule files. Order of rules: files in name order, rules as listed.
#include "inspect/rule_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/file.h"
#include "base/text.h"
#include "inspect/dictionary.h"
#include "inspect/hidden.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t max_rules = 10'000;
constexpr std::size_t max_rule_file = 1 << 20;

struct File {
  std::string_view name;
  std::string_view content;
};

std::string source_of(std::span<const File> files) {
  std::string all;
  for (const File& file : files)
    fmt::format_to(std::back_inserter(all), "{}:{}:{}:{}", file.name.size(), file.name,
                   file.content.size(), file.content);
  return all;
}

// Rules of other places are left out.
bool is_wanted(const RuleSource& source, const RuleSetOptions& options) {
  if (!options.categories.test(static_cast<std::size_t>(source.rule.category))) return false;
  return options.all_locales || source.locales.empty() ||
         std::any_of(source.locales.begin(), source.locales.end(), [&](const auto& locale) {
           return std::find(options.locales.begin(), options.locales.end(), locale) !=
                  options.locales.end();
         });
}

Result<void> add_rules(RuleSet::Impl& impl, std::vector<RuleSource> sources,
                       const RuleSetOptions& options) {
  for (RuleSource& source : sources) {
    impl.locales.insert(impl.locales.end(), source.locales.begin(), source.locales.end());
    if (!is_wanted(source, options)) continue;
    const bool known = std::any_of(impl.rules.begin(), impl.rules.end(),
                                   [&](const Rule& rule) { return rule.id == source.rule.id; });
    if (known)
      return fail(ErrorCode::already_exists, "rule '" + source.rule.id + "' is defined twice",
                  source.where);
    impl.rules.push_back(source.rule);
    impl.compiled.push_back(std::make_unique<CompiledRule>(std::move(source)));
    GH_TRY(impl.compiled.back()->check());
  }
  if (impl.rules.size() > max_rules)
    return fail(ErrorCode::invalid_argument, fmt::format("more than {} rules", max_rules));
  return {};
}

Result<void> add_detectors(RuleSet::Impl& impl, const RuleSetOptions& options) {
  impl.first_hidden_rule = static_cast<std::uint32_t>(impl.rules.size());
  std::vector<std::unique_ptr<const Detector>> detectors = builtin_detectors();
  detectors.insert(detectors.begin(), make_hidden_detector());
  for (const auto& dictionary : options.dictionaries)
    detectors.push_back(make_dictionary_detector(dictionary));
  for (auto& detector : detectors) {
    PlacedDetector placed{nullptr, static_cast<std::uint32_t>(impl.rules.size()), {}};
    for (const Rule& rule : detector->rules()) {
      const bool known = std::ranges::find(impl.rules, rule.id, &Rule::id) != impl.rules.end();
      if (known)
        return fail(ErrorCode::already_exists, "rule '" + rule.id + "' is built in already");
      placed.categories.set(static_cast<std::size_t>(rule.category));
      impl.rules.push_back(rule);
    }
    impl.look_back = std::max(impl.look_back, detector->look_back());
    placed.detector = std::move(detector);
    impl.detectors.push_back(std::move(placed));
  }
  return {};
}

// What is wrong with one example of a rule, or nothing.
std::string example_problem(const std::vector<Finding>& findings, std::uint32_t rule,
                            const Example& example, bool must_match) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [rule](const Finding& f) { return f.rule == rule; });
  if (!must_match) return found == findings.end() ? "" : "is found and must not be";
  if (found == findings.end()) return "is not found";
  if (!example.span || found->span == *example.span) return "";
  return fmt::format("is found at {}-{}, not at the marked {}-{}", found->span.begin,
                     found->span.end, example.span->begin, example.span->end);
}

Result<void> check_examples(const std::shared_ptr<const RuleSet>& set) {
  Scanner scanner(set);
  std::string problems;
  for (std::uint32_t i = 0; i < set->impl().compiled.size(); ++i) {
    const RuleSource& rule = set->impl().compiled[i]->source();
    const auto check = [&](const std::vector<Example>& examples, bool must_match) {
      for (std::size_t n = 0; n < examples.size(); ++n) {
        const std::string problem =
            example_problem(scanner.scan(examples[n].text), i, examples[n], must_match);
        if (!problem.empty())
          problems += fmt::format("{}{}: rule '{}': {} example {} {}", problems.empty() ? "" : "\n",
                                  rule.where, rule.rule.id, must_match ? "match" : "no_match",
                                  n + 1, problem);
      }
    };
    check(rule.must_match, true);
    check(rule.must_not_match, false);
  }
  if (!problems.empty()) return fail(ErrorCode::invalid_argument, std::move(problems));
  return {};
}

// The names of the built-in files where a folder extends them; no file of a folder can have one.
constexpr std::string_view builtin_prefix = "builtin:";

// Whether a folder's files extend the built-in rules, and which of those they leave out.
Result<RuleFileHead> read_heads(std::span<const File> files) {
  RuleFileHead all;
  for (const File& file : files) {
    GH_ASSIGN(RuleFileHead head, read_rule_file_head(file.content, std::string(file.name)));
    all.extends_builtin = all.extends_builtin || head.extends_builtin;
    std::ranges::move(head.disabled, std::back_inserter(all.disabled));
  }
  return all;
}

using Disabled = std::vector<RuleFileHead::Disabled>;

// Leaves the disabled rules out. Whatever is still in `unknown` at the end is no built-in rule.
void leave_out(std::vector<RuleSource>& sources, const Disabled& disabled, Disabled& unknown) {
  std::erase_if(sources, [&](const RuleSource& source) {
    std::erase_if(unknown, [&](const auto& one) { return one.id == source.rule.id; });
    return std::ranges::find(disabled, source.rule.id, &RuleFileHead::Disabled::id) !=
           disabled.end();
  });
}

// "acme.yaml", "acme.yaml and 2 more".
std::string names_of(std::span<const File> files) {
  if (files.empty()) return "";
  const std::string first(files.front().name);
  return files.size() == 1 ? first : fmt::format("{} and {} more", first, files.size() - 1);
}

// What of the options decides which rules there are, as one more part of the source; nothing where
// they are the defaults.
std::string options_text(const RuleSetOptions& options) {
  std::string text;
  if (options.all_locales) text += "locale all\n";
  std::set<std::string> locales(options.locales.begin(), options.locales.end());
  for (const std::string& locale : locales) text += "locale " + locale + '\n';
  for (const auto& dictionary : options.dictionaries)
    text += dictionary->rule().id + " sha256:" + to_hex(dictionary->digest()) + '\n';
  for (std::size_t i = 0; i < category_count; ++i)
    if (!options.categories.test(i))
      text += fmt::format("without {}\n", to_string(static_cast<Category>(i)));
  return text;
}

Result<std::shared_ptr<const RuleSet>> build(std::span<const File> files,
                                             const RuleSetOptions& options,
                                             const Disabled& disabled = {}) {
  auto impl = std::make_unique<RuleSet::Impl>();
  Disabled unknown = disabled;
  for (const File& file : files) {
    GH_ASSIGN(auto sources, read_rule_file(file.content, std::string(file.name)));
    if (file.name.starts_with(builtin_prefix)) leave_out(sources, disabled, unknown);
    GH_TRY(add_rules(*impl, std::move(sources), options));
  }
  if (!unknown.empty())
    return fail(ErrorCode::invalid_argument,
                "there is no built-in rule '" + unknown.front().id + "'", unknown.front().where);
  if (impl->rules.empty())
    return fail(ErrorCode::invalid_argument, "there are no rules", names_of(files));
  std::ranges::sort(impl->locales);
  impl->locales.erase(std::ranges::unique(impl->locales).begin(), impl->locales.end());
  GH_ASSIGN(impl->searches, build_searches(impl->compiled));
  GH_TRY(add_detectors(*impl, options));
  impl->source = source_of(files);
  if (const std::string text = options_text(options); !text.empty())
    impl->source += source_of(std::vector<File>{{"options", text}});
  impl->digest = crypto::sha256(bytes_of(impl->source));
  std::shared_ptr<const RuleSet> set = std::make_shared<RuleSet>(std::move(impl));
  if (options.run_examples) {
    GH_TRY(check_examples(set));
  }
  return set;
}

Result<std::vector<std::filesystem::path>> rule_files_below(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(folder, error);
  for (const std::filesystem::recursive_directory_iterator end; !error && entry != end;
       entry.increment(error))
    if (entry->is_regular_file(error) && entry->path().extension() == ".yaml")
      paths.push_back(entry->path());
  if (error) return fail(ErrorCode::not_found, error.message(), folder.string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

const PrefixAutomata& RuleSet::Impl::prefixes() const {
  std::call_once(once_, [this] {
    prefixes_ = std::make_unique<PrefixAutomata>(compiled, searches.told_within);
  });
  return *prefixes_;
}

RuleSet::RuleSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleSet::~RuleSet() = default;

const std::vector<std::string>& RuleSet::locales() const {
  return impl_->locales;
}
const std::vector<Rule>& RuleSet::rules() const {
  return impl_->rules;
}
const std::string& RuleSet::source() const {
  return impl_->source;
}
const crypto::Digest& RuleSet::digest() const {
  return impl_->digest;
}

Result<std::shared_ptr<const RuleSet>> RuleSet::builtin(const RuleSetOptions& options) {
  std::vector<File> files;
  for (const auto& [name, content] : builtin_rule_files()) files.push_back({name, content});
  return build(files, options);
}

Result<std::shared_ptr<const RuleSet>> RuleSet::load(const std::filesystem::path& folder,
                                                     const RuleSetOptions& options) {
  GH_ASSIGN(const auto paths, rule_files_below(folder));
  if (paths.empty())
    return fail(ErrorCode::invalid_argument, "there are no rules: no file ends in .yaml",
                folder.string());
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::filesystem::path& path : paths) {
    GH_ASSIGN(std::string content, read_file(path, max_rule_file));
    files.emplace_back(std::filesystem::relative(path, folder).string(), std::move(content));
  }
  return parse(files, options);
}

Result<std::shared_ptr<const RuleSet>> RuleSet::load(const std::filesystem::path& folder,
                                                     bool run_examples) {
  RuleSetOptions options;
  options.run_examples = run_examples;
  return load(folder, options);
}

Result<std::shared_ptr<const RuleSet>> RuleSet::parse(
    std::span<const std::pair<std::string, std::string>> files, const RuleSetOptions& options) {
  std::vector<File> own;
  for (const auto& [name, content] : files) own.push_back({name, content});
  GH_ASSIGN(const RuleFileHead head, read_heads(own));
  if (!head.extends_builtin) return build(own, options);
  std::vector<std::string> names;
  for (const auto& [name, content] : builtin_rule_files())
    names.push_back(std::string(builtin_prefix) + std::string(name));
  std::vector<File> all;
  all.reserve(names.size() + own.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    all.push_back({names[i], builtin_rule_files()[i].second});
  all.insert(all.end(), own.begin(), own.end());
  return build(all, options, head.disabled);
}

Result<std::shared_ptr<const RuleSet>> RuleSet::parse(
    std::span<const std::pair<std::string, std::string>> files, bool run_examples) {
  RuleSetOptions options;
  options.run_examples = run_examples;
  return parse(files, options);
}

}  // namespace gatehouse::inspect
