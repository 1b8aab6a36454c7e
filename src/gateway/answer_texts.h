// The texts of an answer as the client gets them: which run of bytes of a document, or of an event
// of a stream, belongs to which text, and how another text is put there. For checks, which look at
// what is left of an answer after filtering. Internal to gateway/.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config.h"
#include "gateway/json_walk.h"
#include "validate/validate.h"

namespace gatehouse::gateway {

// A choice's text, or the arguments of one of its tool calls. Of the Responses API, each part of a
// message and each call of a tool is a choice.
struct TextKey {
  std::uint64_t choice = 0;
  std::int64_t tool = -1;  // -1: the text
  friend auto operator<=>(const TextKey&, const TextKey&) = default;
};

// One piece of a text.
struct TextPiece {
  TextKey key;
  std::string text;
  JsonSpan inside;    // in its document: inside the quotes, or the whole value
  bool raw = false;   // it is a JSON value of the document, not a string
  bool copy = false;  // the whole text once more, after its pieces
};

struct DocumentTexts {
  std::vector<TextPiece> pieces;  // in the order of the document
  std::map<TextKey, std::string> tool_names;
  std::map<TextKey, std::string> copied_names;  // said once more, after the call
  bool has_lookups = false;  // the provider looked something up, or ran it, while it answered
};

// A whole answer, and the data of one event of a stream.
Result<DocumentTexts> read_answer(JsonWalker& walker, DialectKind dialect, std::string& document);
Result<DocumentTexts> read_event(JsonWalker& walker, DialectKind dialect, std::string& data);

// Whether a tool is called in these.
bool has_calls(const DocumentTexts& texts);

// What puts `text` in the place of a piece.
Splice replace_piece(const TextPiece& piece, std::string_view text);

// Puts pieces together. Places (validate.h) and keys are the same things in another order.
class AnswerBook {
 public:
  void add(const DocumentTexts& texts);
  const validate::Answer& answer() const { return answer_; }
  validate::Place place_of(const TextKey& key);
  std::string& text_of(const TextKey& key);

 private:
  std::map<std::uint64_t, std::size_t> choices_;
  std::map<TextKey, std::size_t> tools_;
  validate::Answer answer_;
};

}  // namespace gatehouse::gateway
