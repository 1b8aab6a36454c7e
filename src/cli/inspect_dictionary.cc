// gatehouse inspect dictionary build: a list of values becomes a file of keyed hashes. Nothing of
// the values is printed or kept.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "inspect/dictionary.h"

namespace gatehouse::cli {
namespace {

struct DictionaryOptions {
  std::string key_file;
  std::string in;
  std::string out;
  std::string name;
  std::string kind;
  std::string category = "custom";
  std::string column;  // number from 1 or name of a CSV column; empty: a line is a value
  double p_value = 1e-3;
};

// The fields of one line of CSV (RFC 4180); a quoted field ends with its line.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        fields.back() += line[++i];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

Result<std::vector<std::string>> read_values(std::string_view text, const std::string& column) {
  std::vector<std::string> values;
  std::size_t index = 0;
  bool header = false;
  if (!column.empty()) {
    const auto number = parse_uint(column);
    if (number && *number > 0 && *number < 10'000) {
      index = static_cast<std::size_t>(*number) - 1;
    } else {
      const auto names = fields_of(trim(text.substr(0, text.find('\n'))));
      while (index < names.size() && names[index] != column) ++index;
      if (index == names.size())
        return fail(ErrorCode::invalid_argument, "there is no column \"" + column + "\"");
      header = true;
    }
  }
  for (const std::string_view line : split(text, '\n')) {
    if (std::exchange(header, false)) continue;
    const std::string_view trimmed = trim(line);
    if (trimmed.empty()) continue;
    if (column.empty()) {
      values.emplace_back(trimmed);
    } else if (auto fields = fields_of(trimmed); index < fields.size()) {
      values.push_back(std::move(fields[index]));
    }
  }
  return values;
}

Result<void> build(const DictionaryOptions& options) {
  constexpr std::size_t largest_list = 1u << 30;
  GH_ASSIGN(std::string secret, read_file(options.key_file));
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (secret.size() < 32)
    return fail(ErrorCode::invalid_argument, "the secret must have at least 32 bytes",
                options.key_file);
  GH_ASSIGN(const std::string text, read_file(options.in, largest_list));
  GH_ASSIGN(const auto values, read_values(text, options.column));
  inspect::DictionarySpec spec{options.name, options.kind, {}, options.p_value};
  GH_ASSIGN(spec.category, inspect::parse_category(options.category));
  SystemRandom random;
  GH_ASSIGN(const auto built,
            inspect::build_dictionary(values, spec, inspect::dictionary_key(secret), random));
  GH_TRY(write_file_atomically(options.out, built.file));
  std::cout << fmt::format("{}: {} values", options.out, built.values);
  if (built.skipped > 0)
    std::cout << fmt::format(
        "; {} left out (fewer than 5 digits or 4 letters, more than 6 words or 128 bytes)",
        built.skipped);
  std::cout << '\n';
  return {};
}

}  // namespace

void add_inspect_dictionary(CLI::App& inspect, Exit& exit) {
  auto options = std::make_shared<DictionaryOptions>();
  auto* verb = inspect.add_subcommand("dictionary", "Lists of values to look for, as hashes");
  verb->require_subcommand(1);
  auto* making = verb->add_subcommand("build", "Make a dictionary of a list");
  making->add_option("in", options->in, "The values: a line each, or a column of a CSV file")
      ->required();
  making->add_option("out", options->out, "The dictionary")->required();
  making->add_option("--key-file", options->key_file, "File with the deployment's secret")
      ->required();
  making->add_option("--name", options->name, "Of the rule: dictionary-NAME")->required();
  making->add_option("--kind", options->kind, "Stem of the placeholder: CUSTOMER")->required();
  making->add_option("--category", options->category, "custom, personal, names, ...");
  making->add_option("--column", options->column, "Number or name of a CSV column");
  making->add_option("--p-value", options->p_value, "How rare such words are in other texts");
  making->callback([options, &exit] {
    const auto done = build(*options);
    exit = done ? 0 : 2;
    if (!done) std::cerr << done.error().describe() << '\n';
  });
}

}  // namespace gatehouse::cli
