// What the files of the OpenAI dialect share. Internal to gateway/.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "gateway/dialect.h"

namespace gatehouse::gateway {

// Arguments of a call to a tool: JSON inside a string.
bool is_arguments(Path path);

// Members of answers and chunks that only name things, or are encoded bytes, by their full path.
// They are not inspected; the gateway's decisions never depend on them.
bool is_name(Path path);

// `logprobs` have the text of a choice once more, token by token. Collects them from one document.
class Logprobs {
 public:
  void on_string(Path path, std::string_view text, JsonSpan inside);
  void on_container(Path path, JsonSpan span);

  // Whether this string is for these alone.
  static bool holds(Path path);
  // Takes out those that show what `plan` masks or puts back, and those of the choices (by their
  // position) whose text was changed.
  void filter(const AnswerPlan& plan, const std::set<std::size_t>& changed_choices,
              std::vector<Splice>& edits) const;

 private:
  struct One {
    std::size_t choice;
    JsonSpan span;
    std::string text;
  };
  std::vector<One> all_;
  std::string text_;  // of the one that has begun
};

std::unique_ptr<AnswerStream> open_openai_stream(const AnswerPlan& plan);

}  // namespace gatehouse::gateway
