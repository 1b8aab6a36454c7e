// A streamed answer on its way through checks: whole events come in as the filters let them out,
// and leave when what they carry has passed. docs/output-checks.md says how much waits for which
// check.
//
// Invariants
//   1. With `hold: sentence` no byte of a text leaves before its sentence has ended and all up to
//      there has passed. Arguments of tools, which have no sentences, leave at the end.
//   2. With `hold: answer` nothing leaves before everything has passed.
//   3. A copy of a whole text that comes after its pieces is written as the text is then.
//   4. Events leave in their order, whole; those whose texts were not changed byte for byte.
//   5. An answer with more bytes of events than max_answer_bytes is refused.
// One request, one thread. Internal to gateway/.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/answer_texts.h"
#include "gateway/checks.h"
#include "gateway/responses.h"
#include "gateway/sse.h"

namespace gatehouse::gateway {

class CheckedStream {
 public:
  CheckedStream(Exchange& exchange, JsonWalker& walker, inspect::Scanner& scanner,
                inspect::FilterPlan filter, std::size_t max_event_bytes,
                std::size_t max_answer_bytes);

  // Takes whole events, appends to `out` what may leave now. False: the answer is refused;
  // refusal() says why.
  bool feed(std::string_view events, std::string& out);
  // The answer is whole: everything is checked once more.
  bool finish(std::string& out);

  const std::string& refusal() const { return refusal_; }
  bool ask_again() const { return ask_again_; }
  // All of its text so far, for guards.
  std::string whole_text() const;
  // What has left so far will be sent to the client.
  void note_sent();
  // Of each text what was sent.
  validate::Answer sent() const;

 private:
  struct Piece {
    TextPiece text;
    std::size_t end = 0;  // in its whole text
    bool changed = false;
  };
  struct Held {
    SseEvent event;
    std::vector<Piece> pieces;
  };
  // A text as it came, before any check changed it.
  struct Came {
    std::size_t size = 0;
    std::uint64_t hash = CountedTexts::nothing;
  };
  // What is known about one text.
  struct Progress {
    std::size_t judged = 0;     // up to here it has passed
    std::size_t released = 0;   // up to here it has left
    std::size_t sent = 0;       // up to here it was sent
    std::size_t next_look = 1;  // no sentence end is looked for before it has this size
  };

  bool take(SseEvent event);
  bool settle_copies(DocumentTexts& texts);
  bool judge_beginning();
  bool accept(const CheckVerdict& verdict, const std::map<TextKey, std::size_t>& ends);
  std::vector<Piece*> held_pieces(const TextKey& key);
  bool put(const TextKey& key, std::string_view checked, std::size_t end);
  std::map<TextKey, std::size_t> new_sentence_ends();
  void release(std::string& out);
  void write(Held& held, std::string& out);
  bool refuse(std::string why);

  Exchange& exchange_;
  JsonWalker& walker_;
  inspect::Scanner& scanner_;
  inspect::FilterPlan filter_;
  Hold hold_;
  SseFramer framer_;
  std::size_t max_answer_bytes_;
  std::size_t came_bytes_ = 0;
  AnswerBook book_;
  std::deque<Held> queue_;
  std::map<TextKey, Progress> progress_;
  std::set<TextKey> keys_;  // of every text so far
  std::map<TextKey, Came> came_;
  std::string refusal_;
  bool ask_again_ = false;
};

}  // namespace gatehouse::gateway
