// Checks of a finished answer: whether it has the shape that was asked for, whether it gives away
// the system prompt, whether it leads or links somewhere it should not, whether the sources it was
// given say what it says. Each is a pure function of the answer and of facts about the request.
//
// What must always hold:
//   1. A detail never holds content: no word of the answer, the prompt or the sources.
//   2. What cannot be decided is `undecided`, never `passed`; it is for the caller to refuse it.
//   3. Time is linear in answer and facts, up to a factor the options bound.
// Immutable, used by all threads; the scanner in Context belongs to the calling one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "inspect/inspect.h"

namespace gatehouse::validate {

struct ToolCall {
  std::string name;
  std::string arguments;  // JSON as the model wrote it
};

struct Choice {
  std::uint64_t index = 0;
  std::string text;
  std::vector<ToolCall> tool_calls;
};

struct Answer {
  std::vector<Choice> choices;
};

struct OfferedTool {
  std::string name;
  std::string parameters;  // JSON Schema as text; empty: none was given
  bool free_form = false;  // its arguments are a text, not JSON
};

struct RequestFacts {
  std::vector<std::string> system_prompts = {};
  std::vector<std::string> sources =
      {};                     // what tools returned, what was retrieved, what users supplied
  std::string question = {};  // the user's last message
  std::vector<OfferedTool> tools = {};
  std::string response_schema = {};  // of response_format, as text; empty: none was asked for
  std::string canary = {};           // empty: none was put into the prompt
};

enum class Judgement : std::uint8_t {
  passed,
  repaired,  // passed, with what is in Outcome::replacements
  failed,
  undecided,  // a bound was reached, or a fact the check needs cannot be read
};
std::string_view to_string(Judgement judgement);

// Where in an answer.
struct Place {
  std::size_t choice = 0;           // position in Answer::choices
  std::optional<std::size_t> tool;  // position in Choice::tool_calls; none: the text
  friend bool operator==(const Place&, const Place&) = default;
};

struct Replacement {
  Place place;
  std::string text;  // of the whole place
};

struct PlacedSpan {
  Place place;
  inspect::Span span;
};

struct Outcome {
  Judgement judgement = Judgement::passed;
  double score = 0;                       // what was measured; its meaning is the check's
  std::string detail;                     // short, plain words, no content
  std::vector<Replacement> replacements;  // when repaired
  std::vector<PlacedSpan> spans;          // what to take out when failed; empty: the whole answer
};

struct Context {
  inspect::Scanner* scanner = nullptr;  // for `links` and `code`
};

enum class CheckKind : std::uint8_t {
  schema,          // the text against a JSON Schema
  tool_arguments,  // arguments against the schemas the request offers
  canary,
  system_prompt,
  links,
  code,
  grounding,
  topics,
  length,
  language,
  refusal,
};
inline constexpr std::size_t check_kind_count = 11;
std::string_view to_string(CheckKind kind);
Result<CheckKind> parse_check_kind(std::string_view text);

// What a configuration says about a check. Fields a kind does not use must be left as they are.
struct CheckOptions {
  CheckKind kind = CheckKind::schema;
  // canary, system_prompt, refusal: fails at this score and above; grounding: fails below it.
  // Negative: the kind's own default.
  double threshold = -1;
  // grounding: fails where a lack of support like this is as rare, or rarer, among supported
  // answers; 0: goes by the threshold.
  double false_positives = 0;
  std::string calibration = {};  // grounding: as text; empty: the built-in one
  std::string schema = {};    // schema: as text; empty: the one of the request
  bool repair = true;         // schema, tool_arguments
  bool drop_unknown = false;  // schema, tool_arguments: repair may drop forbidden properties
  std::vector<std::string> allow_hosts = {};  // links: "example.com", "*.example.com"
  std::vector<std::string> words = {};        // topics: words and phrases that must not appear
  bool demand = false;                        // topics: one of the words must appear instead
  std::vector<std::string> languages = {};    // language: ISO 639-1 codes that are allowed
  std::uint64_t min_characters = 0;           // length
  std::uint64_t max_characters = 0;           // 0: no limit
  std::uint64_t min_words = 0;
  std::uint64_t max_words = 0;
  std::uint64_t max_sentences = 0;
};

class Check {
 public:
  virtual ~Check() = default;
  virtual Outcome run(const Answer& answer, const RequestFacts& facts,
                      const Context& context) const = 0;
  // Whether a failure of the beginning of an answer is one of the answer: only then can a stream be
  // released sentence by sentence.
  virtual bool judges_beginnings() const = 0;
};

// An error names the option that is wrong.
Result<std::shared_ptr<const Check>> make_check(const CheckOptions& options);

// Where the last complete sentence ends: text[0, end) may be judged while more is to come.
std::size_t last_sentence_end(std::string_view text);

// Each Place that holds text, in order.
std::vector<Place> places_of(const Answer& answer);
std::string_view text_at(const Answer& answer, const Place& place);

}  // namespace gatehouse::validate
