// Calls of tools in the answers of models are decided before they leave: part of the screen stage.
// A turn leaves whole or not at all: where one of its calls is refused or held, none of them
// leaves, and in their place stands a well-formed answer that says which call, why, and what to do.
// docs/agents.md. All on the worker's loop thread, but read_flow, which may run beside it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/answer_texts.h"
#include "gateway/sse.h"
#include "gateway/stages.h"
#include "gateway/tool_flow.h"

namespace gatehouse::gateway {

// What is known about tools in one request, and what became of the calls in its answer.
struct ToolTurn {
  ToolTurn(const std::vector<Utterance>& said, const ToolDeclarations& declarations, WallTime now)
      : flow(said, declarations, now) {
    for (const auto& one : said)
      if (one.what == Utterance::What::words && one.source == Source::user)
        own_words += one.text + '\n';
  }
  ToolFlow flow;
  std::string own_words;            // of people
  std::vector<ToolRecord> records;  // of every attempt
  std::size_t recorded = 0;         // of these, in the ledger
};

// What people themselves said in the conversation; empty where tools play no part.
inline std::string_view own_words_of(const Exchange& exchange) {
  return exchange.tool_turn ? std::string_view(exchange.tool_turn->own_words) : std::string_view();
}

// Whether these policies speak of calls of tools. Where none does, calls pass as any other text of
// an answer: a set that was written before there was the action decides what it always did.
bool speaks_of_tools(const policy::PolicySet& policies);

// Reads the conversation where tools play a part in it; before the body is changed. Its label joins
// that of the exchange.
void read_flow(Exchange& exchange);

struct TurnVerdict {
  struct Stopped {
    std::uint64_t choice = 0;
    std::string notice;    // for whoever reads the answer
    std::string approval;  // ids, with spaces between
    bool held = false;     // else refused
    std::string tool;
  };
  std::vector<Stopped> stopped;  // in the order of the calls; empty: all may leave
  bool stops(std::uint64_t choice) const;
  // The notices of one choice, or of all.
  std::string text() const;
  std::string text_of(std::uint64_t choice) const;
  std::string approvals() const;
  // {"calls":[{"tool":…,"decision":"held","approval":…}],"entry":…}
  std::string json(const Exchange& exchange) const;
};

// Decides every call of the answer; adds the records to exchange.tool_turn. `has_lookups`: while it
// answered the provider itself looked something up, which nobody here has seen. Error: what must be
// written of an approval could not be.
net::Task<std::expected<TurnVerdict, ApiError>> decide_calls(Worker& worker, Exchange& exchange,
                                                             const validate::Answer& answer,
                                                             bool has_lookups);

// A whole answer: replaces it where a call may not leave.
net::Task<Verdict> govern_body(Worker& worker, Exchange& exchange, std::string& body);
// Of the last answer, for the header; empty: nothing waits for anybody.
std::string approvals_waited_for(const Exchange& exchange);

// A streamed answer: events pass until the first piece of a call comes; from there on they wait for
// the end, when the calls are whole. One request.
class ToolStream {
 public:
  ToolStream(const Exchange& exchange, JsonWalker& walker, std::size_t max_event_bytes,
             std::size_t max_held_bytes);
  // Takes whole events; appends to `out` what may leave now. Error: an event cannot be read.
  Result<void> feed(std::string_view events, std::string& out);
  bool has_calls() const { return holding_; }
  const validate::Answer& answer() const { return book_.answer(); }
  bool has_lookups() const { return has_lookups_; }
  // After the end of the answer: what waits, or what stands in its place.
  void finish(const Exchange& exchange, const TurnVerdict& verdict, std::string& out);

 private:
  Result<void> take(SseEvent event, std::string& out);
  Result<void> take_copies(const DocumentTexts& texts);
  const Exchange& exchange_;
  JsonWalker& walker_;
  SseFramer framer_;
  AnswerBook book_;
  std::set<TextKey> copied_;  // calls whose arguments were said whole
  std::vector<SseEvent> held_;
  std::size_t held_bytes_ = 0;
  std::size_t max_held_bytes_;
  bool holding_ = false;
  bool has_lookups_ = false;
};

}  // namespace gatehouse::gateway
