// What the files of the OpenAI Responses dialect share. Internal to gateway/.
//
// Source of the shapes: the OpenAI API reference, "Responses" and "Streaming events", as the types
// of the official clients have them (openai-python src/openai/types/responses).
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/dialect.h"

namespace gatehouse::gateway {

// An item of `output` and a part of it. Answers have each text in one place.
struct OutputPlace {
  std::uint64_t item = 0;
  std::uint64_t part = 0;
  friend auto operator<=>(const OutputPlace&, const OutputPlace&) = default;
};

// More items or parts than anybody's answer has; a stream that names higher ones is refused.
inline constexpr std::uint64_t most_output_index = 1u << 16;

// The members of an item or of a response that only name things, by their key and what holds them.
// They are not inspected; the gateway's decisions never depend on them.
bool is_response_name(Path path, std::size_t envelope);

// Members whose business is encoded bytes. What can be nothing else passes as it is: a client must
// be able to send it back.
bool is_encoded_member(std::string_view key);

// JSON inside a string: the arguments of a function or of a tool of an MCP server.
bool is_response_arguments(Path path);

// Items that ask the client to do something: calls of functions and of tools that it runs, such as
// `shell_call`, and requests to agree to one. A call of a kind nobody knows yet is one of them.
bool is_call_item(std::string_view type);
// Items of what the provider itself looked up or ran while it answered: what came of that was read
// by the model, and is not in the answer.
bool is_provider_call(std::string_view type);

// Log probabilities have a text once more, token by token. Collects them from one document; those
// that show what was changed, or what `plan` would change, are emptied.
class TokenCopies {
 public:
  static bool holds(Path path);
  void on_string(Path path, std::string_view text);
  void on_container(Path path, JsonSpan span);
  void filter(const AnswerPlan& plan, bool text_changed, std::vector<Splice>& edits) const;

 private:
  struct One {
    JsonSpan span;
    std::string text;
  };
  std::vector<One> all_;
  std::string text_;
};

// A text of a stream comes up to four times: in deltas, at its end, with its item, with the answer.
// Its findings count once.
class CountedTexts {
 public:
  static constexpr std::uint64_t nothing = 14'695'981'039'346'656'037u;  // FNV-1a, offset basis
  static std::uint64_t add(std::uint64_t hash, std::string_view text);
  // True the first time.
  bool note(std::uint64_t hash) { return counted_.insert(hash).second; }

 private:
  std::set<std::uint64_t> counted_;
};

std::unique_ptr<AnswerStream> open_responses_stream(const AnswerPlan& plan);

}  // namespace gatehouse::gateway
