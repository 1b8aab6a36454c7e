// What is in a text. Rules are data (rules/*.yaml); their pieces say where to look, their patterns
// what matches there, validators and context decide. docs/rules.md is the format.
//
// What YAML cannot say is found by code (detector.h), by rules of its own behind those of the
// files.
//
// Semantics, the same for a whole text and for a stream cut anywhere (inspect_property_test.cc):
//   In each category by itself: from position p, take of all rules the valid match with the
//   smallest start >= p; among equals the longest, then the rule listed first. Report it, continue
//   at its end; of a match that begins inside it and has 64 bytes or more behind it, these count.
//   A match is valid when the rule's pattern matches there, its validator accepts, its allow
//   list does not, and, if the rule demands context, one of its context words stands within the 64
//   bytes before it. What both categories find is reported twice and replaced once.
//
// RuleSet is immutable and shared. Scanner has scratch memory: one a thread.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/crypto.h"

namespace gatehouse::inspect {

enum class Category : std::uint8_t {
  credentials,
  personal,   // what its own form gives away: numbers, addresses of mail
  names,      // of people, and postal addresses: by context, less sure
  smuggling,  // text hidden from people: tag characters, variation selectors, directions
  links,      // that carry data out of an answer, to hosts nobody allowed
  code,       // dangerous code and commands
  leak,       // canaries of system prompts
  custom,     // what a deployment looks for itself: its own rules and dictionaries
};
inline constexpr std::size_t category_count = 8;
std::string_view to_string(Category category);
Result<Category> parse_category(std::string_view text);
using Categories = std::bitset<category_count>;  // bit = static_cast<size_t>(category)

// In which reading of a text something was found: as it stands, with characters and escapes turned
// into what they stand for, or decoded from a run of something else.
enum class View : std::uint8_t { plain, folded, base64, hex, spaced, hidden };
std::string_view to_string(View view);

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

// One thing found. Never the matched text.
struct Finding {
  std::uint32_t rule = 0;  // index into RuleSet::rules()
  Category category = Category::credentials;
  Span span;           // bytes of the decoded text of its channel
  double p_value = 0;  // how rare such a match is in benign text; from the rule
  View view = View::plain;
};

struct Rule {
  std::string id;  // "aws-access-key-id"
  Category category = Category::credentials;
  std::string kind;  // placeholder stem: "EMAIL", "IBAN", "CREDENTIAL"
  std::string description;
  double p_value = 0;
};

class Dictionary;  // dictionary.h

// "de": two small letters. Which countries there are is not checked.
bool is_locale(std::string_view text);
// As people write it: "DE" is "de", and "uk", which ISO 3166 has not, is "gb".
std::optional<std::string> read_locale(std::string_view text);

// Which rules of the files make up a set. What differs from the defaults is part of its digest.
struct RuleSetOptions {
  // ISO 3166 countries, small letters ("de"), whose rules are wanted besides those for everywhere.
  std::vector<std::string> locales;
  bool all_locales = false;
  Categories categories = Categories().set();
  // Values of the deployment's own, besides what the rules find.
  std::vector<std::shared_ptr<const Dictionary>> dictionaries;
  // Each rule's own must-match and must-not-match examples are checked too.
  bool run_examples = false;
};

class RuleSet {
 public:
  // The rules compiled into the program (rules/*.yaml at build time).
  static Result<std::shared_ptr<const RuleSet>> builtin(const RuleSetOptions& options = {});
  // Every *.yaml below a folder, in name order. Errors name file, line and rule.
  static Result<std::shared_ptr<const RuleSet>> load(const std::filesystem::path& folder,
                                                     const RuleSetOptions& options);
  static Result<std::shared_ptr<const RuleSet>> load(const std::filesystem::path& folder,
                                                     bool run_examples);
  static Result<std::shared_ptr<const RuleSet>> parse(
      std::span<const std::pair<std::string, std::string>> files, const RuleSetOptions& options);
  static Result<std::shared_ptr<const RuleSet>> parse(
      std::span<const std::pair<std::string, std::string>> files, bool run_examples);

  // The countries that rules of the files are for, wanted or not; sorted.
  const std::vector<std::string>& locales() const;

  // Those of the files, then those of detectors in code.
  const std::vector<Rule>& rules() const;
  const crypto::Digest& digest() const;  // of source()
  // The files in name order, each as "<bytes>:<name>:<bytes>:<text>".
  const std::string& source() const;

  struct Impl;
  explicit RuleSet(std::unique_ptr<Impl> impl);
  ~RuleSet();
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

class Scanner {
 public:
  // `watched`: what is looked for where nothing says otherwise. What a filter redacts is always
  // looked for; a category nobody asks about costs nothing.
  explicit Scanner(std::shared_ptr<const RuleSet> rules, Categories watched = Categories().set());
  ~Scanner();
  Scanner(Scanner&&) noexcept;

  // Findings in order of their begin; those of one category do not overlap.
  std::vector<Finding> scan(std::string_view text);
  const RuleSet& rules() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// The two-way mapping of one conversation: value <-> placeholder. Equal values (of one kind) get
// equal placeholders; numbers count up per kind: [EMAIL_1], [EMAIL_2], [IBAN_1]. A placeholder that
// already stands in the client's own text is never handed out (reserve()). Not thread-safe.
class Placeholders {
 public:
  // Notes placeholder-shaped words ("[EMAIL_3]", "[Email 3]") in a text the client sent. One that
  // was handed out before is retired: its value goes by a new name, and the old one is never
  // restored again, however it is written.
  void reserve(std::string_view client_text);
  // Never hands out a name that `other` has handed out or reserved.
  void avoid(const Placeholders& other);
  // The first number of each kind, at least 1. For a text that somebody else joins to texts with
  // placeholders that nobody here knows: a large one drawn at random stands in none of them.
  void begin_at(std::uint32_t number) { first_ = number; }
  // The placeholder of this value, new or known.
  const std::string& placeholder_for(std::string_view kind, std::string_view value);
  // The value behind a placeholder, or nullptr.
  const std::string* value_of(std::string_view placeholder) const;
  bool empty() const { return by_placeholder_.empty(); }
  std::size_t size() const { return by_placeholder_.size(); }
  std::size_t reserved() const { return reserved_.size(); }
  std::size_t longest_placeholder() const { return longest_; }
  // Whether a known placeholder begins with this text and goes on.
  bool begins_known(std::string_view text) const;

  // For the sealed session store. resource_exhausted when it would have more than max_serialized
  // bytes. parse() refuses what serialize() did not write.
  static constexpr std::size_t max_serialized = 16u << 20;
  Result<std::string> serialize() const;
  static Result<Placeholders> parse(std::string_view serialized);

 private:
  std::string serialized() const;
  void reserve_written(std::string_view text);
  void insert(const std::string& placeholder, std::string value);
  void retire(const std::string& placeholder);

  std::map<std::string, std::string, std::less<>> by_placeholder_;
  std::map<std::string, std::string, std::less<>> by_value_;  // kind ‖ 0x00 ‖ value
  std::map<std::string, std::uint32_t, std::less<>> next_;    // by kind
  std::uint32_t first_ = 1;
  std::map<std::string, bool, std::less<>> reserved_;
  std::size_t longest_ = 0;
};

// What a text filter does with what it finds and what it puts back.
struct FilterPlan {
  Categories redact;                     // replaced by placeholders from `placeholders`
  bool restore = false;                  // known placeholders become their values again
  Placeholders* placeholders = nullptr;  // needed when redact.any() or restore
  Placeholders* masks = nullptr;  // where redaction takes its names instead, when what it replaces
                                  // must not be restored
  std::size_t max_findings = 10'000;  // beyond it only counted
  bool watch = true;                  // whether what is not replaced is reported
  std::string_view spare = {};        // redaction leaves what stands in here as it is
};

// Whether a channel's text is plain, or is itself JSON (tool-call arguments): then strings inside
// it are decoded, filtered each on its own, and re-escaped; other bytes pass as they came; a number
// that must be redacted becomes a string. Every prefix of what comes out stays a prefix of valid
// JSON whenever what came in was one. Text that is not JSON after all is filtered as plain text.
enum class TextForm : std::uint8_t { plain, json };

// One channel's text, filtered as it streams. feed() returns what may leave now; it holds back only
// what could still become a match of a redacted category or a placeholder (at most
// max_holdback_bytes; beyond it the held text is replaced as if it had matched). finish() returns
// the rest. For every way to cut the input, the concatenated output is the same (property test).
// Findings of categories that are only watched are reported too, with no hold-back.
class TextFilter {
 public:
  static constexpr std::size_t max_holdback_bytes = 16u << 10;

  TextFilter(Scanner& scanner, FilterPlan plan, TextForm form);
  ~TextFilter();
  TextFilter(TextFilter&&) noexcept;

  std::string feed(std::string_view text);
  std::string finish();
  std::size_t held() const;                      // bytes fed and neither released nor replaced
  const std::vector<Finding>& findings() const;  // spans are positions in the input so far
  std::size_t restored() const;                  // placeholders put back
  std::size_t found() const;  // all that was found, also beyond FilterPlan::max_findings

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// A whole text at once; the same result as feed + finish.
struct Filtered {
  std::string text;
  std::vector<Finding> findings;
  std::size_t restored = 0;
  bool changed = false;
};
Filtered filter_text(Scanner& scanner, const FilterPlan& plan, TextForm form,
                     std::string_view text);

}  // namespace gatehouse::inspect
