// What the calls of tools in an answer may do, given all that was said before: labels of the
// conversation, where each argument comes from, and the decision. One a request, on its thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flow/flow.h"
#include "gateway/config_tools.h"
#include "gateway/conversation.h"
#include "gateway/tool_question.h"
#include "policy/policy.h"

namespace gatehouse::gateway {

// A call that a model wants to make.
struct ToolCall {
  std::uint64_t choice = 0;
  std::int64_t index = 0;
  std::string id;
  std::string name;
  std::string arguments;  // JSON
};

// What became of it; what the ledger says of it.
struct ToolRecord {
  ToolCall call;
  const ToolDeclaration* declaration = nullptr;
  std::vector<flow::Trace> traces;  // of the consequential arguments
  ArgumentLabels arguments;
  Label label;  // of the context
  policy::Decision decision;
  ToolRuling ruling;
  std::string problem;   // why it could not be decided; then it is refused
  std::string approval;  // id of the approval it waits for, or that it used
};

class ToolFlow {
 public:
  // `declarations` must outlive it.
  ToolFlow(const std::vector<Utterance>& conversation, const ToolDeclarations& declarations,
           WallTime now);

  // The model has read what anybody may have written, and nobody here has seen.
  void add_unseen();
  // Of all that was said: the join of its sources.
  const Label& label() const { return label_; }

  // Traces the arguments of a call; fills all but the decision.
  ToolRecord look_at(ToolCall call, const Label& context) const;

 private:
  struct Results {
    Integrity integrity = Integrity::untrusted;
    Confidentiality confidentiality = Confidentiality::public_;
    const flow::FieldTrust* fields = nullptr;
  };
  void add_call(const Utterance& call);
  void add_result(const Utterance& result);
  Results results_of(const ToolDeclaration* tool, Integrity of_arguments);

  const ToolDeclarations& declarations_;
  flow::Tracer tracer_;
  std::map<std::string, Integrity, std::less<>> calls_;  // how far their arguments are trusted
  std::deque<flow::FieldTrust> lowered_;
  Label label_;
};

// What each argument is for, as the tracer wants it, by path without the numbers of items.
std::map<std::string, flow::Kind, std::less<>> kinds_of(const ToolDeclaration* tool);

}  // namespace gatehouse::gateway
