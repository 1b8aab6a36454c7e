// See tool_flow.h.
#include "gateway/tool_flow.h"

#include <algorithm>
#include <cctype>

namespace gatehouse::gateway {
namespace {

flow::Kind kind_of(ArgumentRole role) {
  switch (role) {
    case ArgumentRole::amount:
      return flow::Kind::number;
    case ArgumentRole::identifier:
      return flow::Kind::identifier;
    case ArgumentRole::time:
      return flow::Kind::time;
    case ArgumentRole::choice:
      return flow::Kind::choice;
    case ArgumentRole::text:
    case ArgumentRole::detail:
      return flow::Kind::none;
    default:
      return flow::Kind::plain;
  }
}

bool is_index(std::string_view step) {
  return !step.empty() &&
         std::ranges::all_of(step, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// "attachments.0.file_id" is declared as "attachments.file_id".
std::string without_indexes(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const auto end = std::min(path.find('.'), path.size());
    const auto step = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (!result.empty() && is_index(step)) continue;
    if (!result.empty()) result += '.';
    result += step;
  }
  return result;
}

// What the nearest declared part of the path is for.
ArgumentRole role_at(const ToolDeclaration* tool, std::string_view path) {
  if (tool == nullptr) return ArgumentRole::other;
  std::string declared = without_indexes(path);
  while (true) {
    if (tool->arguments.contains(declared)) return tool->role_of(declared);
    const auto dot = declared.rfind('.');
    if (dot == std::string::npos) return ArgumentRole::other;
    declared.resize(dot);
  }
}

}  // namespace

std::map<std::string, flow::Kind, std::less<>> kinds_of(const ToolDeclaration* tool) {
  std::map<std::string, flow::Kind, std::less<>> kinds;
  if (tool == nullptr) return kinds;
  for (const auto& [name, role] : tool->arguments) kinds.emplace(name, kind_of(role));
  return kinds;
}

ToolFlow::ToolFlow(const std::vector<Utterance>& conversation, const ToolDeclarations& declarations,
                   WallTime now)
    : declarations_(declarations), tracer_(now) {
  for (const auto& said : conversation) {
    if (said.what == Utterance::What::call) {
      add_call(said);
    } else if (said.what == Utterance::What::result) {
      add_result(said);
    } else {
      flow::Passage passage;
      passage.text = said.text;
      passage.author = said.source == Source::assistant ? flow::Author::model
                       : said.source == Source::data    ? flow::Author::tool
                                                        : flow::Author::user;
      tracer_.add(passage);
    }
  }
  label_.integrity = tracer_.context_integrity();
  label_.confidentiality = std::max(label_.confidentiality, tracer_.context_confidentiality());
}

// What a tool looked up for somebody is no better than what it was asked for: who chose the words
// of a search chose what it finds.
void ToolFlow::add_call(const Utterance& call) {
  if (call.call_id.empty()) return;
  const auto* tool = declarations_.find({}, call.tool);
  const auto traces = tracer_.trace(call.text, kinds_of(tool));
  Integrity worst = traces ? Integrity::trusted : tracer_.context_integrity();
  if (traces)
    for (const auto& trace : *traces)
      if (is_consequential(role_at(tool, trace.path))) worst = std::max(worst, trace.integrity);
  calls_[call.call_id] = worst;
}

ToolFlow::Results ToolFlow::results_of(const ToolDeclaration* tool, Integrity of_arguments) {
  Results results;
  if (tool == nullptr) return results;
  results.integrity = std::max(tool->trust, of_arguments);
  results.confidentiality = tool->results.confidentiality;
  if (tool->fields.empty() || of_arguments == Integrity::untrusted) return results;
  results.fields = &tool->fields;
  if (of_arguments == Integrity::trusted) return results;
  auto& lowered = lowered_.emplace_back(tool->fields);
  for (auto& [name, trust] : lowered) trust = std::max(trust, of_arguments);
  results.fields = &lowered;
  return results;
}

void ToolFlow::add_result(const Utterance& result) {
  const auto* tool = result.tool.empty() ? nullptr : declarations_.find({}, result.tool);
  const auto called = calls_.find(result.call_id);
  // A result of a call that is not there: nobody knows what it was asked for.
  const Integrity of_arguments =
      called == calls_.end() ? tracer_.context_integrity() : called->second;
  const auto results = results_of(tool, of_arguments);
  flow::Passage passage;
  passage.integrity = results.integrity;
  passage.confidentiality = results.confidentiality;
  passage.fields = results.fields;
  passage.text = result.text;
  tracer_.add(passage);
  if (tool != nullptr) label_ = join(label_, tool->results);
}

void ToolFlow::add_unseen() {
  tracer_.add(flow::Passage());
  label_.integrity = std::max(label_.integrity, tracer_.context_integrity());
}

ToolRecord ToolFlow::look_at(ToolCall call, const Label& context) const {
  ToolRecord record;
  record.label = join(context, label_);
  record.declaration = declarations_.find({}, call.name);
  const auto* tool = record.declaration;
  // A tool without arguments may be called with nothing at all.
  const std::string_view given = call.arguments;
  const std::string_view arguments = given.empty() ? std::string_view("{}") : given;
  auto traces = tracer_.trace(arguments, kinds_of(tool));
  if (!traces) {
    record.problem = traces.error().message;
    record.arguments = ArgumentLabels::of_context(record.label);
  } else {
    for (auto& trace : *traces) {
      const auto role = role_at(tool, trace.path);
      if (!is_consequential(role) && role != ArgumentRole::time) continue;
      // A time says when, not what, to whom or how much: policies see where it came from by its
      // name.
      if (is_consequential(role)) {
        record.arguments.integrity = std::max(record.arguments.integrity, trace.integrity);
        record.arguments.confidentiality =
            std::max(record.arguments.confidentiality, trace.confidentiality);
      }
      if (trace.standing == flow::Standing::untrusted)
        record.arguments.untrusted.insert(trace.path);
      if (trace.standing == flow::Standing::derived) record.arguments.derived.insert(trace.path);
      record.traces.push_back(std::move(trace));
    }
  }
  record.call = std::move(call);
  return record;
}

}  // namespace gatehouse::gateway
