// The texts of a message: what is inspected, what may be replaced, and what is left alone because
// its sender must find it again as it was (ids, cursors, the state of a request).
#include <algorithm>
#include <array>

#include "gateway/mcp_call.h"
#include "gateway/request_reader.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

// Names and places: read, never changed.
constexpr std::array<std::string_view, 12> fixed_members{
    "jsonrpc", "id",       "method",          "name",          "uri",    "type",
    "role",    "mimeType", "protocolVersion", "progressToken", "taskId", "uriTemplate"};
// Texts that only their writer reads.
constexpr std::array<std::string_view, 4> opaque_members{"requestState", "cursor", "nextCursor",
                                                         "subscriptionId"};

bool is_one_of(std::string_view key, std::span<const std::string_view> keys) {
  return std::ranges::find(keys, key) != keys.end();
}

bool is_bytes(std::string_view key) {
  return key == "data" || key == "blob";
}

class TextReader final : public JsonVisitor {
 public:
  explicit TextReader(Exchange& exchange) : exchange_(exchange) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    add(path, text, inside, false);
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    if (path.size() > 1) add(path, text, span, true);
  }
  void on_key(Path object, std::string_view key, JsonSpan inside) override {
    // Those of the arguments are inspected with them.
    if (object.empty() || path_begins(object, {"params", "arguments"})) return;
    push(key, inside, TextRole::fixed, false, Source::none);
  }
  void on_container(Path path, JsonSpan span) override {
    if (path_is(path, {"params", "arguments"}))
      exchange_.channels.push_back(
          {span, std::string_view(exchange_.body).substr(span.begin, span.end - span.begin),
           TextRole::raw_json, false, Source::none});
  }

 private:
  // Below the arguments, which are inspected as one.
  static bool is_whole(Path path) {
    return path.size() > 2 && path_begins(path, {"params", "arguments"});
  }

  void add(Path path, std::string_view text, JsonSpan inside, bool is_number) {
    const auto key = last_key(path);
    TextRole role = TextRole::text;
    if (is_whole(path)) {
      role = TextRole::covered;
    } else if (is_one_of(key, opaque_members)) {
      role = TextRole::opaque;
    } else if (is_bytes(key)) {
      role = role_of_encoded(text);
      if (role == TextRole::opaque) exchange_.uninspectable = true;
    } else if (is_one_of(key, fixed_members) || is_number ||
               path_begins(path, {"params", "_meta"})) {
      role = TextRole::fixed;
    }
    // What comes back from a person or a model at the client's side.
    const bool answer =
        path_begins(path, {"result"}) || path_begins(path, {"params", "inputResponses"});
    push(text, inside, role, is_number, answer ? Source::user : Source::none);
  }
  void push(std::string_view text, JsonSpan inside, TextRole role, bool is_number, Source source) {
    const auto& kept = exchange_.decoded.emplace_back(text);
    exchange_.channels.push_back({inside, kept, role, is_number, source});
  }

  Exchange& exchange_;
};

// The texts of a message from a server, filtered one by one.
class AnswerTexts final : public JsonVisitor {
 public:
  AnswerTexts(inspect::Scanner& scanner, inspect::FilterPlan plan, FindingTotals& findings,
              std::vector<Channel>& data)
      : scanner_(scanner), plan_(plan), findings_(findings), data_(data) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    const auto key = last_key(path);
    if (path.size() < 2 || is_one_of(key, opaque_members)) return;
    if (is_bytes(key) && role_of_encoded(text) == TextRole::opaque) return;
    const bool fixed = is_one_of(key, fixed_members) || path_begins(path, {"result", "_meta"});
    filter(text, inside, fixed);
    if (!fixed)
      data_.push_back({{}, kept_.emplace_back(text), TextRole::text, false, Source::data});
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    if (path_begins(path, {"result", "structuredContent"})) filter_number(text, span);
  }

  std::vector<Splice> edits;
  std::size_t restored = 0;

 private:
  void filter(std::string_view text, JsonSpan inside, bool fixed) {
    inspect::FilterPlan plan = plan_;
    if (fixed) plan = {};
    auto filtered = inspect::filter_text(scanner_, plan, inspect::TextForm::plain, text);
    findings_.add(filtered.findings);
    restored += filtered.restored;
    if (!filtered.changed || fixed) return;
    Splice splice{inside.begin, inside.end, {}};
    append_json_escaped(splice.text, filtered.text);
    edits.push_back(std::move(splice));
  }
  void filter_number(std::string_view text, JsonSpan span) {
    auto filtered = inspect::filter_text(scanner_, plan_, inspect::TextForm::plain, text);
    findings_.add(filtered.findings);
    if (filtered.changed) edits.push_back({span.begin, span.end, json_string(filtered.text)});
  }

  inspect::Scanner& scanner_;
  inspect::FilterPlan plan_;
  FindingTotals& findings_;
  std::vector<Channel>& data_;
  std::deque<std::string> kept_;
};

}  // namespace

Result<void> find_mcp_texts(JsonWalker& walker, Exchange& exchange) {
  TextReader reader(exchange);
  return walker.walk(exchange.body, reader);
}

Result<void> screen_mcp_texts(Worker& worker, Exchange& exchange, McpCall& call,
                              std::string& message) {
  const StageTimer timer(worker, exchange, Stage::screen);
  inspect::FilterPlan plan;
  plan.redact = exchange.plan.redact_answer;
  plan.restore = exchange.redacted > 0;
  plan.placeholders = &exchange.placeholders;
  plan.masks = &exchange.masks;
  std::vector<Channel> data;
  AnswerTexts texts(*exchange.scanner, plan, exchange.answer_findings, data);
  GH_TRY(worker.walker.walk(message, texts));
  exchange.restored += texts.restored;
  const auto assessment = assess(*exchange.snapshot->risk, data);
  worker.risk_watch.note(assessment);
  call.answer_risk.injection = std::min(call.answer_risk.injection, assessment.p.injection);
  if (!texts.edits.empty()) message = apply_splices(message, std::move(texts.edits));
  return {};
}

}  // namespace gatehouse::gateway
